/** `include`: https://github.com/compose-spec/compose-spec/blob/main/14-include.md. */
import { dirname, relative, resolve, sep } from 'node:path'
import type { Location } from '../../../graph/types.ts'
import { problem } from '../diagnostic.ts'
import { CircularValues, parseDotenv } from '../dotenv.ts'
import { withDefaults } from './defaults.ts'
import { withExtends } from './extends.ts'
import { merge } from './merge.ts'
import { rebased } from './rebase.ts'
import type { Library } from './reference.ts'
import { isListNode, isMapNode, memberOf, plain, type Sourced, withoutMember, withValue } from './sourced.ts'

/** Files that make one model: each over those before it. */
export interface Model {
  /** Absolute. */
  readonly files: readonly string[]
  /** Absolute folder that relative paths start from. */
  readonly directory: string
  /** Where the files are named; the main file is named nowhere. */
  readonly from?: Location
  /** Files that led here: one that is met again includes itself. */
  readonly chain: readonly string[]
}

const sections = ['services', 'networks', 'volumes', 'configs', 'secrets']

/** A model with all that it includes; undefined, and reported, when something is wrong with it. */
export async function loadModel(model: Model, library: Library): Promise<Sourced | undefined> {
  const { from, chain, directory } = model
  const again = model.files.find((file) => chain.includes(file))
  if (again !== undefined) {
    library.report(problem('SC1093', 'the file includes itself', from))
    return undefined
  }
  const inner = { ...model, chain: [...chain, ...model.files] }
  let whole: Sourced | undefined
  const included: Sourced[] = []
  for (const file of model.files) {
    const document = await library.document(file, from)
    if (!document) return undefined
    const entries = memberOf(document.root, 'include')
    if (isListNode(entries)) for (const entry of entries.value) included.push(...(await includedBy(entry, inner, library)))
    const own = withoutMember(await withExtends(document, directory, library), 'include')
    whole = whole === undefined ? own : merge(document.clear(whole), own)
  }
  return included.reduce<Sourced | undefined>((to, part) => to && imported(to, part, library), whole)
}

/** None when something is wrong with it. */
async function includedBy(entry: Sourced, { directory, chain }: Model, library: Library): Promise<Sourced[]> {
  const from = entry.places.locate(isMapNode(entry) ? (memberOf(entry, 'path')?.path ?? entry.path) : entry.path)
  const files = texts(isMapNode(entry) ? memberOf(entry, 'path') : entry).map((text) => library.locate(text, directory, from))
  const [first] = files
  if (first === undefined || !files.every((file) => file !== undefined)) return []
  const folder = memberOf(entry, 'project_directory')?.value
  const own = typeof folder === 'string' ? resolve(directory, folder) : dirname(first)
  const model = await loadModel({ files, directory: own, from, chain }, library)
  if (!model) return []
  const values: Record<string, string> = {}
  for (const text of texts(memberOf(entry, 'env_file'))) {
    const path = library.locate(text, directory, from)
    const content = path === undefined ? undefined : await library.text(path, from)
    Object.assign(values, valuesIn(content ?? '', from, library))
  }
  return [rebased(withDefaults(model, values, from, library), relative(directory, own).split(sep).join('/') || '.')]
}

/** None, and reported, when they go round in a circle. */
function valuesIn(text: string, from: Location, library: Library): Readonly<Record<string, string>> {
  try {
    return parseDotenv(text)
  } catch (error) {
    if (!(error instanceof CircularValues)) throw error
    library.report(problem('SC1095', `the included file's \`env_file\` goes round in a circle: ${error.message}`, from))
    return {}
  }
}

function texts(node: Sourced | undefined): readonly string[] {
  if (isListNode(node)) return node.value.map((item) => String(item.value))
  return typeof node?.value === 'string' ? [node.value] : []
}

/** Adds what is not there. What is there may only be the same. */
function imported(model: Sourced, part: Sourced, library: Library): Sourced {
  if (!isMapNode(model)) return model
  const members = new Map(model.value)
  for (const section of sections) {
    const more = memberOf(part, section)
    if (!isMapNode(more)) continue
    const here = members.get(section)
    const known = new Map(isMapNode(here) ? here.value : [])
    for (const [name, definition] of more.value) {
      const present = known.get(name)
      if (present && JSON.stringify(plain(present)) !== JSON.stringify(plain(definition))) {
        const notes = [{ message: 'and here', location: definition.places.locateKey(definition.path) }]
        const place = present.places.locateKey(present.path)
        library.report(problem('SC1094', `\`${section}.${name}\` is defined here, and otherwise in an included file`, place, { notes }))
      } else if (!present) known.set(name, definition)
    }
    members.set(section, withValue(here ?? more, known))
  }
  return withValue(model, members)
}
