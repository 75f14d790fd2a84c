/** Checks provider blocks in four steps, the same for every role, then the selected provider's own block. */

import { nearest } from '../../graph/nearest.ts'
import type { Diagnostic, Json } from '../../graph/types.ts'
import type { Provider } from '../providers/provider.ts'
import type { ProviderRegistry } from '../providers/registry.ts'
import { problem } from './diagnostic.ts'
import { isObject, type JsonPath } from './json-path.ts'
import type { Places } from './locate.ts'
import { foundText, schemaProblems } from './schema-problems.ts'
import { listed } from './word-list.ts'

/** Roles whose key is there as soon as there is a provider. */
export const openRoles = ['ci', 'cloud', 'network', 'secrets'] as const

/** A checked block, in the shape it was written: only the selected entry is kept. */
export interface ProviderBlock {
  readonly provider: string
  readonly providers: Readonly<Record<string, unknown>>
}

/** Ids of earlier designs and what they are called now. */
const renamed: Readonly<Record<string, string>> = { 'generic-dev-command': 'generic' }

/** The block, or the diagnostics of what is wrong with it. Entries that are not selected are not looked at. */
export function checkProviderBlock(
  block: Json,
  registry: ProviderRegistry<Provider>,
  places: Places,
): { readonly block?: ProviderBlock; readonly problems: readonly Diagnostic[] } {
  const { role } = registry
  const fail = (diagnostic: Diagnostic) => ({ problems: [...unknownKeys(block, role, places), diagnostic] })
  if (!isObject(block))
    return { problems: [problem('SC1009', `expected a map in ${role}, found ${foundText(block)}`, places.locate([role]))] }
  const id = block['provider']
  if (typeof id !== 'string' || id.trim() === '') {
    const message =
      id === undefined ? `\`${role}.provider\` is required` : `expected the id of a provider in ${role}.provider, found ${foundText(id)}`
    const notes = [{ message: `there is ${listed(registry.ids())}` }]
    return fail(problem('SC1014', message, places.locate([role, 'provider']), { notes }))
  }
  if (!registry.has(id)) {
    const suggestion = renamed[id] ?? nearest(id, registry.ids())
    const message = `there is no ${role} provider \`${id}\`, only ${listed(registry.ids())}`
    return fail(problem('SC1015', message, places.locate([role, 'provider']), { suggestion }))
  }
  const providers = block['providers']
  if (!isObject(providers)) {
    const message =
      providers === undefined ? `\`${role}.providers\` is required` : `expected a map in ${role}.providers, found ${foundText(providers)}`
    return fail(problem('SC1016', message, places.locate([role, 'providers'])))
  }
  if (!Object.hasOwn(providers, id)) {
    return fail(problem('SC1016', `\`${role}.providers.${id}\` is required: \`${id}\` is selected`, places.locate([role, 'provider'])))
  }
  return checkEntry(block, id, providers[id] ?? {}, registry, places)
}

function checkEntry(block: Json, id: string, value: Json, registry: ProviderRegistry<Provider>, places: Places) {
  const at: JsonPath = [registry.role, 'providers', id]
  const { config: schema } = registry.get(id)
  const parsed = schema.safeParse(value)
  const problems = unknownKeys(block, registry.role, places)
  if (!parsed.success) return { problems: [...problems, ...schemaProblems(parsed.error.issues, { schema, value, at, places })] }
  return { block: { provider: id, providers: { [id]: parsed.data } }, problems }
}

function unknownKeys(block: Json, role: string, places: Places): Diagnostic[] {
  const known = ['provider', 'providers']
  const keys = isObject(block) ? Object.keys(block).filter((key) => !known.includes(key)) : []
  return keys.map((key) =>
    problem('SC1003', `unknown key \`${key}\` in ${role}`, places.locateKey([role, key]), { suggestion: nearest(key, known) }),
  )
}
