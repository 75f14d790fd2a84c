/** The content store as task kinds see it: a blob that is gone is a failure with a remedy, not a surprise. */
import type { ContentStore } from '../../cache/cache.ts'
import { digestOf } from '../../graph/fingerprint.ts'
import type { Digest } from '../../graph/types.ts'
import { TaskFailure } from '../../tasks/kind.ts'
import type { Content } from '../../tasks/ports.ts'

export function contentPort(store: ContentStore): Content {
  return {
    async write(bytes) {
      try {
        return await store.write(bytes)
      } catch (error) {
        const message = `the cache cannot be written: ${error instanceof Error ? error.message : String(error)}`
        throw new TaskFailure(
          { reason: 'refused', subject: 'cache', message, remedy: 'free some space, or set STAGECRAFT_CACHE_DIR' },
          { cause: error },
        )
      }
    },
    async read(digest) {
      const bytes = await store.read(digest)
      if (bytes) return bytes
      throw new TaskFailure({
        reason: 'missing-output',
        subject: digest,
        message: 'what an earlier task produced is no longer in the cache',
        remedy: 'run again: the task that makes it notices and runs',
      })
    },
  }
}

/** Reads what the store has; what is written is kept in memory only. */
export function memoryContent(store: ContentStore): Content {
  const written = new Map<Digest, Uint8Array>()
  const stored = contentPort(store)
  return {
    async write(bytes) {
      const digest = digestOf(bytes)
      written.set(digest, bytes)
      return digest
    },
    read: async (digest) => written.get(digest) ?? stored.read(digest),
  }
}
