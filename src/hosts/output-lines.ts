import { StringDecoder } from 'node:string_decoder'

/**
 * Turns the chunks of one stream into whole lines, and keeps the last ones. A line is never cut, so that a secret in it can be
 * recognised: the cap is checked between lines, and the newest line stays however long it is.
 */
export class OutputLines {
  readonly #decoder = new StringDecoder('utf8')
  readonly #onLine: (line: string) => void
  readonly #limit: number
  #unfinished: string[] = []
  #kept: string[] = []
  #first = 0
  #length = 0

  /** @param limit how much to keep, in UTF-16 units; `onLine` gets lines without their ending. */
  constructor(limit: number, onLine: (line: string) => void) {
    this.#limit = limit
    this.#onLine = onLine
  }

  write(chunk: Buffer): void {
    const text = this.#decoder.write(chunk)
    let start = 0
    for (let end = text.indexOf('\n'); end !== -1; end = text.indexOf('\n', start)) {
      this.#finish(text.slice(start, end + 1))
      start = end + 1
    }
    if (start < text.length) this.#unfinished.push(text.slice(start))
  }

  /** The stream has ended: what is left is a line. */
  end(): void {
    const rest = this.#decoder.end()
    if (rest !== '' || this.#unfinished.length > 0) this.#finish(rest)
  }

  /** What was kept, line endings as they came. */
  text(): string {
    return this.#kept.slice(this.#first).join('')
  }

  #finish(end: string): void {
    const line = this.#unfinished.length === 0 ? end : this.#unfinished.join('') + end
    this.#unfinished = []
    this.#keep(line)
    this.#onLine(line.replace(/\r?\n$/, ''))
  }

  #keep(line: string): void {
    this.#kept.push(line)
    this.#length += line.length
    while (this.#length > this.#limit && this.#first < this.#kept.length - 1) {
      this.#length -= this.#kept[this.#first]?.length ?? 0
      this.#first += 1
    }
    // Dropping one by one from the front of an array would cost a copy each.
    if (this.#first > 1024 && this.#first * 2 > this.#kept.length) {
      this.#kept = this.#kept.slice(this.#first)
      this.#first = 0
    }
  }
}
