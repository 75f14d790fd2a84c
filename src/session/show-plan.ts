/** `plan`, and `--dry-run` of everything that runs: what would happen and why. Looks at targets; touches nothing. */
import type { JsonObject, TaskGraph, TaskId } from '../../graph/types.ts'
import { type App, type ExitCode, exitCodes, type GlobalOptions, type Prediction } from '../contracts.ts'
import type { SavedPlan } from '../plans/saved-plan.ts'
import { type Predicted, predict } from '../predict.ts'
import { renderPlan } from '../ui/plan.ts'
import { decideColor } from '../ui/terminal.ts'
import type { SavedFile } from './hold-to-plan.ts'
import { noticesOf } from './notices.ts'
import type { Project } from './open-project.ts'
import { openWorld, type World } from './open-world.ts'
import { withoutCaches } from './without-caches.ts'

export interface PlanOptions {
  readonly format: 'text' | 'json'
  readonly online: boolean
  readonly force: (id: TaskId) => boolean
  /** False: as if no cache knew anything. */
  readonly caches?: boolean
  /** Where the plan is kept, and the words it was made with. */
  readonly out?: { readonly file: string; readonly options: SavedPlan['options'] }
  /** The plan that would be carried out. @throws InputError, TaskFailure when it cannot be any more. */
  readonly saved?: SavedFile
}

/** @returns 0, or 2 when something that was asked did not answer: a plan that could not look is no plan. */
export async function showPlan(
  graph: TaskGraph,
  project: Project,
  { format, online, force, caches = true, out, saved }: PlanOptions,
  globals: GlobalOptions,
  app: App,
): Promise<ExitCode> {
  const world = await openWorld(project, app, { graph, online, writes: false, makesKey: out !== undefined })
  try {
    if (saved) await (await import('./hold-to-plan.ts')).requireUnmoved(graph, project, saved, world)
    const predicted = await predict(graph, {
      ...(caches ? world.forPlan : withoutCaches(world.forPlan)),
      kinds: world.kinds,
      force,
      online,
    })
    const isBlind = [...predicted.values()].some(({ prediction }) => prediction.state === 'unknown')
    const interrupted = online && !isBlind && (await mayChangeHosts(graph, predicted, world)) ? await world.interruption() : []
    const text =
      format === 'json'
        ? `${JSON.stringify(planJson(graph, project, predicted, world.title, interrupted), null, 2)}\n`
        : planText(graph, project, predicted, world.title, interrupted, globals, app)
    app.stdout.write(world.redact(text))
    if (out && !isBlind) await keepPlan(graph, project, out, predicted, world, app)
    return online && isBlind ? exitCodes.world : exitCodes.done
  } finally {
    await world.close()
  }
}

async function keepPlan(
  graph: TaskGraph,
  project: Project,
  { file, options }: NonNullable<PlanOptions['out']>,
  predicted: ReadonlyMap<TaskId, Predicted>,
  world: World,
  app: App,
): Promise<void> {
  const [{ makePlan }, { writePlan }] = await Promise.all([import('./make-plan.ts'), import('./plan-file.ts')])
  await writePlan(file, await makePlan(graph, project, options, predicted, world), world.redact, app)
  app.stderr.write(`the plan is kept in ${file}; to carry it out: stagecraft deploy --plan ${file}\n`)
}

/** The deploy would take the lock: there is something to do, or a lock was left by somebody who is gone. Where nothing is, nobody is asked more. */
async function mayChangeHosts(graph: TaskGraph, predicted: ReadonlyMap<TaskId, Predicted>, { kinds, ports }: World): Promise<boolean> {
  const tasks = graph.order.map((id) => graph.task(id)).filter(({ kind }) => kinds.get(kind)?.exclusive === true)
  if (tasks.some(({ id }) => ['run', 'may-run'].includes(predictionOf(predicted, id).state))) return true
  const hosts = new Set(tasks.flatMap(({ id, params }) => (predictionOf(predicted, id).state === 'fresh' ? hostsOf(params) : [])))
  const looks = await Promise.all([...hosts].map((name) => ports.host(name).observe()))
  return looks.some(({ lock }) => lock !== undefined)
}

