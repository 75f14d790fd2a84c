/**
 * YAML as plain data that still knows where each value was written.
 *
 * The conversion is ours rather than `Document.toJS` because Compose reads YAML with go-yaml: merge keys work, `0644` is octal,
 * and an integer too large for a double must not change silently. Aliases are followed, so a value behind one is located at its anchor.
 */
import { type Alias, type Document, isAlias, isMap, isScalar, isSeq, type Pair, parseDocument, type Scalar, type YAMLMap } from 'yaml'
import type { Diagnostic, Json } from '../../graph/types.ts'
import { problem } from './diagnostic.ts'
import type { JsonPath } from './json-path.ts'
import { type Place, type Places, placeKey, placesOf } from './locate.ts'

export interface YamlTree {
  readonly value: Json
  readonly places: Places
  /** What a file of lower rank loses: values tagged `!reset` (which are not in `value`) or `!override`. */
  readonly cleared: readonly JsonPath[]
}

/** Compose's own tags: https://github.com/compose-spec/compose-spec/blob/main/13-merge.md. */
const mergeTags: readonly string[] = ['!reset', '!override']

/** How many values aliases may add to those written: stops aliases that multiply ("billion laughs"). */
const valueLimit = 100_000
/** Deeper than any hand-written file: everything after this may recurse. */
const depthLimit = 100

interface Parsed {
  readonly tree?: YamlTree
  readonly problems: readonly Diagnostic[]
}

/**
 * Parses one document. Problems may come with a tree, so that later checks can report theirs in the same run.
 * `tags`: whether the file may say with tags what it takes away from another one, as Compose files may.
 */
export function parseYaml(text: string, file: string, { tags = false }: { readonly tags?: boolean } = {}): Parsed {
  const index = new Map<string, Place>()
  const places = placesOf(text, file, index)
  const document = parseDocument(text, { prettyErrors: false, uniqueKeys: false })
  const isMergeTag = ({ code, pos }: { readonly code: string; readonly pos: readonly [number, number] }) =>
    tags && code === 'TAG_RESOLVE_FAILED' && mergeTags.includes(text.slice(...pos).trim())
  const problems = [...document.errors, ...document.warnings.filter((found) => !isMergeTag(found))].map((error) =>
    problem('SC1005', `invalid YAML: ${yamlMessage(error.code, error.message)}`, places.at(error.pos[0], error.pos[1])),
  )
  if (problems.length > 0) return { problems }
  const conversion = new Conversion(document, index, places)
  const value = conversion.convert(document.contents, [], undefined)
  // A value that had to be left out would only make later checks complain of its absence.
  const isWhole = conversion.problems.every(({ code }) => code !== 'SC1007')
  return { ...(isWhole && { tree: { value, places, cleared: conversion.cleared } }), problems: conversion.problems }
}

function yamlMessage(code: string, message: string): string {
  if (code === 'RESOURCE_EXHAUSTION') return 'nested too deeply'
  if (code === 'MULTIPLE_DOCS') return 'the file holds more than one document'
  const firstLine = message.split('\n')[0] ?? message
  return `${firstLine.charAt(0).toLowerCase()}${firstLine.slice(1)}`.replace(/[.:]$/, '')
}

class Conversion {
  readonly problems: Diagnostic[] = []
  readonly cleared: JsonPath[] = []
  readonly #anchors: { readonly name: string; readonly node: unknown; readonly start: number }[] = []
  readonly #index: Map<string, Place>
  readonly #places: Places
  /** Collections being converted: meeting one again is a cycle. */
  readonly #open = new Set<unknown>()
  /** Pairs of maps met before: merges that double at each level stay linear. */
  readonly #known = new Map<YAMLMap, Map<string, Pair>>()
  #count = 0
  #limit = valueLimit

  constructor(document: Document.Parsed, index: Map<string, Place>, places: Places) {
    this.#index = index
    this.#places = places
    const pending: unknown[] = [document.contents]
    while (pending.length > 0) {
      const node = pending.pop()
      this.#limit++
      if ((isScalar(node) || isMap(node) || isSeq(node)) && node.anchor) {
        this.#anchors.push({ name: node.anchor, node, start: node.range?.[0] ?? 0 })
      }
      if (isSeq(node)) pending.push(...node.items)
      if (isMap(node)) pending.push(...node.items.flatMap(({ key, value }) => [key, value]))
    }
    this.#anchors.sort((a, b) => a.start - b.start)
  }

