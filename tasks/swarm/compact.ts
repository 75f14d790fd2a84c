/** The Engine leaves out what is false, zero or empty when it tells of a spec; a spec that leaves it out too can be compared. Pure. */
import type { Json, JsonObject } from '../../graph/types.ts'
import { isList, isObject } from '../rendering/json.ts'

/** A value with parts that may not be there. */
export type Loose = Json | undefined | readonly Loose[] | { readonly [name: string]: Loose }

/** Without members that are undefined, null, false, zero or empty, at every depth. Items of lists stay. */
export function compact(members: { readonly [name: string]: Loose }): JsonObject {
  const kept: Record<string, Json> = {}
  for (const [name, value] of Object.entries(members)) {
    const whole = compactValue(value)
    if (whole !== undefined && !isNothing(whole)) kept[name] = whole
  }
  return kept
}

function compactValue(value: Loose): Json | undefined {
  if (Array.isArray(value)) return (value as readonly Loose[]).map((item) => compactValue(item) ?? null)
  if (typeof value === 'object' && value !== null) return compact(value as { readonly [name: string]: Loose })
  return value
}

export function isNothing(value: Json | undefined): boolean {
  if (isList(value)) return value.length === 0
  if (isObject(value)) return Object.keys(value).length === 0
  return value === undefined || value === null || value === false || value === 0 || value === ''
}

/**
 * Dotted paths at which `actual` is not what `wanted` says. Members that only `actual` has do not count: the Engine adds defaults of its own.
 * @param ignored names of members that are compared by others.
 */
export function differences(wanted: Json, actual: Json | undefined, ignored: ReadonlySet<string>, path = ''): readonly string[] {
  if (isObject(wanted)) {
    const found = isObject(actual) ? actual : {}
    return Object.entries(wanted).flatMap(([name, value]) =>
      ignored.has(name) ? [] : differences(value, found[name], ignored, path === '' ? name : `${path}.${name}`),
    )
  }
  if (isList(wanted)) {
    const found = isList(actual) ? actual : []
    if (found.length !== wanted.length) return [path]
    return [...new Set(wanted.flatMap((value, index) => differences(value, found[index], ignored, path)))]
  }
  if (isNothing(wanted) && isNothing(actual)) return []
  return wanted === actual ? [] : [path]
}