function planText(
  graph: TaskGraph,
  project: Project,
  predicted: ReadonlyMap<TaskId, Predicted>,
  title: Title,
  interrupted: readonly string[],
  globals: GlobalOptions,
  app: App,
): string {
  const { deployment, release } = project
  return renderPlan({
    heading:
      deployment.environment === ''
        ? { Project: deployment.project }
        : {
            Environment: deployment.environment,
            ...rollbackHeading(project),
            Version: release.version ?? 'unknown',
            Services: deployment.services.map(({ name }) => name).join(', ') || '(none)',
            Hosts: deployment.hosts.map(({ name }) => name).join(', ') || '(none)',
          },
    tasks: graph.order.map((id) => ({
      id,
      title: title(graph.task(id)),
      dependsOn: graph.dependencies(id),
      prediction: predictionOf(predicted, id),
    })),
    notices: [...interrupted, ...(project.rollback?.notices ?? []), ...noticesOf(graph, deployment, (id) => predictionOf(predicted, id))],
    warnings: project.warnings.map(({ message }) => message),
    verbose: globals.verbose,
    color: decideColor(globals.color, app.env, app.stdout),
  })
}

/** Where a rollback goes from and to: eligible, or there would be no plan. */
function rollbackHeading({ rollback, release }: Project): Readonly<Record<string, string>> {
  if (rollback === undefined) return {}
  const phases = 'build and push skipped (reuse_image), migrations skipped (rollback), rollout, finalize'
  return { From: rollback.from ?? '(no finished release)', 'Roll back to': rollback.to, Commit: release.commit ?? 'N/A', Phases: phases }
}

type Title = (task: ReturnType<TaskGraph['task']>) => string

/** Schema: spec/commands/plan.md. Arrays are always there; keys in a fixed order; nothing in it depends on time. */
function planJson(
  graph: TaskGraph,
  { deployment, release, rollback, warnings }: Project,
  predicted: ReadonlyMap<TaskId, Predicted>,
  title: Title,
  interrupted: readonly string[],
): JsonObject {
  return {
    schema_version: 1,
    env: deployment.environment || null,
    version: release.version ?? 'unknown',
    ...(rollback ? { rollback: { from: rollback.from ?? null, to: rollback.to, commit: release.commit ?? null } } : {}),
    tasks: graph.order.map((id) => {
      const task = graph.task(id)
      return {
        id,
        kind: task.kind,
        description: title(task),
        services: servicesOf(id),
        hosts: hostsOf(task.params),
        depends_on: [...graph.dependencies(id)],
        ...stateJson(predictionOf(predicted, id)),
      }
    }),
    notices: [...interrupted, ...(rollback?.notices ?? []), ...noticesOf(graph, deployment, (id) => predictionOf(predicted, id))],
    warnings: warnings.map(({ message }) => message),
  }
}

function stateJson(prediction: Prediction): JsonObject {
  switch (prediction.state) {
    case 'fresh':
      return { state: 'fresh', how: prediction.how ?? 'present', detail: prediction.detail }
    case 'run':
      return {
        state: 'run',
        reason: prediction.because.reason,
        detail: prediction.because.detail,
        ...(prediction.restoredFrom === undefined ? {} : { restored_from: prediction.restoredFrom }),
      }
    case 'may-run':
      return { state: 'may-run', waits_for: prediction.waitsFor }
    case 'unknown':
      return { state: 'unknown', detail: prediction.message }
  }
}

function predictionOf(predicted: ReadonlyMap<TaskId, Predicted>, id: TaskId): Prediction {
  const found = predicted.get(id)
  if (!found) throw new Error(`${id} was not predicted`)
  return found.prediction
}

const serviceKinds = new Set(['build', 'push', 'transfer', 'rollout'])

function servicesOf(id: TaskId): string[] {
  const [kind = '', rest = ''] = id.split(':')
  return serviceKinds.has(kind) ? [rest.split('@')[0] ?? ''] : []
}

function hostsOf(params: unknown): string[] {
  const { host, hosts } = (params ?? {}) as { readonly host?: string; readonly hosts?: readonly string[] }
  return host === undefined ? [...(hosts ?? [])] : [host]
}
