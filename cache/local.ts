/**
 * The cache of one checkout, on cacache (https://github.com/npm/cacache). Two rules follow from how cacache works: every blob has a key
 * of its own, since content no key names is garbage to it, and a result is content, since an entry without content is a deletion.
 */
import { utimes } from 'node:fs/promises'
import type { CacheObject } from 'cacache'
import { digestOf } from '../graph/fingerprint.ts'
import type { ActionResult, Digest, Fingerprint } from '../graph/types.ts'
import { actionLogDirectory, openActionLog } from './action-log.ts'
import { type ActionRecord, blobsOf, parseRecord } from './action-record.ts'
import type { ActionCache, ActionLog, Cache, ContentStore } from './cache.ts'
import { codeOf, messageOf } from './foreign.ts'

export interface LocalCache extends Cache {
  readonly name: 'local'
  readonly directory: string
  readonly log: ActionLog
}

export interface LocalCacheOptions {
  /** Told of what was found damaged or could not be kept; such an entry is a miss. Default: nobody. */
  readonly warn?: (message: string) => void
}

type Cacache = typeof import('cacache')

/** Key of a blob in cacache's index. */
export const blobKey = (digest: Digest): string => `cas:${digest}`
/** Key of a result in cacache's index. */
export const resultKey = (fingerprint: Fingerprint): string => `action:${fingerprint}`

/**
 * Opens the cache in `directory`, which need not exist. Nothing is read, and cacache is not loaded, before the first question.
 * Any number of processes may use one directory at once.
 */
export function openLocalCache(directory: string, options: LocalCacheOptions = {}): LocalCache {
  const warn = options.warn ?? (() => {})
  let loaded: Promise<Cacache> | undefined
  const load = (): Promise<Cacache> => {
    loaded ??= import('cacache').then((module) => module.default)
    return loaded
  }
  const content = openContent(directory, load, warn)
  return {
    name: 'local',
    directory,
    content,
    actions: openActions(directory, load, warn),
    log: openActionLog(actionLogDirectory(directory), warn),
  }
}

function openContent(directory: string, load: () => Promise<Cacache>, warn: (message: string) => void): ContentStore {
  return {
    async has(digest) {
      const cacache = await load()
      return (await cacache.get.hasContent(directory, integrityOf(digest))) !== false
    },

    async read(digest) {
      const cacache = await load()
      try {
        return await cacache.get.byDigest(directory, integrityOf(digest))
      } catch (error) {
        if (codeOf(error) === 'ENOENT') return undefined
        const damaged = codeOf(error) === 'EINTEGRITY' || codeOf(error) === 'EBADSIZE'
        if (damaged) await cacache.rm.content(directory, integrityOf(digest))
        warn(`blob ${digest.slice(0, 12)} in the cache cannot be used${damaged ? ' and has been removed' : ''}: ${messageOf(error)}`)
        return undefined
      }
    },

    async write(bytes) {
      const cacache = await load()
      const digest = digestOf(bytes)
      const integrity = integrityOf(digest)
      const present = await cacache.get.hasContent(directory, integrity)
      if (present && present.size === bytes.byteLength) {
        const entry = await cacache.get.info(directory, blobKey(digest))
        // Seen to be in use, so that a collection running now leaves it alone.
        if (entry && (await touch(entry.path))) return digest
      }
      // cacache never overwrites content, not even what does not match its name.
      if (present && present.size !== bytes.byteLength) await cacache.rm.content(directory, integrity)
      await cacache.put(directory, blobKey(digest), Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength), {
        algorithms: ['sha256'],
      })
      return digest
    },
  }
}

function openActions(directory: string, load: () => Promise<Cacache>, warn: (message: string) => void): ActionCache {
  /** The result behind a key, or why what is there cannot be used. */
  const look = async (cacache: Cacache, key: Fingerprint, entry: CacheObject): Promise<ActionResult | { readonly unusable: string }> => {
    const record = parseRecord((await cacache.get.byDigest(directory, entry.integrity)).toString('utf8'), key)
    if (!record) return { unusable: 'it is not a result of this task' }
    for (const digest of blobsOf(record.result)) {
      const present = await cacache.get.hasContent(directory, integrityOf(digest))
      if (!present) return { unusable: `blob ${digest.slice(0, 12)} is gone` }
      if (present.size === record.sizes[digest]) continue
      await cacache.rm.content(directory, integrityOf(digest))
      return { unusable: `blob ${digest.slice(0, 12)} has the wrong size` }
    }
    await touch(entry.path)
    return record.result
  }
  return {
    async get(key) {
      try {
        const cacache = await load()
        const entry = await cacache.get.info(directory, resultKey(key))
        if (!entry) return undefined
        const found = await look(cacache, key, entry).catch((error: unknown) => ({ unusable: messageOf(error) }))
        if (!('unusable' in found)) return found
        warn(`result ${key.slice(0, 12)} in the cache cannot be used and is removed: ${found.unusable}`)
        await removeEntry(cacache, directory, resultKey(key))
        await cacache.rm.content(directory, entry.integrity)
      } catch (error) {
        warn(`the cache in ${directory} cannot be used: ${messageOf(error)}`)
      }
      return undefined
    },

    async set(key, result) {
      try {
        const cacache = await load()
        const sizes: Record<Digest, number> = {}
        for (const digest of blobsOf(result)) {
          const present = await cacache.get.hasContent(directory, integrityOf(digest))
          if (!present) throw new Error(`blob ${digest.slice(0, 12)} is not in the cache`)
          sizes[digest] = present.size
        }
        const record: ActionRecord = { schema: 1, fingerprint: key, result, sizes }
        await cacache.put(directory, resultKey(key), JSON.stringify(record), { algorithms: ['sha256'] })
      } catch (error) {
        // What was made is still good: only the next run is slower for it.
        warn(`result ${key.slice(0, 12)} was not kept: ${messageOf(error)}`)
      }
    },
  }
}

/** Drops a key with its whole index file; without the option cacache appends a tombstone, and the index only grows. */
export async function removeEntry(cacache: Cacache, directory: string, key: string): Promise<void> {
  const remove: (directory: string, key: string, options: { readonly removeFully: boolean }) => Promise<unknown> = cacache.rm.entry
  await remove(directory, key, { removeFully: true })
}

/** Subresource Integrity form of a digest (https://www.w3.org/TR/SRI/). */
function integrityOf(digest: Digest): string {
  return `sha256-${Buffer.from(digest, 'hex').toString('base64')}`
}

/** Marks content as used now, which is what its age is counted from. @returns false when it is not there or not ours to mark. */
async function touch(path: string): Promise<boolean> {
  const now = new Date()
  return utimes(path, now, now).then(
    () => true,
    () => false,
  )
}
