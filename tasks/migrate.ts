import { setTimeout as sleep } from 'node:timers/promises'
import { z } from 'zod'
import type { ActionResult, Phase } from '../graph/types.ts'
import { faultPoint } from './fault-point.ts'
import { defineTask, type Look, type TaskContext, TaskFailure } from './kind.ts'
import { readMigrations } from './migration-files.ts'
import type { AppliedMigration, Database, MigrationFile } from './ports.ts'

const params = z.lazy(() =>
  z.strictObject({
    /** Name in the manifest. */
    database: z.string(),
    /** Project-relative folder. */
    path: z.string(),
    table: z.string(),
    /** Variable that holds the connection string; named in messages, never its value. */
    connectionEnv: z.string(),
    /** How long to wait for a database that is still starting. */
    waitSeconds: z.number().int().nonnegative().default(30),
  }),
)
type Params = z.infer<typeof params>
export type MigrateParams = Params

/** Before any rollout: a failure leaves what is live untouched. */
export const migratePre = migrate('migrate_pre')
/** After the rollout is healthy: backfills and clean-ups. */
export const migratePost = migrate('migrate_post')

/**
 * Applies the SQL files that the database's own ledger does not know yet, in order, each with its row. No cache and no
 * fingerprint is asked: the database is. An applied file that was changed stops everything before anything is touched.
 */
function migrate(phase: Phase & ('migrate_pre' | 'migrate_post')) {
  return defineTask<Params>({
    name: phase,
    version: 1,
    summary: `applies pending SQL migrations ${phase === 'migrate_pre' ? 'before' : 'after'} the rollout, under a lock in the database`,
    freshness: 'effect',
    phase,
    pool: 'database',
    exclusive: true,
    params,
    title: ({ database }) => `migrate ${database}`,
    inputs: ({ path }) => ({ files: [{ root: path, include: ['*.[sS][qQ][lL]'] }] }),
    observe,
    run,
  })
}

async function observe({ database, path }: Params, context: TaskContext): Promise<Look> {
  const files = await readMigrations(context.ports.projectDirectory, path)
  let applied: readonly AppliedMigration[]
  try {
    const open = await context.ports.database(database)
    applied = await using(open, context, () => open.applied())
  } catch (error) {
    if (!isStarting(error)) throw error
    return { fresh: false, because: { reason: 'absent', detail: `database \`${database}\` does not answer yet` } }
  }
  const pending = compare(files, applied, database)
  if (pending.length > 0) {
    return {
      fresh: false,
      because: { reason: applied.length === 0 ? 'first-run' : 'drift', detail: `${pending.length} pending: ${list(pending)}` },
    }
  }
  logUnknown(files, applied, context)
  return { fresh: true, result: resultOf(files), detail: files.length === 0 ? 'no migrations' : 'nothing pending' }
}

async function run(parameters: Params, context: TaskContext): Promise<ActionResult> {
  const { database, path, waitSeconds } = parameters
  const files = await readMigrations(context.ports.projectDirectory, path)
  await context.guard()
  const open = await openWhenUp(database, waitSeconds, context)
  await using(open, context, () =>
    open.exclusively(async () => {
      const before = await open.applied()
      const pending = compare(files, before, database)
      logUnknown(files, before, context)
      faultPoint('migrate-locked', context)
      await applyAll(pending, open, context)
      const left = compare(files, await open.applied(), database)
      if (left.length > 0) throw notRecorded(database, left)
    }),
  )
  return resultOf(files)
}

/** Stops at the first failure, and says what stays. */
async function applyAll(pending: readonly MigrationFile[], database: Database, context: TaskContext): Promise<void> {
  const releaseId = pending.length > 0 ? await context.ports.release.id() : ''
  for (const [index, file] of pending.entries()) {
    try {
      if (context.signal.aborted) throw interrupted(file)
      await context.guard()
      context.log(`applying ${file.id}`)
      await database.apply(file, releaseId)
      faultPoint('migrate-applied', context)
    } catch (error) {
      throw withProgress(error, pending.slice(0, index), context.signal.aborted ? file : undefined)
    }
  }
}

