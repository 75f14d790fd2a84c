import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { namesIfThere } from './if-there.ts'
import { addedFile, blobsFolder, collectedFile, resultsFolder } from './layout.ts'

/**
 * Removes results and blobs, results first, and leaves whatever else lies in the folder: it may be shared, or be somebody's home by mistake.
 * A process that uses the cache meanwhile finds misses.
 */
export function clear(directory: string): void {
  const isOurs = (name: string): boolean =>
    [resultsFolder, blobsFolder, addedFile, collectedFile, 'collected', 'tmp'].includes(name) || /^(?:content|index)-v\d+$/.test(name)
  const names = namesIfThere(directory).filter(isOurs)
  for (const name of names.toSorted((a, b) => Number(b === resultsFolder) - Number(a === resultsFolder))) {
    rmSync(join(directory, name), { recursive: true, force: true, maxRetries: 3 })
  }
}
