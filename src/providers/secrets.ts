/** Providers of secrets: places that values are kept in and copied between. */
import type { Provider, ProviderCall } from './provider.ts'

/** What became of each key, sorted, names only: no value is part of a result. */
export interface SyncReport {
  readonly added: readonly string[]
  readonly updated: readonly string[]
  readonly unchanged: readonly string[]
  /** Asked for, and not in the source. */
  readonly skipped: readonly string[]
}

export interface SecretsProvider<C = unknown> extends Provider<C> {
  readonly role: 'secrets'
  /**
   * Copies values from one place to another: an environment's name or a place the provider knows. No keys: all of the source. Never deletes.
   * Idempotent. @throws TaskFailure
   */
  sync(config: C, source: string, target: string, keys: readonly string[], call: ProviderCall): Promise<SyncReport>
}
