/** Where things lie in a cache's folder. */
import { join } from 'node:path'
import type { Digest, Fingerprint } from '../graph/types.ts'

/**
 * Blobs up to this size are files of ours; larger ones are cacache's. Measured: it takes 1.2-1.6 ms to put a blob whatever its size, a file 0.1-0.3 ms;
 * for large ones that no longer matters, and its streaming and verifying do (docs/adr/0017).
 */
export const smallBlobBytes = 256 * 1024

export const resultsFolder = 'results'
export const blobsFolder = 'blobs'
/** One small file for each process that has used something: `<host>.<pid>`. */
export const runningFolder = 'running'
/** When was collected last, and what was kept then. */
export const collectedFile = 'collected.json'
/** A line for each run since then: how many bytes it added. */
export const addedFile = 'added'

/** One flat folder: ext4 spreads new folders over the disk, and files in 256 of them took four times as long to make (measured, 1000 of each). */
export function resultPath(directory: string, key: Fingerprint): string {
  return join(directory, resultsFolder, key)
}

export function blobPath(directory: string, digest: Digest): string {
  return join(directory, blobsFolder, digest)
}

/** Key of a large blob in cacache's index: content that no key names is garbage to it. */
export function largeKey(digest: Digest): string {
  return `cas:${digest}`
}

/** Subresource Integrity form of a digest (https://www.w3.org/TR/SRI/). */
export function integrityOf(digest: Digest): string {
  return `sha256-${Buffer.from(digest, 'hex').toString('base64')}`
}
