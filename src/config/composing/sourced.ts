/** Data of several files that still knows, value by value, which file it came from. */
import type { Json, Location } from '../../../graph/types.ts'
import { isList, isObject, type JsonPath } from '../json-path.ts'
import { type Places, placeKey } from '../locate.ts'

export type Scalar = string | number | boolean | null
/** Of maps and lists, the members know for themselves where they are from. */
export interface Sourced<V = SourcedValue> {
  readonly value: V
  readonly places: Places
  /** In its own file. */
  readonly path: JsonPath
}
export type SourcedValue = Scalar | ReadonlyMap<string, Sourced> | readonly Sourced[]
export type SourcedMap = Sourced<ReadonlyMap<string, Sourced>>

/** One file's data. */
export function sourced(value: Json, places: Places, path: JsonPath = []): Sourced {
  if (isList(value)) return { value: value.map((item, index) => sourced(item, places, [...path, index])), places, path }
  if (!isObject(value)) return { value, places, path }
  const members = Object.entries(value).map(([key, member]) => [key, sourced(member, places, [...path, key])] as const)
  return { value: new Map(members), places, path }
}

export function isMapNode(node: Sourced | undefined): node is SourcedMap {
  return node?.value instanceof Map
}

export function isListNode(node: Sourced | undefined): node is Sourced<readonly Sourced[]> {
  return Array.isArray(node?.value)
}

/** The same place with other content. */
export function withValue<V extends SourcedValue>(node: Sourced, value: V): Sourced<V> {
  return { ...node, value }
}

export function memberOf(node: Sourced | undefined, key: string): Sourced | undefined {
  return isMapNode(node) ? node.value.get(key) : undefined
}

/** The map without a key; anything else as it is. */
export function withoutMember(node: Sourced, ...keys: readonly string[]): Sourced {
  return isMapNode(node) ? withValue(node, new Map([...node.value].filter(([key]) => !keys.includes(key)))) : node
}

/** The map with one member changed, if it is there. */
export function changeMember(node: Sourced, key: string, change: (member: Sourced) => Sourced): Sourced {
  const member = memberOf(node, key)
  return member === undefined || !isMapNode(node) ? node : withValue(node, new Map(node.value).set(key, change(member)))
}

/** The members of a map, or the items of a list, changed; a scalar as it is. */
export function changeEach(node: Sourced, change: (member: Sourced) => Sourced): Sourced {
  if (isListNode(node)) return withValue(node, node.value.map(change))
  return isMapNode(node) ? withValue(node, new Map([...node.value].map(([key, member]) => [key, change(member)]))) : node
}

/** Every text in it changed, keys not included. */
export function changeTexts(node: Sourced, change: (text: string) => string): Sourced {
  if (typeof node.value === 'string') return withValue(node, change(node.value))
  return changeEach(node, (member) => changeTexts(member, change))
}

/** Without what is at a path. */
export function cleared(node: Sourced, [first, ...rest]: JsonPath): Sourced {
  if (first === undefined) return node
  if (rest.length === 0) return withoutMember(node, String(first))
  return changeMember(node, String(first), (member) => cleared(member, rest))
}

export function plain({ value }: Sourced): Json {
  if (value instanceof Map)
    return Object.fromEntries([...(value as ReadonlyMap<string, Sourced>)].map(([key, member]) => [key, plain(member)]))
  return Array.isArray(value) ? (value as readonly Sourced[]).map(plain) : (value as Scalar)
}

/** Where the values of the whole are written: each in its own file. */
export function locator(root: Sourced): { locate: (path: JsonPath) => Location; locateKey: (path: JsonPath) => Location } {
  const index = new Map<string, Sourced>()
  const visit = (node: Sourced, path: JsonPath): void => {
    index.set(placeKey(path), node)
    if (isMapNode(node)) for (const [key, member] of node.value) visit(member, [...path, key])
    if (isListNode(node)) for (const [at, item] of node.value.entries()) visit(item, [...path, at])
  }
  visit(root, [])
  const find = (path: JsonPath): { readonly node: Sourced; readonly rest: JsonPath } => {
    for (let length = path.length; length > 0; length--) {
      const node = index.get(placeKey(path.slice(0, length)))
      if (node) return { node, rest: path.slice(length) }
    }
    return { node: root, rest: path }
  }
  return {
    locate(path) {
      const { node, rest } = find(path)
      return node.places.locate([...node.path, ...rest])
    },
    locateKey(path) {
      const { node, rest } = find(path)
      return rest.length === 0 ? node.places.locateKey(node.path) : node.places.locate([...node.path, ...rest])
    },
  }
}
