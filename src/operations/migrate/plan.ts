/** `stagecraft migrate plan`: what each database knows of the project's migrations. Touches nothing. */
import type { TaskId } from '../../../graph/types.ts'
import { TaskFailure } from '../../../tasks/kind.ts'
import type { MigrateParams } from '../../../tasks/migrate.ts'
import type { Migration, MigrationPlan, MigrationState } from '../../../tasks/migration/engine.ts'
import { engineOf } from '../../../tasks/migration/engines.ts'
import { selected } from '../../../tasks/migration/selection.ts'
import { type App, type DatabaseTarget, type ExitCode, exitCodes, type GlobalOptions } from '../../contracts.ts'
import { openWorld } from '../../session/open-world.ts'
import { openMigrations } from './open.ts'
import type { PlanInput } from './options.ts'
import { planJson, planText } from './plan-text.ts'

/** `unknown`: nobody was asked, or nobody answered. */
export type StepState = MigrationState | 'unknown'

export interface DatabasePlan {
  readonly target: Pick<DatabaseTarget, 'engine' | 'name' | 'path' | 'strategy'>
  readonly steps: readonly (Migration & { readonly state: StepState })[]
  readonly foreign: readonly string[]
  /** Why nothing is known of what was applied. */
  readonly unknown?: string
}

/** @returns 2 when a database that was asked did not answer; 1 with `--fail-if-pending` when there is something to do. @throws InputError */
export async function planMigrations(input: PlanInput, globals: GlobalOptions, app: App): Promise<ExitCode> {
  const { project, graph } = await openMigrations(input, { ids: input.ids, tags: input.tags }, { ...globals, dryRun: true }, app)
  const { environment, databases } = project.deployment
  const world = await openWorld(project, app, { graph, online: !input.offline, writes: false })
  try {
    const plans: DatabasePlan[] = []
    for (const target of databases) {
      const id = `migrate:${target.name}` as TaskId
      if (!graph.order.includes(id)) continue
      const { params } = graph.task(id)
      const context = { ports: world.forPlan.ports, needs: new Map(), signal: app.signal, log: () => {} } as const
      plans.push(await look(target, params as unknown as MigrateParams, context, input.offline))
    }
    app.stdout.write(world.redact(input.format === 'json' ? planJson(environment, plans) : planText(plans)))
    return exitCode(plans, input)
  } finally {
    await world.close()
  }
}

async function look(
  target: DatabaseTarget,
  params: MigrateParams,
  context: Parameters<ReturnType<typeof engineOf>['plan']>[1],
  offline: boolean,
): Promise<DatabasePlan> {
  const engine = engineOf(target.engine)
  const unknown = async (why: string): Promise<DatabasePlan> => {
    const steps = selected(await engine.list(params, context), params).map((one) => ({ ...one, state: 'unknown' as const }))
    return { target, steps, foreign: [], unknown: why }
  }
  if (offline) return unknown('not asked')
  try {
    const { steps, foreign }: MigrationPlan = await engine.plan(params, context)
    return { target, steps, foreign }
  } catch (error) {
    if (!(error instanceof TaskFailure) || !['unreachable', 'timeout'].includes(error.failure.reason)) throw error
    return unknown(error.failure.message)
  }
}

function exitCode(plans: readonly DatabasePlan[], { offline, failIfPending }: PlanInput): ExitCode {
  if (!offline && plans.some(({ unknown }) => unknown !== undefined)) return exitCodes.world
  const isDue = plans.some(({ steps }) => steps.some(({ state }) => state === 'pending' || state === 'drifted'))
  return failIfPending && isDue ? exitCodes.input : exitCodes.done
}
