import type { Json, JsonObject } from '../../graph/types.ts'
import { isList, isObject, items, withMember, without } from './json.ts'

/** Keys that only matter where images are built and code is edited, or that this tool decides itself. */
const droppedKeys = ['build', 'develop', 'extends', 'profiles', 'scale']

/** Before interpolation: leaves out what is not for the host, so that its variables are not asked for. */
export function forHost(definition: JsonObject, isPushed: boolean): JsonObject {
  const kept = without(definition, ...droppedKeys, ...(isPushed ? ['image', 'pull_policy'] : []))
  if (!isObject(kept['deploy'])) return kept
  const deploy = without(kept['deploy'], 'replicas')
  return withMember(kept, 'deploy', Object.keys(deploy).length > 0 ? deploy : undefined)
}

/** After interpolation: one form for what Compose lets people write in several. `value` resolves a bare environment name. */
export function normalised(definition: JsonObject, value: (name: string) => string | undefined): JsonObject {
  let service = definition
  if (service['environment'] !== undefined) {
    const entries = Object.entries(asMap(service['environment'])).flatMap(([name, given]) => {
      const resolved = given ?? value(name)
      return resolved === undefined ? [] : [[name, resolved] as const]
    })
    service = { ...service, environment: Object.fromEntries(entries) }
  }
  if (service['labels'] !== undefined) service = { ...service, labels: asMap(service['labels']) }
  if (isList(service['ports'])) service = { ...service, ports: service['ports'].filter((port) => port !== '') }
  if (service['env_file'] !== undefined) {
    const given = service['env_file']
    service = { ...service, env_file: isList(given) ? given : [given] }
  }
  return service
}

/** `["A=1", "B"]` as `{A: "1", B: null}`; a map stays as it is. */
export function asMap(value: Json): JsonObject {
  if (isObject(value)) return value
  const pairs = items(value).map((item) => {
    const [, name = '', given] = /^([^=]*)(?:=([\s\S]*))?$/.exec(String(item)) ?? []
    return [name, given ?? null] as const
  })
  return Object.fromEntries(pairs)
}

/** Drops `depends_on` entries that `keep` does not know. */
export function dependingOn(definition: JsonObject, keep: ReadonlySet<string>): JsonObject {
  const given = definition['depends_on']
  if (given === undefined) return definition
  const kept = isObject(given)
    ? Object.fromEntries(Object.entries(given).filter(([name]) => keep.has(name)))
    : items(given).filter((name) => keep.has(String(name)))
  return withMember(definition, 'depends_on', Object.keys(kept).length > 0 ? kept : undefined)
}
