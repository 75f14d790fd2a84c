import { Writable } from 'node:stream'

/** A stream that remembers what was written, each write apart. */
export class CapturedStream extends Writable {
  readonly writes: string[] = []
  /** Set to pass for a terminal. */
  isTTY = false
  columns = 80
  rows = 24

  get text(): string {
    return this.writes.join('')
  }

  override _write(chunk: Buffer | string, _encoding: string, done: () => void): void {
    this.writes.push(chunk.toString())
    done()
  }

  /** For what asks for a process's own stream. */
  asTerminal(): NodeJS.WriteStream {
    return this as unknown as NodeJS.WriteStream
  }
}
