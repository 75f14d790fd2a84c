/** Reads the tokens of one statement. Pure. */
import type { SqlToken } from '../sql-tokens.ts'

/** Walks over tokens of one statement. */
export class Reader {
  readonly #tokens: readonly SqlToken[]
  #at = 0

  constructor(tokens: readonly SqlToken[]) {
    this.#tokens = tokens
  }

  /** Steps over these words, if they come next. */
  take(...words: readonly string[]): boolean {
    const isNext = words.every((word, index) => isWord(this.#tokens[this.#at + index], word))
    if (isNext) this.#at += words.length
    return isNext
  }

  /** A name with its schema, in the case in which the server keeps it; undefined when there is none. */
  name(): string | undefined {
    const parts: string[] = []
    for (;;) {
      const token = this.#tokens[this.#at]
      if (!token || (token.kind !== 'word' && token.kind !== 'name')) return parts.length > 0 ? parts.join('.') : undefined
      parts.push(token.text)
      this.#at += 1
      if (this.#tokens[this.#at]?.text !== '.') return parts.join('.')
      this.#at += 1
    }
  }

  rest(): readonly SqlToken[] {
    return this.#tokens.slice(this.#at)
  }
}

export function isWord(token: SqlToken | undefined, word: string): boolean {
  return token?.kind === 'word' && token.text === word
}

/** Do these words stand somewhere in a row, outside parentheses? */
export function hasWords(tokens: readonly SqlToken[], ...words: readonly string[]): boolean {
  const depth = tokens[0]?.depth ?? 0
  return tokens.some((_, at) => words.every((word, index) => isWord(tokens[at + index], word) && tokens[at + index]?.depth === depth))
}

/** What commas outside parentheses divide. */
export function parts(tokens: readonly SqlToken[]): readonly (readonly SqlToken[])[] {
  const found: SqlToken[][] = [[]]
  const depth = tokens[0]?.depth ?? 0
  for (const token of tokens) {
    if (token.text === ',' && token.kind === 'symbol' && token.depth === depth) found.push([])
    else found.at(-1)?.push(token)
  }
  return found.filter((part) => part.length > 0)
}
