/** `extends`: https://github.com/compose-spec/compose-spec/blob/main/05-services.md#extends. */
import { dirname, posix, relative, sep } from 'node:path'
import { nearest } from '../../../graph/nearest.ts'
import type { Location } from '../../../graph/types.ts'
import { problem } from '../diagnostic.ts'
import { listed } from '../word-list.ts'
import { merge } from './merge.ts'
import { rebasedService } from './rebase.ts'
import type { ComposeDocument, Library } from './reference.ts'
import { isMapNode, memberOf, type Sourced, withoutMember, withValue } from './sourced.ts'

/** The document with every service whole. `directory` is where its relative paths start from. */
export async function withExtends(document: ComposeDocument, directory: string, library: Library): Promise<Sourced> {
  const { root } = document
  const services = memberOf(root, 'services')
  if (!isMapNode(root) || !isMapNode(services)) return root
  const whole = new Map<string, Sourced>()
  for (const [name, own] of services.value) {
    whole.set(name, (await extended(name, { document, directory, library, chain: [] })) ?? withoutMember(own, 'extends'))
  }
  return withValue(root, new Map(root.value).set('services', withValue(services, whole)))
}

interface Reading {
  readonly document: ComposeDocument
  readonly directory: string
  readonly library: Library
  /** Services that led here: one that is met again extends itself. */
  readonly chain: readonly string[]
}

/** Undefined, and reported, when what it extends cannot be had. */
async function extended(name: string, reading: Reading): Promise<Sourced | undefined> {
  const { document, directory, library, chain } = reading
  const service = memberOf(memberOf(document.root, 'services'), name)
  const wish = memberOf(service, 'extends')
  if (!service || !wish) return service
  const own = `${document.path}#${name}`
  const from = wish.places.locate(wish.path)
  if (chain.includes(own)) {
    library.report(problem('SC1093', `service \`${name}\` extends itself`, from))
    return undefined
  }
  const base = await baseOf(wish, from, { ...reading, chain: [...chain, own] })
  if (!base) return undefined
  const folder = relative(directory, base.directory).split(sep).join('/')
  const lower = document.clear(withServices(document.root, name, rebasedService(base.service, posix.normalize(folder))))
  const left = memberOf(memberOf(lower, 'services'), name) ?? base.service
  return merge(left, withoutMember(service, 'extends'), ['services', name])
}

function withServices(root: Sourced, name: string, service: Sourced): Sourced {
  return withValue(root, new Map([['services', withValue(root, new Map([[name, service]]))]]))
}

interface Base {
  readonly service: Sourced
  readonly directory: string
}

async function baseOf(wish: Sourced, from: Location, reading: Reading): Promise<Base | undefined> {
  const { library, directory } = reading
  const name = String(isMapNode(wish) ? memberOf(wish, 'service')?.value : wish.value)
  const file = memberOf(wish, 'file')?.value
  const path = typeof file === 'string' ? library.locate(file, directory, from) : reading.document.path
  if (path === undefined) return undefined
  const document = await library.document(path, from)
  if (!document) return undefined
  const services = memberOf(document.root, 'services')
  const names = isMapNode(services) ? [...services.value.keys()] : []
  if (!names.includes(name)) {
    const where = typeof file === 'string' ? `\`${file}\`` : 'this file'
    const notes = [{ message: names.length > 0 ? `it has ${listed(names)}` : 'it has no services' }]
    library.report(
      problem('SC1092', `there is no service \`${name}\` to extend in ${where}`, from, { suggestion: nearest(name, names), notes }),
    )
    return undefined
  }
  const base = path === reading.document.path ? directory : dirname(path)
  const service = await extended(name, { ...reading, document, directory: base })
  return service && { service: withoutMember(service, 'extends'), directory: base }
}
