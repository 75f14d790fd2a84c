/** Large blobs between the local cache and a store: through files, so that no size of theirs is a size of this process. */
import { createReadStream, mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { Digest } from '../graph/types.ts'
import { digestOfFile } from './blobs.ts'
import type { LocalCache } from './local.ts'

/** Larger blobs travel as files. */
export const heldBytes = 1024 ** 2

let counter = 0

/**
 * A name for a file, for as long as the work takes; what is there afterwards is removed. What a process that was killed leaves goes with the
 * strays of the cache: see `survey.ts`.
 */
export async function withTemporaryFile<T>({ directory }: LocalCache, work: (path: string) => Promise<T>): Promise<T> {
  const folder = join(directory, 'tmp')
  mkdirSync(folder, { recursive: true })
  const path = join(folder, `${process.pid}.${counter++}.blob`)
  try {
    return await work(path)
  } finally {
    rmSync(path, { force: true })
  }
}

/** Keeps a file, if it is what its name says. @throws the system's error when it cannot be read or kept. */
export async function keepFile({ content }: LocalCache, digest: Digest, path: string): Promise<boolean> {
  if ((await digestOfFile(path)) !== digest) return false
  await content.writeFile(path)
  return true
}

/** A file in pieces of `pieceBytes`, each of which begins with the last `overlapBytes` of the one before. */
export async function* overlapping(path: string, pieceBytes: number, overlapBytes: number): AsyncGenerator<Buffer> {
  let tail = Buffer.alloc(0)
  for await (const chunk of createReadStream(path, { highWaterMark: pieceBytes })) {
    const piece: Buffer = Buffer.concat([tail, chunk as Buffer])
    yield piece
    tail = Buffer.from(piece.subarray(Math.max(0, piece.length - overlapBytes)))
  }
}
