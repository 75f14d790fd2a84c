/** The Engine's way to carry two streams in one: 8 bytes (stream, 0, 0, 0, length), then as many bytes of that stream. Pure. */

export interface OutputPiece {
  readonly stream: 'stdout' | 'stderr'
  readonly bytes: Buffer
}

/** Takes chunks however they are cut, and gives bytes on at once: a frame need not be whole. */
export class OutputFrames {
  #header: Buffer = Buffer.alloc(0)
  #stream: OutputPiece['stream'] = 'stdout'
  #left = 0

  take(chunk: Buffer): readonly OutputPiece[] {
    const pieces: OutputPiece[] = []
    let rest = chunk
    while (rest.length > 0) {
      if (this.#left === 0) {
        const missing = 8 - this.#header.length
        this.#header = Buffer.concat([this.#header, rest.subarray(0, missing)])
        rest = rest.subarray(missing)
        if (this.#header.length < 8) break
        this.#stream = this.#header.readUInt8(0) === 2 ? 'stderr' : 'stdout'
        this.#left = this.#header.readUInt32BE(4)
        this.#header = Buffer.alloc(0)
        continue
      }
      const bytes = rest.subarray(0, this.#left)
      pieces.push({ stream: this.#stream, bytes })
      this.#left -= bytes.length
      rest = rest.subarray(bytes.length)
    }
    return pieces
  }
}
