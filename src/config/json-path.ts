import type { Json, JsonObject } from '../../graph/types.ts'

/** Keys and indices from the top of a document to a value. */
export type JsonPath = readonly (string | number)[]

/** `services.web.ports[0]`, as people write it. */
export function pathText(path: JsonPath): string {
  return path.reduce<string>((text, part) => {
    if (typeof part === 'number') return `${text}[${part}]`
    return text === '' ? part : `${text}.${part}`
  }, '')
}

/** The value at a path, own members only: a service may be called `constructor`. */
export function valueAt(value: Json | undefined, path: JsonPath): Json | undefined {
  return path.reduce<Json | undefined>((current, part) => (isObject(current) || isList(current) ? member(current, part) : undefined), value)
}

function member(container: JsonObject | readonly Json[], part: string | number): Json | undefined {
  return Object.hasOwn(container, part) ? (container as JsonObject)[part] : undefined
}

/** An own member of a record, or undefined. */
export function own<T>(record: Readonly<Record<string, T>>, key: string): T | undefined {
  return Object.hasOwn(record, key) ? record[key] : undefined
}

export function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** `Array.isArray` does not narrow readonly arrays. */
export function isList(value: Json | undefined): value is readonly Json[] {
  return Array.isArray(value)
}
