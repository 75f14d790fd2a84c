import { readFileSync, writeFileSync } from 'node:fs'
import type { RemoteStore } from '../../cache/remote-store.ts'
import type { Digest, Fingerprint } from '../../graph/types.ts'

export interface MemoryStore extends RemoteStore {
  readonly entries: Map<Fingerprint, Uint8Array>
  readonly blobs: Map<Digest, Uint8Array>
  /** What was asked, in order: `readAction 0123456789ab`. */
  readonly calls: string[]
  /** Stands before every answer: may reject, or never settle. */
  before: (call: string) => Promise<void>
}

/** A remote store in memory that counts what it is asked. */
export function memoryStore(): MemoryStore {
  const entries = new Map<Fingerprint, Uint8Array>()
  const blobs = new Map<Digest, Uint8Array>()
  const calls: string[] = []
  const asked = async (method: string, name: string): Promise<void> => {
    const call = `${method} ${name.slice(0, 12)}`
    calls.push(call)
    await store.before(call)
  }
  const store: MemoryStore = {
    name: 'memory:',
    entries,
    blobs,
    calls,
    before: async () => {},
    async readAction(key) {
      await asked('readAction', key)
      return entries.get(key)
    },
    async writeAction(key, bytes) {
      await asked('writeAction', key)
      entries.set(key, bytes)
    },
    async hasBlob(digest) {
      await asked('hasBlob', digest)
      return blobs.has(digest)
    },
    async readBlob(digest) {
      await asked('readBlob', digest)
      return blobs.get(digest)
    },
    async downloadBlob(digest, path) {
      await asked('downloadBlob', digest)
      const bytes = blobs.get(digest)
      if (bytes !== undefined) writeFileSync(path, bytes)
      return bytes !== undefined
    },
    async writeBlob(digest, content) {
      await asked('writeBlob', digest)
      blobs.set(digest, 'path' in content ? readFileSync(content.path) : content)
    },
  }
  return store
}
