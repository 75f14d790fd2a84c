import type { ActionResult, Phase } from '../graph/types.ts'
import { defineTask, type Look, type TaskContext, TaskFailure } from './kind.ts'
import { isStarting } from './migration/connection.ts'
import type { MigrationPlan } from './migration/engine.ts'
import { engineOf } from './migration/engines.ts'
import { type MigrationParams, migrationParams } from './migration/params.ts'
import { logForeign, pendingOf, refuseDrift } from './migration/raw.ts'
import { listIds } from './migration/selection.ts'

export type { MigrationParams as MigrateParams } from './migration/params.ts'

/** Before any rollout: a failure leaves what is live untouched. */
export const migratePre = migrate('migrate_pre', 'before the rollout')
/** After the rollout is healthy: backfills and clean-ups. What is live relies on them, so from here on nothing is taken back. */
export const migratePost = migrate('migrate_post', 'after the rollout')
/** By the command alone: part of no release. */
export const migrateAlone = migrate('migrate', 'by themselves')

/**
 * Applies the migrations that the database does not know yet, in order. No cache and no fingerprint is asked: the database is. An applied one
 * that was changed stops everything before anything is touched.
 */
function migrate(name: (Phase & ('migrate_pre' | 'migrate_post')) | 'migrate', when: string) {
  return defineTask<MigrationParams>({
    name,
    version: 2,
    summary: `applies pending migrations ${when}, under a lock in the database`,
    freshness: 'effect',
    ...(name === 'migrate' ? {} : { phase: name }),
    pool: 'database',
    exclusive: true,
    commits: name === 'migrate_post',
    params: migrationParams,
    title: ({ database }) => `migrate ${database}`,
    inputs: ({ path, command }) => ({
      files: [command ? { root: path } : { root: path, include: ['*.[sS][qQ][lL]'] }],
      ...(command && command.container === null && { environment: command.env }),
    }),
    observe,
    run: async (params, context) => {
      try {
        return await run(params, context)
      } catch (error) {
        throw name === 'migrate_post' ? afterRollout(error) : error
      }
    },
  })
}

async function observe(params: MigrationParams, context: TaskContext): Promise<Look> {
  const { database } = params
  let plan: MigrationPlan
  try {
    plan = await engineOf(params.engine).plan(params, context)
  } catch (error) {
    if (!isStarting(error)) throw error
    return { fresh: false, because: { reason: 'absent', detail: `database \`${database}\` does not answer yet` } }
  }
  refuseDrift(plan, params)
  const pending = pendingOf(plan)
  if (pending.length > 0) {
    const isFirst = pending.length === plan.steps.length && plan.foreign.length === 0
    return {
      fresh: false,
      because: { reason: isFirst ? 'first-run' : 'drift', detail: `${pending.length} pending: ${listIds(pending)}` },
    }
  }
  logForeign(plan, context)
  return { fresh: true, result: resultOf(plan.steps), detail: plan.steps.length === 0 ? 'no migrations' : 'nothing pending' }
}

async function run(params: MigrationParams, context: TaskContext): Promise<ActionResult> {
  const engine = engineOf(params.engine)
  await engine.apply(params, context)
  return resultOf(await engine.list(params, context))
}

/** The same, whether applied just now or long ago: what comes after must not see a difference. */
function resultOf(migrations: readonly { readonly id: string }[]): ActionResult {
  return { files: {}, values: { applied: migrations.map(({ id }) => id) } }
}

/** What is live now is the new release, and a rollback of it does not bring back the database. */
function afterRollout(error: unknown): unknown {
  if (!(error instanceof TaskFailure)) return error
  const remark = 'the new containers run, and the release is not finished; a rollback does not undo migrations'
  const remedy = error.failure.remedy ?? 'mend it and deploy again: what is rolled out stays, and the rest follows'
  return new TaskFailure({ ...error.failure, message: `${error.failure.message}\n${remark}`, remedy } as typeof error.failure, {
    cause: error,
  })
}
