/** Plain SQL files of a folder, applied over a connection of ours; the ledger in the database is the truth. */
import { faultPoint } from '../fault-point.ts'
import { type TaskContext, TaskFailure } from '../kind.ts'
import { readMigrations } from '../migration-files.ts'
import type { AppliedMigration, Database, MigrationFile } from '../ports.ts'
import { openWhenUp, using } from './connection.ts'
import type { LookingContext, MigrationEngine, MigrationPlan } from './engine.ts'
import type { MigrationParams } from './params.ts'
import { listIds, selected } from './selection.ts'

export const raw: MigrationEngine = {
  id: 'raw',
  async list({ path }, { ports }) {
    const files = await readMigrations(ports.projectDirectory, path)
    return files.map((file) => describe(file, path))
  },
  async plan(params, context) {
    const files = await readMigrations(context.ports.projectDirectory, params.path)
    const open = await context.ports.database(params.database)
    return compare(files, await using(open, context, () => open.applied()), params)
  },
  apply,
}

async function apply(params: MigrationParams, context: TaskContext): Promise<readonly string[]> {
  const { database, path, waitSeconds } = params
  const files = await readMigrations(context.ports.projectDirectory, path)
  await context.guard()
  const open = await openWhenUp(database, waitSeconds, context)
  return using(open, context, () =>
    open.exclusively(async () => {
      const plan = compare(files, await open.applied(), params)
      refuseDrift(plan, params)
      logForeign(plan, context)
      faultPoint('migrate-locked', context)
      const due = pendingOf(plan).slice(0, params.steps)
      const pending = due.flatMap(({ id }) => files.find((file) => file.id === id) ?? [])
      await applyAll(pending, open, context)
      const left = pendingOf(compare(files, await open.applied(), params)).filter(({ id }) => due.some((one) => one.id === id))
      if (left.length > 0) throw notRecorded(database, left)
      return due.map(({ id }) => id)
    }),
  )
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
  const progress = done.length === 0 ? 'no migration was applied before it' : `applied before it, and kept: ${listIds(done)}`
  return new TaskFailure({ ...failure, message: `${failure.message}\n${progress}` }, { cause: error })
}

/** Rows from before checksums say nothing of the content. */
function compare(files: readonly MigrationFile[], applied: readonly AppliedMigration[], params: MigrationParams): MigrationPlan {
  const checksums = new Map(applied.map(({ id, checksum }) => [id, checksum]))
  const steps = files.map((file) => {
    const known = checksums.get(file.id)
    const state = known === undefined ? 'pending' : known !== '' && known !== file.checksum ? 'drifted' : 'applied'
    return { ...describe(file, params.path), state } as const
  })
  const foreign = applied.map(({ id }) => id).filter((id) => !files.some((file) => file.id === id))
  return { engine: 'raw', steps: selected(steps, params), foreign }
}

function describe({ id, checksum, tags, transaction }: MigrationFile, path: string) {
  return { id, description: transaction ? 'in one transaction' : 'outside a transaction', tags, source: `raw:${path}`, checksum }
}

export function pendingOf({ steps }: MigrationPlan): MigrationPlan['steps'] {
  return steps.filter(({ state }) => state === 'pending')
}

/** @throws TaskFailure when an applied one is not what it was. */
export function refuseDrift({ steps }: MigrationPlan, { database, allowDrift }: MigrationParams): void {
  const changed = steps.filter(({ state }) => state === 'drifted')
  if (changed.length === 0 || allowDrift) return
  throw new TaskFailure({
    reason: 'refused',
    subject: `database \`${database}\``,
    message: `changed after it was applied: ${listIds(changed)}`,
    remedy: 'restore the file as it was, and put the change into a new one',
  })
}

/** Somebody else's branch, or a file that was removed: no reason to stop. */
export function logForeign({ foreign }: MigrationPlan, context: Pick<LookingContext, 'log'>): void {
  if (foreign.length > 0) context.log(`applied earlier, and not in this project: ${listIds(foreign.map((id) => ({ id })))}`)
}

function interrupted(file: MigrationFile): TaskFailure {
  return new TaskFailure({ reason: 'interrupted', subject: file.id, message: 'interrupted before it was applied' })
}

function notRecorded(database: string, left: readonly { readonly id: string }[]): TaskFailure {
  return new TaskFailure({
    reason: 'refused',
    subject: `database \`${database}\``,
    message: `still pending after they were applied: ${listIds(left)}`,
    remedy: 'see whether a migration empties or replaces the ledger table',
  })
}
