import { readFileSync, rmSync } from 'node:fs'
import { setImmediate } from 'node:timers/promises'
import { digestOf } from '../graph/fingerprint.ts'
import type { Digest } from '../graph/types.ts'
import { blobsOf } from './action-record.ts'
import { digestOfFile, loadCacache, removeLarge } from './blobs.ts'
import { codeOf } from './foreign.ts'
import { survey } from './survey.ts'

export interface Damage {
  /** A result's fingerprint or a blob's digest. */
  readonly name: string
  readonly what: 'result' | 'blob'
  /** Completes "was removed: it …". */
  readonly why: string
}

export interface Verified {
  readonly results: number
  readonly blobs: number
  readonly bytes: number
  readonly damaged: readonly Damage[]
}

export interface VerifyOptions {
  readonly signal?: AbortSignal
  /** False: only looks. */
  readonly removes?: boolean
}

/** Reads everything, and removes what is not what its name says, and results that lost a blob. What another process removes meanwhile is no damage. */
export async function verify(directory: string, { signal, removes = true }: VerifyOptions = {}): Promise<Verified> {
  const { results, blobs } = await survey(directory)
  const damaged: Damage[] = []
  const sound = new Map<Digest, number>()
  let bytes = 0
  let read = 0
  for (const { digest, path, sizeBytes, isLarge } of blobs.values()) {
    signal?.throwIfAborted()
    // Ctrl-C is heard in between.
    if (++read % 1000 === 0) await setImmediate()
    const found = await digestAt(path, isLarge).catch((error: unknown) => {
      if (codeOf(error) === 'ENOENT') return undefined
      throw error
    })
    if (found === undefined) continue
    bytes += sizeBytes
    if (found === digest) sound.set(digest, sizeBytes)
    else {
      if (isLarge && removes) await removeLarge(await loadCacache(), directory, digest)
      if (removes) rmSync(path, { force: true })
      damaged.push({ name: digest, what: 'blob', why: 'is not what its name says' })
    }
  }
  for (const { key, path, sizeBytes, record } of results) {
    bytes += sizeBytes
    const lost = record && blobsOf(record.result).find((digest) => sound.get(digest) !== record.sizes[digest])
    if (record && lost === undefined) continue
    if (removes) rmSync(path, { force: true })
    damaged.push({ name: key, what: 'result', why: record ? `lost its blob ${lost?.slice(0, 12)}` : 'is not a result of this version' })
  }
  return { results: results.length, blobs: blobs.size, bytes, damaged }
}

/** Opening a stream takes ten times as long as reading a small file. */
async function digestAt(path: string, isLarge: boolean): Promise<Digest> {
  return isLarge ? digestOfFile(path) : digestOf(readFileSync(path))
}
