/** The cache's contract: remembers results. `cache/` imports `graph/` and nothing else of ours. */
import type { Action, ActionResult, Digest, Fingerprint, TaskId } from '../graph/types.ts'

/** Blobs by digest (REAPI: content addressable storage). */
export interface ContentStore {
  has(digest: Digest): Promise<boolean>
  /** A corrupt or missing blob is undefined: a miss, never an exception. */
  read(digest: Digest): Promise<Uint8Array | undefined>
  write(bytes: Uint8Array): Promise<Digest>
  /**
   * Keeps a file of any size without holding it in memory. Stores that cannot leave it out: then its bytes are written.
   * @throws the system's error, also when the file changes meanwhile.
   */
  writeFile?(path: string): Promise<Digest>
  /**
   * Makes a file of a blob, of any size, at an absolute path that does not exist; what it holds has been verified. False when the blob is missing or
   * corrupt; then there is no file. Stores that cannot leave it out. @throws the system's error when the file cannot be written.
   */
  copyTo?(digest: Digest, path: string): Promise<boolean>
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
