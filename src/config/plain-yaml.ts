/**
 * The YAML that most manifests consist of, read in a twentieth of the time that all of YAML takes: maps by indentation, lists, and scalars that are
 * one word or line. What is not plain beyond doubt is not read at all, and left to the library, which also tells what is wrong with it.
 */
import type { Json } from '../../graph/types.ts'
import { NotPlain } from './not-plain.ts'
import { PlainFlow } from './plain-flow.ts'

export interface PlainTree {
  readonly value: Json
  /** Of each map, where its keys begin and end. */
  readonly keys: ReadonlyMap<object, Readonly<Record<string, KeyRange>>>
}

export type KeyRange = readonly [start: number, end: number]

/** Deeper than any manifest that is written by hand. */
const deepest = 20
/** Nothing that looks different from what it is: no tabs, no carriage returns, no letters that break lines. */
const plainText = /^[\n\x20-\x7e]*$/
const mapEntry = /^([A-Za-z_][A-Za-z0-9_./-]*):(?= |$)/
/** Longer keys may have to be marked as such. */
const longestKey = 200

interface Line {
  readonly indent: number
  /** Offset in the text of what follows the indentation. */
  readonly start: number
  readonly text: string
}

/** @returns undefined for what is no plain YAML, or no YAML at all. */
export function parsePlainYaml(text: string): PlainTree | undefined {
  if (!plainText.test(text)) return undefined
  try {
    return new Reading(linesOf(text)).document()
  } catch (error) {
    if (error instanceof NotPlain) return undefined
    throw error
  }
}

/** Without those that are empty or say nothing. */
function linesOf(text: string): readonly Line[] {
  const lines: Line[] = []
  for (let start = 0; start < text.length; ) {
    const newline = text.indexOf('\n', start)
    const end = newline === -1 ? text.length : newline
    let at = start
    while (at < end && text.charCodeAt(at) === 0x20) at++
    if (at < end && text[at] !== '#') lines.push({ indent: at - start, start: at, text: text.slice(at, end).trimEnd() })
    start = end + 1
  }
  return lines
}

class Reading {
  readonly #lines: readonly Line[]
  readonly #keys = new Map<object, Record<string, KeyRange>>()
  #at = 0

  constructor(lines: readonly Line[]) {
    this.#lines = lines
  }

  document(): PlainTree {
    const first = this.#lines[0]
    if (first?.indent !== 0 || !mapEntry.test(first.text)) throw new NotPlain()
    const value = this.#map(0, 0)
    if (this.#at < this.#lines.length) throw new NotPlain()
    return { value, keys: this.#keys }
  }

  /** Of lines that begin at `indent`. */
  #map(indent: number, depth: number): Json {
    if (depth > deepest) throw new NotPlain()
    const entries: [string, Json][] = []
    const ranges: Record<string, KeyRange> = Object.create(null)
    for (let line = this.#lines[this.#at]; line?.indent === indent; line = this.#lines[this.#at]) {
      const key = mapEntry.exec(line.text)?.[1]
      if (key === undefined || key.length > longestKey || key in ranges || isNothing(key)) throw new NotPlain()
      ranges[key] = [line.start, line.start + key.length]
      this.#at++
      entries.push([key, this.#valueAfter(line.text.slice(key.length + 1), indent, depth)])
    }
    // What is indented more belongs to a scalar of several lines, or to nothing.
    if ((this.#lines[this.#at]?.indent ?? 0) > indent) throw new NotPlain()
    const map = Object.fromEntries(entries)
    this.#keys.set(map, ranges)
    return map
  }

  #valueAfter(rest: string, indent: number, depth: number): Json {
    const written = rest.trimStart()
    if (written !== '') {
      if (written.startsWith('#')) throw new NotPlain()
      return this.#inline(written, depth)
    }
    const next = this.#lines[this.#at]
    if (next === undefined || next.indent < indent) throw new NotPlain()
    if (isItem(next.text)) return this.#list(next.indent, indent, depth + 1)
    if (next.indent === indent) throw new NotPlain()
    return this.#map(next.indent, depth + 1)
  }

  /** A list may stand as far to the left as the key that holds it. */
  #list(indent: number, outer: number, depth: number): Json {
    if (depth > deepest) throw new NotPlain()
    const items: Json[] = []
    let line = this.#lines[this.#at]
    for (; line?.indent === indent && isItem(line.text); line = this.#lines[this.#at]) {
      this.#at++
      const written = line.text.slice(1).trimStart()
      if (written === '' || isItem(written) || mapEntry.test(written)) throw new NotPlain()
      items.push(this.#inline(written, depth))
    }
    if (line !== undefined && (line.indent > indent || (line.indent === indent && indent > outer))) throw new NotPlain()
    return items
  }

  #inline(written: string, depth: number): Json {
    return new PlainFlow(written, depth).whole()
  }
}

function isItem(text: string): boolean {
  return text === '-' || text.startsWith('- ')
}

function isNothing(key: string): boolean {
  return /^(?:null|Null|NULL|__proto__)$/.test(key)
}
