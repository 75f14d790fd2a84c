/** What a place that machines share must be able to do. Implementations: `cache/remote/*.ts`; who uses them: `cache/tiered.ts`. */
import type { Digest, Fingerprint } from '../graph/types.ts'

/** A blob that an entry names. */
export interface BlobReference {
  readonly digest: Digest
  /** In bytes. */
  readonly size: number
}

/** A blob that is too large to be held in memory. */
export interface BlobFile {
  readonly path: string
  readonly sizeBytes: number
}

/**
 * Bytes by name, and nothing more: what an entry says, who signed it and whether its blobs are what they claim is decided above.
 * Every method rejects with an Error whose message says what was asked of whom and what came back, and obeys its signal.
 */
export interface RemoteStore {
  /** For messages: `https://cache.example.com/shop`. Holds no secret. */
  readonly name: string
  /** Undefined when there is none. */
  readAction(key: Fingerprint, signal: AbortSignal): Promise<Uint8Array | undefined>
  /**
   * The blobs of the entry were written before.
   * @param blobs all that the entry names. A store whose blobs live only as long as something it can read names them (a registry) keeps
   *   these as long as the entry; other stores pass it over.
   */
  writeAction(key: Fingerprint, bytes: Uint8Array, signal: AbortSignal, blobs?: readonly BlobReference[]): Promise<void>
  hasBlob(digest: Digest, signal: AbortSignal): Promise<boolean>
  /**
   * Bytes as they came: the caller checks the digest.
   * @param size what its entry says: a store may stop reading, and reject, when more comes. Without it, at most what fits in memory.
   */
  readBlob(digest: Digest, signal: AbortSignal, size?: number): Promise<Uint8Array | undefined>
  /** As `readBlob`, into a file that is made, or emptied first; whatever becomes of it, the caller removes it. False when there is no blob. */
  downloadBlob(digest: Digest, path: string, signal: AbortSignal, size: number): Promise<boolean>
  writeBlob(digest: Digest, content: Uint8Array | BlobFile, signal: AbortSignal): Promise<void>
  /** Ends kept connections. Nothing may be asked afterwards. Without it, idle connections still do not keep the process alive. */
  close?(): Promise<void>
}
