/** What plain YAML writes on one line: words, quoted text, lists in brackets and maps in braces. */
import type { Json } from '../../graph/types.ts'
import { NotPlain } from './not-plain.ts'

const deepest = 20
/** Of what has a meaning of its own at the beginning, only letters and the start of a path are left. */
const wordStart = /^(?:[A-Za-z_/]|\.{1,2}\/)/
const flowWord = /[^,[\]{}]*/y
const wholeNumber = /^(?:0|[1-9][0-9]{0,14})$/
const duration = /^[1-9][0-9]{0,8}(?:ms|s|m|h|d)$/
const booleans: ReadonlyMap<string, boolean> = new Map([
  ...['true', 'True', 'TRUE'].map((word) => [word, true] as const),
  ...['false', 'False', 'FALSE'].map((word) => [word, false] as const),
])

export class PlainFlow {
  readonly #text: string
  #depth: number
  #at = 0

  /** @param text one line from where the value begins, without spaces at its end. */
  constructor(text: string, depth: number) {
    this.#text = text
    this.#depth = depth
  }

  /** @throws NotPlain */
  whole(): Json {
    const first = this.#text[0]
    if (first !== '[' && first !== '{' && first !== '"' && first !== "'") return scalarOf(this.#uncommented())
    const value = this.#value()
    if (this.#at < this.#text.length && !/^ +#/.test(this.#text.slice(this.#at))) throw new NotPlain()
    return value
  }

  #uncommented(): string {
    const comment = this.#text.indexOf(' #')
    const written = comment === -1 ? this.#text : this.#text.slice(0, comment).trimEnd()
    if (written.includes(': ') || written.endsWith(':')) throw new NotPlain()
    return written
  }

  /** Within brackets, or one that begins with its delimiter. */
  #value(): Json {
    const first = this.#text[this.#at]
    if (first === '"' || first === "'") return this.#quoted(first)
    if (first === '[') return this.#nested(() => this.#list())
    if (first === '{') return this.#nested(() => this.#map())
    return scalarOf(this.#word())
  }

  #nested(read: () => Json): Json {
    if (++this.#depth > deepest) throw new NotPlain()
    this.#at++
    this.#skip()
    const value = read()
    this.#depth--
    return value
  }

  #list(): Json {
    const items: Json[] = []
    while (!this.#takes(']')) {
      items.push(this.#value())
      this.#separator(']')
    }
    return items
  }

  #map(): Json {
    const entries: [string, Json][] = []
    const names = new Set<string>()
    while (!this.#takes('}')) {
      const key = /^([A-Za-z_][A-Za-z0-9_./-]{0,99}): +/.exec(this.#text.slice(this.#at))
      const name = key?.[1]
      if (!key || name === undefined || names.has(name) || /^(?:null|Null|NULL|__proto__)$/.test(name)) throw new NotPlain()
      names.add(name)
      this.#at += key[0].length
      entries.push([name, this.#value()])
      this.#separator('}')
    }
    return Object.fromEntries(entries)
  }

  /** A comma, or what ends the collection. */
  #separator(end: string): void {
    this.#skip()
    if (this.#text[this.#at] === end) return
    if (!this.#takes(',')) throw new NotPlain()
    this.#skip()
    if (this.#text[this.#at] === end) throw new NotPlain()
  }

  #takes(sign: string): boolean {
    if (this.#text[this.#at] !== sign) return false
    this.#at++
    return true
  }

  #skip(): void {
    while (this.#text[this.#at] === ' ') this.#at++
  }

  /** Without escapes: those are the library's. */
  #quoted(quote: string): string {
    const end = this.#text.indexOf(quote, this.#at + 1)
    const text = this.#text.slice(this.#at + 1, end)
    if (end === -1 || this.#text[end + 1] === quote || (quote === '"' && text.includes('\\'))) throw new NotPlain()
    this.#at = end + 1
    return text
  }

  #word(): string {
    flowWord.lastIndex = this.#at
    const written = flowWord.exec(this.#text)?.[0] ?? ''
    this.#at += written.length
    const word = written.trimEnd()
    if (word.includes(': ') || word.endsWith(':') || word.includes(' #')) throw new NotPlain()
    return word
  }
}

function scalarOf(word: string): Json {
  if (wordStart.test(word)) {
    if (/^(?:null|Null|NULL)$/.test(word)) throw new NotPlain()
    return booleans.get(word) ?? word
  }
  if (wholeNumber.test(word)) return Number(word)
  if (duration.test(word)) return word
  throw new NotPlain()
}
