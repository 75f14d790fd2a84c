import { StringDecoder } from 'node:string_decoder'

/** The longest line that is passed on, in UTF-16 units. */
const longestLine = 64 * 1024
/** Text beyond the cut that is looked at nevertheless, so that a secret that lies across it is struck out whole. */
const lookAhead = 16 * 1024

/**
 * Turns the bytes of one stream into whole lines in bounded memory. What a progress bar draws over with carriage returns is one line: its last
 * state. Bytes that are no UTF-8 become U+FFFD; nothing else is changed.
 */
export class ProgramLines {
  readonly #decoder = new StringDecoder('utf8')
  readonly #onLine: (line: string) => void
  readonly #redact: (text: string) => string
  #unfinished = ''
  /** A carriage return at the end of a chunk: the first half of a line ending, or the start of a new state. */
  #returns = false

  constructor(redact: (text: string) => string, onLine: (line: string) => void) {
    this.#redact = redact
    this.#onLine = onLine
  }

  write(chunk: Buffer): void {
    const text = this.#decoder.write(chunk)
    let start = 0
    for (let end = text.indexOf('\n'); end !== -1; end = text.indexOf('\n', start)) {
      this.#append(text.slice(start, end))
      this.#finish()
      start = end + 1
    }
    if (start < text.length) this.#append(text.slice(start))
  }

  /** The stream has ended: what is left is a line. */
  end(): void {
    this.#append(this.#decoder.end())
    if (this.#unfinished !== '') this.#finish()
  }

  #append(text: string): void {
    if (text === '') return
    const visible = text.replace(/\r+$/, '')
    // Nothing but returns draws nothing.
    if (visible === '') {
      this.#returns = true
      return
    }
    const redrawn = visible.lastIndexOf('\r')
    if (this.#returns || redrawn !== -1) this.#unfinished = ''
    this.#returns = visible.length < text.length
    const room = longestLine + lookAhead - this.#unfinished.length
    if (room > 0) this.#unfinished += visible.slice(redrawn + 1, redrawn + 1 + room)
  }

  #finish(): void {
    const line = this.#redact(this.#unfinished)
    this.#unfinished = ''
    this.#returns = false
    this.#onLine(line.length > longestLine ? `${line.slice(0, longestLine)}… (cut)` : line)
  }
}
