/**
 * What the manifest's language has and this version does not act on. Refused, because a key that is read and ignored is a
 * promise broken in production. A feature that arrives deletes its line here and adds its key to the schema.
 */
import type { Diagnostic, Json, JsonObject } from '../../graph/types.ts'
import { problem } from './diagnostic.ts'
import { isObject, type JsonPath, pathText } from './json-path.ts'
import type { Places } from './locate.ts'

/** Paths of keys; `*` stands for any name. */
export const unsupportedKeys: readonly string[] = [
  'network',
  'cloud',
  'ci',
  'secrets',
  'dev',
  'infra',
  'terraform',
  'backend.providers.generic.dev',
  'frontend.providers.generic.dev',
  'migrations.sources',
  'migrations.selection',
  'migrations.env',
  'migrations.engine_config.raw.dialect',
  'environments.*.protected',
  'environments.*.traefik.acme_storage',
  'environments.*.traefik.cors_for_logto',
  'environments.*.traefik.dynamic_config_dir',
  'environments.*.traefik.mkcert_cert_dir',
  'environments.*.rollout.enabled',
  'environments.*.rollout.wait_seconds',
  'environments.*.rollout.wait_after_healthy_seconds',
]

/** Paths of keys and the one value of theirs that is refused. */
export const unsupportedValues: readonly (readonly [path: string, value: string])[] = [
  ['environments.*.driver', 'digitalocean'],
  ['environments.*.traefik.mode', 'mkcert'],
  ['environments.*.traefik.dashboard_auth', 'basic'],
]

/** Spellings of earlier designs that people still carry over, and what to write instead. */
export const movedKeys: readonly (readonly [path: string, now: string])[] = [
  ['backend.dev', 'backend.providers.<provider>.dev'],
  ['backend.build', 'backend.providers.<provider>.build'],
  ['frontend.dev', 'frontend.providers.<provider>.dev'],
  ['frontend.build', 'frontend.providers.<provider>.build'],
]

/** Takes out what is not supported, one diagnostic each, so that the schema only meets what is. `supported`: keys that are after all. */
export function withoutUnsupported(
  value: Json,
  places: Places,
  supported: readonly string[] = [],
): { readonly value: Json; readonly problems: readonly Diagnostic[] } {
  const problems: Diagnostic[] = []
  let rest = value
  const refuse = (pattern: string, describe: (path: JsonPath, found: Json) => Diagnostic | undefined) => {
    rest = remove(rest, pattern.split('.'), [], (path, found) => {
      const diagnostic = describe(path, found)
      if (diagnostic) problems.push(diagnostic)
      return diagnostic !== undefined
    })
  }
  for (const key of unsupportedKeys.filter((one) => !supported.includes(one))) {
    refuse(key, (path) => problem('SC1012', `\`${pathText(path)}\` is not supported by this version`, places.locateKey(path)))
  }
  for (const [key, refused] of unsupportedValues) {
    refuse(key, (path, found) => {
      if (found !== refused) return undefined
      return problem('SC1012', `\`${pathText(path)}: ${refused}\` is not supported by this version`, places.locate(path))
    })
  }
  for (const [key, now] of movedKeys) {
    refuse(key, (path) => problem('SC1013', `\`${pathText(path)}\` is an old spelling, expected \`${now}\``, places.locateKey(path)))
  }
  return { value: rest, problems }
}

/** A copy without the members at `pattern` that `refused` says yes to; the same value when there are none. */
function remove(value: Json, pattern: readonly string[], path: JsonPath, refused: (path: JsonPath, found: Json) => boolean): Json {
  const [part, ...rest] = pattern
  if (part === undefined || !isObject(value)) return value
  const names = part === '*' ? Object.keys(value) : Object.hasOwn(value, part) ? [part] : []
  return names.reduce<JsonObject>((object, name) => {
    const found = object[name] ?? null
    const here = [...path, name]
    if (rest.length > 0) return replaced(object, name, remove(found, rest, here, refused))
    return refused(here, found) ? without(object, name) : object
  }, value)
}

function replaced(object: JsonObject, name: string, value: Json): JsonObject {
  return object[name] === value ? object : Object.fromEntries(Object.entries(object).map(([key, old]) => [key, key === name ? value : old]))
}

function without(object: JsonObject, name: string): JsonObject {
  return Object.fromEntries(Object.entries(object).filter(([key]) => key !== name))
}
