import type { Json, JsonObject } from '../../graph/types.ts'

export function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

export function isList(value: Json | undefined): value is readonly Json[] {
  return Array.isArray(value)
}

/** The value as an object's members; nothing for anything else. */
export function members(value: Json | undefined): readonly (readonly [string, Json])[] {
  return isObject(value) ? Object.entries(value) : []
}

/** The value as a list; nothing for anything else. */
export function items(value: Json | undefined): readonly Json[] {
  return isList(value) ? value : []
}

export function without(object: JsonObject, ...keys: readonly string[]): JsonObject {
  return Object.fromEntries(Object.entries(object).filter(([key]) => !keys.includes(key)))
}

/** The object with `key` set, or left out when the value is undefined. */
export function withMember(object: JsonObject, key: string, value: Json | undefined): JsonObject {
  return value === undefined ? without(object, key) : { ...object, [key]: value }
}

/** Rewrites every string value (never a key); `path` is dotted, with `[n]` for list items. */
export function mapStrings(value: Json, rewrite: (text: string, path: string) => string, path = ''): Json {
  if (typeof value === 'string') return rewrite(value, path)
  if (isList(value)) return value.map((item, index) => mapStrings(item, rewrite, `${path}[${index}]`))
  if (!isObject(value)) return value
  const at = (key: string) => (path === '' ? key : `${path}.${key}`)
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, mapStrings(member, rewrite, at(key))]))
}

/** Every string value, keys not included. */
export function stringsIn(value: Json): readonly string[] {
  const found: string[] = []
  mapStrings(value, (text) => {
    found.push(text)
    return text
  })
  return found
}

/** Keys sorted by code unit at every depth; lists keep their order. */
export function sortKeys(value: Json): Json {
  if (isList(value)) return value.map(sortKeys)
  if (!isObject(value)) return value
  return Object.fromEntries(sortedNames(Object.keys(value)).map((key) => [key, sortKeys(value[key] ?? null)]))
}

/** Unique names, sorted by code unit: the same on every machine, whatever its locale. */
export function sortedNames(names: Iterable<string>): string[] {
  return [...new Set(names)].sort((a, b) => (a < b ? -1 : 1))
}
