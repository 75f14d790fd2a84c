/** The cache's contract: remembers results. `cache/` imports `graph/` and nothing else of ours. */
import type { Action, ActionResult, Digest, Fingerprint, TaskId } from '../graph/types.ts'

/** Blobs by digest (REAPI: content addressable storage). */
export interface ContentStore {
  has(digest: Digest): Promise<boolean>
  /** A corrupt or missing blob is undefined: a miss, never an exception. */
  read(digest: Digest): Promise<Uint8Array | undefined>
  write(bytes: Uint8Array): Promise<Digest>
}

/** Results by fingerprint. */
export interface ActionCache {
  /** A hit only when every blob the result names is in the content store. */
  get(key: Fingerprint): Promise<ActionResult | undefined>
  /** Call after the result's blobs were written, never before. */
  set(key: Fingerprint, result: ActionResult): Promise<void>
}

export interface Cache {
  readonly name: 'local' | 'remote'
  readonly actions: ActionCache
  readonly content: ContentStore
}

/** The action each task last finished with in this checkout: what `explain` compares with. Never decides freshness. */
export interface ActionLog {
  last(id: TaskId): Promise<Action | undefined>
  record(id: TaskId, action: Action): Promise<void>
}
