/** `deploy --plan`: looks whether all is as the plan says, under the lock too, and lets no task do what the plan does not say. */
import type { Task, TaskGraph } from '../../graph/types.ts'
import { TaskFailure, type TaskKind } from '../../tasks/kind.ts'
import { movedSince } from '../plans/moved.ts'
import type { PlannedTask, SavedPlan } from '../plans/saved-plan.ts'
import { predict } from '../predict.ts'
import { shortName } from '../ui/task-name.ts'
import { makePlan } from './make-plan.ts'
import type { Project } from './open-project.ts'
import type { World } from './open-world.ts'
import { refused } from './plan-file.ts'

export interface SavedFile {
  readonly plan: SavedPlan
  /** As the user wrote it. */
  readonly file: string
}

/** Asked before each task that is to start. @throws TaskFailure when the plan does not say so. */
export type PlanGate = (task: Task, kind: TaskKind, fingerprint: string) => void

/**
 * Looks twice: at first without the lock, so that a plan that is too old is refused without a trace, and again once nobody else can change
 * anything. A plan with nothing to do takes no lock.
 * @throws InputError when the project is not the one that was planned, TaskFailure when hosts are not.
 */
export async function holdToPlan(graph: TaskGraph, project: Project, saved: SavedFile, world: World): Promise<PlanGate> {
  await requireUnmoved(graph, project, saved, world)
  const isExclusive = (task: PlannedTask) => task.state !== 'fresh' && world.kinds.get(task.kind)?.exclusive === true
  if (saved.plan.tasks.some(isExclusive)) {
    await world.lock.hold()
    await requireUnmoved(graph, project, saved, world)
  }
  return gateOf(saved.plan)
}

/** @throws InputError, TaskFailure. */
export async function requireUnmoved(graph: TaskGraph, project: Project, { plan, file }: SavedFile, world: World): Promise<void> {
  const { project: name } = project.deployment
  if (plan.project !== name) throw refused('SC3073', `${file} is a plan of the project ${plan.project}, and this is ${name}`)
  const predicted = await predict(graph, { ...world.forPlan, kinds: world.kinds, force: () => false, online: true })
  const { inputs, world: moved } = movedSince(plan, await makePlan(graph, project, plan.options, predicted, world))
  const again = `look at \`stagecraft plan --env ${plan.environment}\`, and plan again with \`--out ${file}\``
  if (inputs.length > 0)
    throw refused('SC3075', `${file} is a plan of something else than this checkout; nothing was changed: ${again}`, inputs)
  if (moved.length === 0) return
  throw new TaskFailure({
    reason: 'refused',
    subject: plan.environment,
    message: `${plan.environment} is not any more as ${file} says; nothing was changed:\n${moved.map((what) => `  ${what}`).join('\n')}`,
    remedy: again,
  })
}

/** Pure but for what it throws. */
export function gateOf(plan: SavedPlan): PlanGate {
  const planned = new Map(plan.tasks.map((task) => [task.id, task]))
  return ({ id }, kind, fingerprint) => {
    const task = planned.get(id)
    const why = task ? against(task, kind, fingerprint) : 'is not in the plan'
    if (why === undefined) return
    throw new TaskFailure({
      reason: 'refused',
      subject: shortName(id),
      message: `${shortName(id)} ${why}; it was not started`,
      remedy: 'see what `stagecraft plan` says now, and plan again',
    })
  }
}

function against(task: PlannedTask, kind: TaskKind, fingerprint: string): string | undefined {
  if (kind.freshness === 'effect' && task.state === 'fresh') return `was up to date when it was planned (${task.detail}), and would run now`
  if (task.fingerprint !== undefined && task.fingerprint !== fingerprint) return 'would be made from something else than was planned'
  return undefined
}
