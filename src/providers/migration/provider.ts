import type { Provider } from '../provider.ts'

/** A migration engine as the manifest sees it. */
export interface MigrationProvider<C = unknown> extends Provider<C> {
  readonly role: 'migration'
  /** Of an engine that runs a program: what a manifest need not say. Undefined: it is none. */
  readonly command?: {
    readonly argv?: readonly string[]
    /** Ends with 0 when nothing is pending. */
    readonly check?: readonly string[]
    /** Where its migrations usually are. */
    readonly path?: string
  }
}
