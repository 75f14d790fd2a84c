/** The project's folder, and what Stagecraft was started with and keeps. */
import type { ActionResult, Digest } from '../../graph/types.ts'
import type { Restored } from '../kind.ts'

/** Files that tasks leave in the project folder. Patterns are project-relative globs; those that begin with `!` take away. */
export interface Outputs {
  /** Makes folders that literal patterns lie in, so that a command need not. */
  prepare(patterns: readonly string[]): Promise<void>
  /**
   * Puts everything the patterns match into the content store. `cwd` is the project-relative folder the task ran in, for messages.
   * @throws TaskFailure `missing-output` for a pattern that matches nothing.
   */
  capture(patterns: readonly string[], cwd?: string): Promise<Pick<ActionResult, 'files' | 'links' | 'folders'>>
  /** Is what the patterns match exactly the result's? Looks only. */
  isIntact(patterns: readonly string[], result: ActionResult): Promise<boolean>
  /** Makes it so, all or nothing. */
  restore(patterns: readonly string[], result: ActionResult): Promise<Restored>
}

/** The environment Stagecraft was started in. */
export interface Environment {
  /** Those that are set and match a name or a glob. */
  matching(patterns: readonly string[]): Readonly<Record<string, string>>
}

/** Values that must not be seen. Everything handed out here is redacted from every output stream. */
export interface Secrets {
  readonly names: readonly string[]
  /** @throws TaskFailure when it is not set. */
  get(name: string): string
  /** HMAC-SHA256 under the project's key, hex; `absent` when not set. */
  digest(name: string): string
}

/** The content store, as kinds see it. */
export interface Content {
  write(bytes: Uint8Array): Promise<Digest>
  /** @throws TaskFailure when a blob an earlier task produced is gone. */
  read(digest: Digest): Promise<Uint8Array>
}
