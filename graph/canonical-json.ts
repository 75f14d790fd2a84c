import type { Json } from './types.ts'

/**
 * One text per value: keys sorted by code unit, strings in Unicode NFC, no white space, `undefined` members left out.
 * The order is that of `<`, never of a locale, so every machine writes the same bytes (compare RFC 8785).
 *
 * @throws TypeError for a number JSON cannot hold (NaN, infinities).
 */
export function canonicalJson(value: Json): string {
  if (value === null || typeof value === 'boolean') return String(value)
  if (typeof value === 'string') return JSON.stringify(value.normalize('NFC'))
  if (typeof value === 'number') {
    if (!Number.isFinite(value)) throw new TypeError(`canonical JSON cannot hold ${value}`)
    return JSON.stringify(value)
  }
  if (isArray(value)) return `[${value.map(canonicalJson).join(',')}]`
  let text = ''
  for (const [key, member] of sortedMembers(value)) text += `${text === '' ? '' : ','}${JSON.stringify(key)}:${canonicalJson(member)}`
  return `{${text}}`
}

/** By name in NFC, two names that only then are the same in the order they were in. Most objects are in order already. */
function sortedMembers(value: { readonly [key: string]: Json }): readonly (readonly [string, Json])[] {
  const members: (readonly [string, Json])[] = []
  let inOrder = true
  let last = ''
  for (const name of Object.keys(value)) {
    const member = value[name]
    if (member === undefined) continue
    const key = name.normalize('NFC')
    inOrder &&= last <= key
    last = key
    members.push([key, member])
  }
  return inOrder ? members : members.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
}

/** `Array.isArray` does not narrow readonly arrays. */
function isArray(value: Json): value is readonly Json[] {
  return Array.isArray(value)
}
