/** One form for what Compose lets people write in several. Idempotent. */
import type { Json, JsonObject } from '../../graph/types.ts'
import { isList, isObject } from './json-path.ts'

/** `environment`, `build` and `depends_on` become maps; everything else stays as written. */
export function normalService(definition: JsonObject): JsonObject {
  return {
    ...definition,
    ...('environment' in definition && { environment: mapOfText(definition['environment']) }),
    ...('build' in definition && { build: normalBuild(definition['build']) }),
    ...('depends_on' in definition && { depends_on: normalDependencies(definition['depends_on']) }),
  }
}

/**
 * Compose's `list_or_dict` as a map: `K=V` is `K: "V"`, a lone `K` is `K: null` (its value comes from outside), numbers and
 * booleans become text.
 */
export function mapOfText(value: Json | undefined): Readonly<Record<string, string | null>> {
  if (isList(value)) return Object.fromEntries(value.map((entry) => keyAndValue(String(entry))))
  if (!isObject(value)) return {}
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, member === null ? null : String(member)]))
}

function keyAndValue(entry: string): [string, string | null] {
  const equals = entry.indexOf('=')
  return equals === -1 ? [entry, null] : [entry.slice(0, equals), entry.slice(equals + 1)]
}

function normalBuild(build: Json | undefined): Json {
  return typeof build === 'string' ? { context: build } : (build ?? null)
}

function normalDependencies(dependencies: Json | undefined): Json {
  if (!isList(dependencies)) return dependencies ?? {}
  return Object.fromEntries(dependencies.map((name) => [String(name), { condition: 'service_started' }]))
}
