/** Reads a tar archive as it comes, one entry after another. */
import { paxSize, readTarHeader, tarBlock, tarPadding } from './tar-header.ts'

export interface TarEntry {
  readonly name: string
  readonly bytes: number
  /** Read it, or leave it: the next entry begins behind it in any case. */
  readonly body: AsyncIterable<Buffer>
}

/** Regular files only. @throws Error for what is no archive, and for one that breaks off. */
export async function* tarEntries(source: AsyncIterable<Buffer>): AsyncGenerator<TarEntry> {
  const reader = new ChunkReader(source)
  let size: number | undefined
  for (;;) {
    const header = readTarHeader(await reader.exactly(tarBlock))
    if (header === undefined) break
    const bytes = size ?? header.bytes
    size = undefined
    if (header.type === 'x') {
      size = paxSize((await reader.exactly(bytes)).toString('utf8'))
    } else {
      let left = bytes
      const body = async function* () {
        while (left > 0) {
          const chunk = await reader.atMost(left)
          left -= chunk.length
          yield chunk
        }
      }
      if (header.type === '0' || header.type === '7') yield { name: header.name, bytes, body: body() }
      while (left > 0) left -= (await reader.atMost(left)).length
    }
    await reader.exactly(tarPadding(bytes))
  }
  // Whoever writes into a pipe that nobody reads has failed.
  await reader.drain()
}

class ChunkReader {
  readonly #source: AsyncIterator<Buffer>
  #chunk: Buffer = Buffer.alloc(0)

  constructor(source: AsyncIterable<Buffer>) {
    this.#source = source[Symbol.asyncIterator]()
  }

  /** At least one byte. */
  async atMost(length: number): Promise<Buffer> {
    while (this.#chunk.length === 0) {
      const { done, value } = await this.#source.next()
      if (done) throw new Error('the archive breaks off')
      this.#chunk = value
    }
    const taken = this.#chunk.subarray(0, length)
    this.#chunk = this.#chunk.subarray(taken.length)
    return taken
  }

  async exactly(length: number): Promise<Buffer> {
    const parts: Buffer[] = []
    for (let left = length; left > 0; ) {
      const part = await this.atMost(left)
      parts.push(part)
      left -= part.length
    }
    return Buffer.concat(parts)
  }

  async drain(): Promise<void> {
    while (!(await this.#source.next()).done);
  }
}