function withProgress(error: unknown, done: readonly MigrationFile[], cut: MigrationFile | undefined): unknown {
  if (!(error instanceof TaskFailure)) return error
  const failure = cut ? interrupted(cut).failure : error.failure
  const progress = done.length === 0 ? 'no migration was applied before it' : `applied before it, and kept: ${list(done)}`
  return new TaskFailure({ ...failure, message: `${failure.message}\n${progress}` }, { cause: error })
}

/** Files to apply, in order. @throws TaskFailure when an applied one is not what it was. */
function compare(files: readonly MigrationFile[], applied: readonly AppliedMigration[], database: string): readonly MigrationFile[] {
  const checksums = new Map(applied.map(({ id, checksum }) => [id, checksum]))
  // Rows from before checksums say nothing of the content.
  const changed = files.filter((file) => checksums.get(file.id) && checksums.get(file.id) !== file.checksum)
  if (changed.length > 0) {
    throw new TaskFailure({
      reason: 'refused',
      subject: `database \`${database}\``,
      message: `changed after it was applied: ${list(changed)}`,
      remedy: 'restore the file as it was, and put the change into a new one',
    })
  }
  return files.filter((file) => !checksums.has(file.id))
}

/** Somebody else's branch, or a file that was removed: no reason to stop. */
function logUnknown(files: readonly MigrationFile[], applied: readonly AppliedMigration[], context: TaskContext): void {
  const unknown = applied.filter(({ id }) => !files.some((file) => file.id === id))
  if (unknown.length > 0) context.log(`applied earlier, and not in this project: ${list(unknown)}`)
}

/** Works, then closes; an abort hangs up, which cancels what the server is doing. */
async function using<T>(database: Database, context: TaskContext, work: () => Promise<T>): Promise<T> {
  let closing: Promise<void> | undefined
  const hangUp = () => {
    closing = database.close().catch(() => undefined)
  }
  context.signal.addEventListener('abort', hangUp, { once: true })
  try {
    return await work()
  } finally {
    context.signal.removeEventListener('abort', hangUp)
    await (closing ?? database.close())
  }
}

/** Right after its first start a database refuses connections for a while; anything else does not pass by waiting. */
async function openWhenUp(name: string, waitSeconds: number, context: TaskContext): Promise<Database> {
  const deadline = performance.now() + waitSeconds * 1000
  for (let delayMs = 100; ; delayMs = Math.min(delayMs * 2, 2_000)) {
    try {
      return await context.ports.database(name)
    } catch (error) {
      const remainingMs = deadline - performance.now()
      if (!isStarting(error) || remainingMs <= 0) throw error
      if (delayMs === 100) context.log(`waiting for database \`${name}\`: ${error.failure.message}`)
      await sleep(Math.min(delayMs, remainingMs), undefined, { signal: context.signal }).catch(() => undefined)
      if (context.signal.aborted) throw error
    }
  }
}

function isStarting(error: unknown): error is TaskFailure {
  return error instanceof TaskFailure && error.failure.reason === 'unreachable'
}

/** The same, whether applied just now or long ago: what comes after must not see a difference. */
function resultOf(files: readonly MigrationFile[]): ActionResult {
  return { files: {}, values: { applied: files.map((file) => file.id) } }
}

function list(items: readonly { readonly id: string }[]): string {
  const shown = items.slice(0, 5).map(({ id }) => id)
  return items.length > shown.length ? `${shown.join(', ')} (+${items.length - shown.length} more)` : shown.join(', ')
}

function interrupted(file: MigrationFile): TaskFailure {
  return new TaskFailure({ reason: 'interrupted', subject: file.id, message: 'interrupted before it was applied' })
}

function notRecorded(database: string, left: readonly MigrationFile[]): TaskFailure {
  return new TaskFailure({
    reason: 'refused',
    subject: `database \`${database}\``,
    message: `still pending after they were applied: ${list(left)}`,
    remedy: 'see whether a migration empties or replaces the ledger table',
  })
}
