/**
 * Container output as the Engine sends it: frames of 8 bytes (stream, 0, 0, 0, length) and content
 * (https://docs.docker.com/reference/api/engine/, "ContainerAttach, stream format"); bare text when the container has a terminal. Pure.
 */

import type { OutputLine } from '../../tasks/ports.ts'

/** Lines of stdout and stderr in the order they were sent; the two streams do not cut into each other's lines. */
export function logLines(bytes: Buffer): readonly string[] {
  if (!isFramed(bytes)) return linesOf(bytes)
  const lines: string[] = []
  const unfinished = new Map<number, Buffer>()
  for (let offset = 0; offset + 8 <= bytes.length; ) {
    const stream = bytes.readUInt8(offset)
    const end = offset + 8 + bytes.readUInt32BE(offset + 4)
    const content = Buffer.concat([unfinished.get(stream) ?? Buffer.alloc(0), bytes.subarray(offset + 8, end)])
    const lineEnd = content.lastIndexOf('\n') + 1
    lines.push(...linesOf(content.subarray(0, lineEnd)))
    unfinished.set(stream, content.subarray(lineEnd))
    offset = end
  }
  for (const rest of unfinished.values()) lines.push(...linesOf(rest))
  return lines
}

/** No text begins with these bytes. */
function isFramed(bytes: Buffer): boolean {
  return bytes.length >= 8 && bytes.readUInt8(0) <= 2 && bytes.readUIntBE(1, 3) === 0
}

function linesOf(bytes: Buffer): string[] {
  if (bytes.length === 0) return []
  return bytes
    .toString('utf8')
    .replace(/\n$/, '')
    .split('\n')
    .map((line) => line.replace(/\r$/, ''))
}

/** More of one line than this is not kept: nobody reads it, and it must not fill our memory. */
export const longestLineBytes = 1_280 * 1024
/** As much of a line without an end the Engine records as one message; each begins with a time of its own. */
const messageBytes = 16 * 1024
const timeBytes = '2026-01-02T03:04:05.123456789Z '.length
const timePattern = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z $/

interface Unfinished {
  readonly at: string
  readonly parts: Buffer[]
  bytes: number
}

/** Output with times, taken in whatever pieces it comes in, as lines. A line that was recorded in several messages has the time of the first. */
export class OutputParser {
  #rest: Buffer = Buffer.alloc(0)
  #isFramed: boolean | undefined
  /** How much of `#rest` is known to hold no line end. */
  #searched = 0
  #lastAt = ''
  readonly #unfinished = new Map<OutputLine['stream'], Unfinished>()

  push(chunk: Buffer): readonly OutputLine[] {
    this.#rest = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk])
    // Text begins with a digit of its time.
    if (this.#rest.length > 0) this.#isFramed ??= this.#rest.readUInt8(0) <= 3
    const lines: OutputLine[] = []
    if (this.#isFramed) this.#takeFrames(lines)
    else this.#takeText(lines)
    return lines
  }

  /** The output has ended: what is left is a line. */
  end(): readonly OutputLine[] {
    const lines: OutputLine[] = []
    if (this.#isFramed === false && this.#rest.length > 0) this.#textLine(this.#rest, lines)
    this.#rest = Buffer.alloc(0)
    for (const stream of [...this.#unfinished.keys()].sort()) this.#finish(stream, lines)
    return lines
  }

  #takeFrames(lines: OutputLine[]): void {
    let offset = 0
    while (offset + 8 <= this.#rest.length) {
      const end = offset + 8 + this.#rest.readUInt32BE(offset + 4)
      if (end > this.#rest.length) break
      const stream = this.#rest.readUInt8(offset) === 1 ? 'stdout' : 'stderr'
      this.#message(stream, this.#rest.subarray(offset + 8, end), lines)
      offset = end
    }
    this.#rest = this.#rest.subarray(offset)
  }

  #message(stream: OutputLine['stream'], message: Buffer, lines: OutputLine[]): void {
    const { at, content } = this.#timed(message)
    let start = 0
    for (let end = content.indexOf(10); end !== -1; end = content.indexOf(10, start)) {
      this.#append(stream, at, content.subarray(start, end))
      this.#finish(stream, lines)
      start = end + 1
    }
    if (start < content.length) this.#append(stream, at, content.subarray(start))
  }

  #takeText(lines: OutputLine[]): void {
    let start = 0
    for (let end = this.#rest.indexOf(10, this.#searched); end !== -1; end = this.#rest.indexOf(10, start)) {
      this.#textLine(this.#rest.subarray(start, end), lines)
      start = end + 1
    }
    this.#rest = this.#rest.subarray(start)
    this.#searched = this.#rest.length
    if (this.#rest.length <= longestLineBytes * 2) return
    this.#rest = this.#rest.subarray(0, longestLineBytes * 2)
    this.#searched = this.#rest.length
  }

  /** A terminal's output has no frames: times within a long line are where the Engine cut it. */
  #textLine(line: Buffer, lines: OutputLine[]): void {
    const { at, content } = this.#timed(line)
    this.#append('stdout', at, content.subarray(0, messageBytes))
    for (let offset = messageBytes; offset < content.length; offset += messageBytes) {
      if (timePattern.test(content.toString('latin1', offset, offset + timeBytes))) offset += timeBytes
      this.#append('stdout', at, content.subarray(offset, offset + messageBytes))
    }
    this.#finish('stdout', lines)
  }

  #timed(message: Buffer): { readonly at: string; readonly content: Buffer } {
    const head = message.toString('latin1', 0, timeBytes)
    if (!timePattern.test(head)) return { at: this.#lastAt, content: message }
    this.#lastAt = head.slice(0, -1)
    return { at: this.#lastAt, content: message.subarray(timeBytes) }
  }

  #append(stream: OutputLine['stream'], at: string, part: Buffer): void {
    const unfinished = this.#unfinished.get(stream) ?? { at, parts: [], bytes: 0 }
    this.#unfinished.set(stream, unfinished)
    const room = longestLineBytes - unfinished.bytes
    // A copy: a small part must not keep the large chunk it came in.
    if (room > 0) unfinished.parts.push(Buffer.from(part.subarray(0, room)))
    unfinished.bytes += part.length
  }

  #finish(stream: OutputLine['stream'], lines: OutputLine[]): void {
    const unfinished = this.#unfinished.get(stream)
    if (unfinished === undefined) return
    this.#unfinished.delete(stream)
    const text = Buffer.concat(unfinished.parts).toString('utf8').replace(/\r$/, '')
    lines.push({ at: unfinished.at, stream, text })
  }
}
