/** Blobs by digest: small ones as files of ours, large ones in cacache (https://github.com/npm/cacache). See `layout.ts` for why. */
import { createHash } from 'node:crypto'
import { createReadStream, existsSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { copyFile, constants as fsConstants, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { digestOf } from '../graph/fingerprint.ts'
import type { Digest } from '../graph/types.ts'
import type { ContentStore } from './cache.ts'
import { codeOf, messageOf } from './foreign.ts'
import { blobPath, integrityOf, largeKey, smallBlobBytes } from './layout.ts'
import { replaceFile } from './replace-file.ts'
import { touch } from './touch.ts'

type Cacache = typeof import('cacache')

export interface BlobsOptions {
  readonly warn: (message: string) => void
  /** Called before something is used, and with what was added. */
  readonly used: (addedBytes: number) => void
  /** What was used before this is marked as used again, in milliseconds. */
  readonly openedMs: number
}

export interface Blobs extends ContentStore {
  writeFile(path: string): Promise<Digest>
  copyTo(digest: Digest, path: string): Promise<boolean>
  /** Bytes of a blob that is there; a blob of another size than `expected` is none, and is removed. */
  sizeOf(digest: Digest, expected?: number): Promise<number | undefined>
}

/** cacache is not loaded before a large blob is asked for. */
export async function loadCacache(): Promise<Cacache> {
  return (await import('cacache')).default
}

/** Drops a key with its whole index file; without the option cacache appends a tombstone, and the index only grows. */
export async function removeKey(cacache: Cacache, directory: string, key: string): Promise<void> {
  const removeEntry: (directory: string, key: string, options: { readonly removeFully: boolean }) => Promise<unknown> = cacache.rm.entry
  await removeEntry(directory, key, { removeFully: true })
}

export async function removeLarge(cacache: Cacache, directory: string, digest: Digest): Promise<void> {
  await removeKey(cacache, directory, largeKey(digest))
  await cacache.rm.content(directory, integrityOf(digest))
}

export function openBlobs(directory: string, { warn, used, openedMs }: BlobsOptions): Blobs {
  const mayHoldLarge = (): boolean => existsSync(join(directory, 'content-v2'))

  async function remove(digest: Digest): Promise<void> {
    rmSync(blobPath(directory, digest), { force: true })
    if (mayHoldLarge()) await removeLarge(await loadCacache(), directory, digest)
  }

  /** What a digest names must be what it says; what is not is removed. */
  async function discard(digest: Digest, why: string): Promise<void> {
    await remove(digest)
    warn(`blob ${digest.slice(0, 12)} in the cache cannot be used and has been removed: ${why}`)
  }

  function readSmall(digest: Digest): Uint8Array | undefined {
    try {
      return readFileSync(blobPath(directory, digest))
    } catch (error) {
      if (codeOf(error) === 'ENOENT') return undefined
      throw error
    }
  }

  async function sizeOf(digest: Digest, expected?: number): Promise<number | undefined> {
    const small = expected === undefined || expected <= smallBlobBytes
    let size = small ? sizeOfFile(blobPath(directory, digest)) : undefined
    if (size === undefined && (!small || mayHoldLarge())) {
      const present = await (await loadCacache()).get.hasContent(directory, integrityOf(digest))
      size = present ? present.size : undefined
    }
    if (size === undefined || expected === undefined || size === expected) return size
    await remove(digest)
    return undefined
  }

  function writeSmall(bytes: Uint8Array): Digest {
    const digest = digestOf(bytes)
    const path = blobPath(directory, digest)
    used(0)
    if (sizeOfFile(path) === bytes.byteLength) {
      touch(path, openedMs)
      return digest
    }
    replaceFile(path, bytes)
    used(bytes.byteLength)
    return digest
  }

  /** True when a whole large blob is there already; one that was cut off makes room, as cacache never overwrites content. */
  async function hasLarge(cacache: Cacache, digest: Digest, size: number): Promise<boolean> {
    used(0)
    const present = await cacache.get.hasContent(directory, integrityOf(digest))
    if (!present) return false
    const entry = await cacache.get.info(directory, largeKey(digest))
    if (present.size === size && entry) {
      touch(entry.path, openedMs)
      return true
    }
    if (present.size !== size) await cacache.rm.content(directory, integrityOf(digest))
    return false
  }

  async function copyLarge(digest: Digest, path: string): Promise<boolean> {
    if (!mayHoldLarge()) return false
    const cacache = await loadCacache()
    const entry = await cacache.get.info(directory, largeKey(digest))
    if (!entry) return false
    try {
      // A clone where the file system can, which takes no time and no space.
      await copyFile(entry.path, path, fsConstants.COPYFILE_EXCL | fsConstants.COPYFILE_FICLONE)
    } catch (error) {
      if (codeOf(error) === 'ENOENT' && !existsSync(entry.path)) return false
      rmSync(path, { force: true })
      throw error
    }
    if ((await digestOfFile(path)) === digest) return true
    rmSync(path, { force: true })
    await discard(digest, 'it is not what its name says')
    return false
  }

  return {
    sizeOf,
    has: async (digest) => (await sizeOf(digest)) !== undefined,

    async read(digest) {
      try {
        const bytes = readSmall(digest)
        if (bytes !== undefined) {
          if (digestOf(bytes) === digest) return bytes
          await discard(digest, 'it is not what its name says')
        }
        if (!mayHoldLarge()) return undefined
        const cacache = await loadCacache()
        const entry = await cacache.get.info(directory, largeKey(digest))
        // In one piece: cacache would hold it twice.
        const large = entry ? await readFile(entry.path) : await cacache.get.byDigest(directory, integrityOf(digest))
        if (digestOf(large) === digest) return large
        await discard(digest, 'it is not what its name says')
        return undefined
      } catch (error) {
        if (codeOf(error) === 'ENOENT') return undefined
        if (codeOf(error) === 'EINTEGRITY' || codeOf(error) === 'EBADSIZE') await discard(digest, messageOf(error))
        else warn(`blob ${digest.slice(0, 12)} in the cache cannot be used: ${messageOf(error)}`)
        return undefined
      }
    },

    async write(bytes) {
      if (bytes.byteLength <= smallBlobBytes) return writeSmall(bytes)
      const cacache = await loadCacache()
      const digest = digestOf(bytes)
      if (await hasLarge(cacache, digest, bytes.byteLength)) return digest
      await cacache.put(directory, largeKey(digest), Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength), {
        algorithms: ['sha256'],
      })
      used(bytes.byteLength)
      return digest
    },

    async writeFile(path) {
      const { size } = await stat(path)
      if (size <= smallBlobBytes) return writeSmall(readFileSync(path))
      const cacache = await loadCacache()
      const digest = await digestOfFile(path)
      if (await hasLarge(cacache, digest, size)) return digest
      // Read twice rather than held: what is there already need not be written, and a change in between is noticed.
      await pipeline(
        createReadStream(path),
        cacache.put.stream(directory, largeKey(digest), { algorithms: ['sha256'], integrity: integrityOf(digest), size }),
      )
      used(size)
      return digest
    },

    async copyTo(digest, path) {
      const bytes = readSmall(digest)
      if (bytes === undefined) return copyLarge(digest, path)
      if (digestOf(bytes) !== digest) {
        await discard(digest, 'it is not what its name says')
        return false
      }
      writeFileSync(path, bytes, { flag: 'wx' })
      return true
    },
  }
}

/** Of a regular file, in pieces. */
export async function digestOfFile(path: string): Promise<Digest> {
  const hasher = createHash('sha256')
  for await (const piece of createReadStream(path, { highWaterMark: 1024 * 1024 })) hasher.update(piece as Buffer)
  return hasher.digest('hex') as Digest
}

function sizeOfFile(path: string): number | undefined {
  return statSync(path, { throwIfNoEntry: false })?.size
}
