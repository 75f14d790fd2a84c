/** What applies migrations: one interface, whatever tool stands behind it. ADR 41. */
import type { TaskContext } from '../kind.ts'
import type { MigrationParams } from './params.ts'

/** One migration of the project, as an engine tells it apart from others. */
export interface Migration {
  /** Stable; decides the order where the engine has no other. */
  readonly id: string
  readonly description: string
  /** Sorted. */
  readonly tags: readonly string[]
  /** Where it is from: `raw:migrations`. */
  readonly source: string
  /** Of all that decides what it does. */
  readonly checksum: string
}

/**
 * - `pending`: the database does not know it.
 * - `applied`: it does.
 * - `drifted`: it does, and the migration is not what it was when it was applied.
 */
export type MigrationState = 'applied' | 'drifted' | 'pending'

export interface MigrationPlan {
  readonly engine: string
  /** All that is selected, in the order in which it would be applied. */
  readonly steps: readonly (Migration & { readonly state: MigrationState })[]
  /** Ids that the database has and the project does not. */
  readonly foreign: readonly string[]
}

/** What an engine acts through; a plan needs no lock and no release. */
export type LookingContext = Pick<TaskContext, 'log' | 'needs' | 'ports' | 'signal'>

/**
 * Failures are thrown as `TaskFailure`: `refused` for what is wrong with the migrations or what the database says no to, `unreachable` while
 * a database starts, `lock-held` when another run migrates. None of them tells a connection string.
 */
export interface MigrationEngine {
  readonly id: string
  /** What the manifest's migrations are. Asks no database. */
  list(params: MigrationParams, context: Pick<LookingContext, 'ports'>): Promise<readonly Migration[]>
  /** Looks at the database, and touches nothing. */
  plan(params: MigrationParams, context: LookingContext): Promise<MigrationPlan>
  /** Applies what is pending, in order, under a lock in the database; the first failure ends it. @returns ids that were applied. */
  apply(params: MigrationParams, context: TaskContext): Promise<readonly string[]>
}
