/**
 * One Compose file over another, key by key: https://github.com/compose-spec/compose-spec/blob/main/13-merge.md. What the specification
 * leaves open is done as Compose does it; a test asks the real one.
 */
import { type EntryKey, entryKeyOf } from './entry-key.ts'
import { isListNode, isMapNode, memberOf, type Sourced, type SourcedMap, withValue } from './sourced.ts'

type Merge = (base: Sourced, over: Sourced, path: readonly string[]) => Sourced

const replaced: Merge = (_base, over) => over
/** Several spellings, one meaning: a list of `K=V` or a map. */
const asPairs: Merge = (base, over, path) => mergeMaps(pairs(base), pairs(over), path)
const asNames: Merge = (base, over, path) => mergeMaps(names(base), names(over), path)
const asList: Merge = (base, over, path) => mergeLists(list(base), list(over), entryKeyOf(path))

/** The first that fits; a `*` stands for any name. */
const rules: readonly (readonly [pattern: string, merge: Merge])[] = [
  ...['annotations', 'environment', 'labels', 'sysctls', 'deploy.labels', 'build.args', 'build.labels', 'build.additional_contexts'].map(
    (key) => [`services.*.${key}`, asPairs] as const,
  ),
  ...['networks', 'volumes', 'configs', 'secrets'].map((section) => [`${section}.*.labels`, asPairs] as const),
  ...['command', 'entrypoint', 'healthcheck.test'].map((key) => [`services.*.${key}`, replaced] as const),
  ...['dns', 'dns_opt', 'dns_search', 'env_file', 'label_file', 'tmpfs'].map((key) => [`services.*.${key}`, asList] as const),
  ['services.*.build', (base, over, path) => mergeMaps(build(base), build(over), path)],
  ['services.*.depends_on', (base, over, path) => mergeMaps(dependencies(base), dependencies(over), path)],
  ['services.*.networks', asNames],
  ['services.*.extra_hosts', (base, over, path) => mergeLists(hosts(base), hosts(over), entryKeyOf(path))],
  ['services.*.build.extra_hosts', (base, over, path) => mergeLists(hosts(base), hosts(over), entryKeyOf(path))],
  ['services.*.logging', logging],
  ['services.*.ulimits.*', (base, over, path) => (isMapNode(base) && isMapNode(over) ? mergeMaps(base, over, path) : over)],
]

/** `path` is where both are in a Compose file: `services.web`, or nothing for whole files. */
export function merge(base: Sourced, over: Sourced, path: readonly string[] = []): Sourced {
  if (over.value === null) return base.value === null ? over : base
  if (base.value === null) return over
  const rule = rules.find(([pattern]) => fits(pattern, path))
  if (rule) return rule[1](base, over, path)
  if (isMapNode(base) && isMapNode(over)) return mergeMaps(base, over, path)
  return isListNode(base) && isListNode(over) ? mergeLists(base, over, entryKeyOf(path)) : over
}

function fits(pattern: string, path: readonly string[]): boolean {
  const parts = pattern.split('.')
  return parts.length === path.length && parts.every((part, index) => part === '*' || part === path[index])
}

/** Members of both, in the order in which they were first named. */
function mergeMaps(base: Sourced, over: Sourced, path: readonly string[]): Sourced {
  if (!isMapNode(base) || !isMapNode(over)) return over
  const members = new Map(base.value)
  for (const [key, member] of over.value) {
    const below = members.get(key)
    members.set(key, below === undefined ? member : mergeMember(below, member, [...path, key]))
  }
  return withValue(over, members)
}

/** A lone `K` in `environment` takes away the value that was there: it then comes from outside. */
function mergeMember(base: Sourced, over: Sourced, path: readonly string[]): Sourced {
  return over.value === null && fits('services.*.environment.*', path) ? over : merge(base, over, path)
}

/** One after the other; of two entries that mean the same thing the later, in the place of the earlier. */
function mergeLists(base: Sourced, over: Sourced, key: EntryKey): Sourced {
  if (!isListNode(base) || !isListNode(over)) return over
  const entries = new Map<string, Sourced>()
  for (const entry of [...base.value, ...over.value]) entries.set(key(entry), entry)
  return withValue(over, [...entries.values()])
}

function list(node: Sourced): Sourced {
  return isListNode(node) ? node : withValue(node, [node])
}

function pairs(node: Sourced): Sourced {
  if (!isListNode(node)) return node
  return withValue(
    node,
    new Map(
      node.value.map((entry): [string, Sourced] => {
        const text = String(entry.value)
        const equals = text.indexOf('=')
        return equals === -1 ? [text, withValue(entry, null)] : [text.slice(0, equals), withValue(entry, text.slice(equals + 1))]
      }),
    ),
  )
}

function names(node: Sourced): Sourced {
  return isListNode(node) ? withValue(node, new Map(node.value.map((entry) => [String(entry.value), withValue(entry, null)]))) : node
}

function dependencies(node: Sourced): Sourced {
  if (!isListNode(node)) return node
  const started = (entry: Sourced) => withValue(entry, new Map([['condition', withValue(entry, 'service_started')]]))
  return withValue(node, new Map(node.value.map((entry) => [String(entry.value), started(entry)])))
}

function build(node: Sourced): Sourced {
  return typeof node.value === 'string' ? withValue(node, new Map([['context', node]])) : node
}

/** `{name: address}` and `{name: [addresses]}` as the list they stand for. */
function hosts(node: Sourced): Sourced {
  if (!isMapNode(node)) return node
  const entries = [...node.value].flatMap(([name, given]) =>
    (isListNode(given) ? given.value : [given]).map((address) => withValue(address, `${name}=${String(address.value)}`)),
  )
  return withValue(node, entries)
}

/** Options belong to their driver. */
function logging(base: Sourced, over: Sourced, path: readonly string[]): Sourced {
  const [old, driver] = [memberOf(base, 'driver')?.value, memberOf(over, 'driver')?.value]
  return driver === undefined || old === undefined || old === driver ? mergeMaps(base as SourcedMap, over, path) : over
}