  convert(given: unknown, path: JsonPath, key: Place['key']): Json {
    const node = this.#follow(given)
    const range = rangeOf(node)
    if (++this.#count === this.#limit) this.#problem('SC1007', `aliases expand to more than ${valueLimit} values`, given)
    if (this.#count >= this.#limit) return null
    if (path.length > depthLimit) {
      this.#problem('SC1007', `nested more than ${depthLimit} deep`, given)
      return null
    }
    this.#index.set(placeKey(path), { ...(range && { value: range }), ...(key && { key }), scalar: isScalar(node) })
    if (isScalar(node)) return this.#scalar(node)
    if (!isMap(node) && !isSeq(node)) return null
    if (this.#open.has(node)) {
      this.#problem('SC1007', 'an alias refers to what it is part of', given)
      return null
    }
    this.#open.add(node)
    const value = isMap(node)
      ? this.#map(node, path)
      : node.items.filter((item) => tagOf(item) !== '!reset').map((item, at) => this.convert(item, [...path, at], undefined))
    this.#open.delete(node)
    return value
  }

  #map(map: YAMLMap, path: JsonPath): Json {
    const entries = [...this.#pairs(map, new Set())].flatMap(([name, pair]): [string, Json][] => {
      const tag = tagOf(pair.value)
      if (tag !== undefined) this.cleared.push([...path, name])
      return tag === '!reset' ? [] : [[name, this.convert(pair.value, [...path, name], rangeOf(pair.key))]]
    })
    return Object.fromEntries(entries)
  }

  /** Own pairs first, then those merged with `<<` that are not overridden; `seen` stops a map that merges itself. */
  #pairs(map: YAMLMap, seen: Set<unknown>): Map<string, Pair> {
    const known = this.#known.get(map)
    if (known) return known
    const pairs = new Map<string, Pair>()
    this.#known.set(map, pairs)
    const merged: Map<string, Pair>[] = []
    seen.add(map)
    for (const pair of map.items) {
      if (isMergeKey(pair.key)) merged.push(...this.#merged(pair.value, seen))
      else this.#add(pairs, pair)
    }
    seen.delete(map)
    for (const source of merged) for (const [name, pair] of source) if (!pairs.has(name)) pairs.set(name, pair)
    return pairs
  }

  #merged(value: unknown, seen: Set<unknown>): Map<string, Pair>[] {
    const source = this.#follow(value)
    if (isSeq(source)) return source.items.flatMap((item) => this.#merged(item, seen))
    if (isMap(source) && !seen.has(source)) return [this.#pairs(source, seen)]
    this.#problem('SC1008', 'expected a map, or a list of maps, to merge', value)
    return []
  }

  #add(pairs: Map<string, Pair>, pair: Pair): void {
    const key = this.#follow(pair.key)
    const name = isScalar(key) && key.value !== null ? String(key.source ?? key.value) : undefined
    if (name === undefined) {
      this.#problem('SC1008', 'expected text as a key', pair.key ?? pair.value)
      return
    }
    const first = pairs.get(name)
    if (first) {
      const location = this.#locate(first.key)
      const notes = [{ message: 'first given here', ...(location && { location }) }]
      this.problems.push(problem('SC1006', `key \`${name}\` is given twice`, this.#locate(pair.key), { notes }))
    } else pairs.set(name, pair)
  }

  #scalar(scalar: Scalar): Json {
    const { source } = scalar
    // A tag that YAML does not know keeps it from reading numbers and the like.
    const value = tagOf(scalar) === '!override' && scalar.type === 'PLAIN' ? parseDocument(source ?? '').toJS() : scalar.value
    if (typeof value !== 'number') return typeof value === 'string' || typeof value === 'boolean' ? value : null
    if (!Number.isFinite(value)) {
      this.#problem('SC1008', 'expected a finite number', scalar)
      return null
    }
    if (source !== undefined && /^[-+]?0[0-7]+$/.test(source)) return Number.parseInt(source, 8)
    if (source !== undefined && Number.isInteger(value) && !Number.isSafeInteger(value)) return source
    return value
  }

  /** The node an alias stands for: the last of its anchors before it. */
  #follow(node: unknown): unknown {
    if (!isAlias(node)) return node
    const start = node.range?.[0] ?? 0
    const anchor = this.#anchors.findLast(({ name, start: anchored }) => name === node.source && anchored < start)
    if (!anchor) this.#problem('SC1007', `alias \`*${node.source}\` has no anchor before it`, node satisfies Alias)
    return anchor?.node
  }

  #problem(code: Diagnostic['code'], message: string, node: unknown): void {
    this.problems.push(problem(code, message, this.#locate(node)))
  }

  #locate(node: unknown): ReturnType<Places['at']> | undefined {
    const range = rangeOf(node)
    return range && this.#places.at(range[0], range[1])
  }
}

function tagOf(node: unknown): string | undefined {
  const tag = isScalar(node) || isMap(node) || isSeq(node) ? node.tag : undefined
  return tag !== undefined && mergeTags.includes(tag) ? tag : undefined
}

function isMergeKey(key: unknown): boolean {
  return isScalar(key) && key.value === '<<' && key.type === 'PLAIN'
}

function rangeOf(node: unknown): readonly [number, number] | undefined {
  const range = isScalar(node) || isMap(node) || isSeq(node) || isAlias(node) ? node.range : undefined
  return range ? [range[0], range[1]] : undefined
}
