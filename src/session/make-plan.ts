/** From what was predicted to a plan that can be kept: for `plan --out`, and for `deploy --plan`, which makes it again to compare. */
import { fingerprint } from '../../graph/fingerprint.ts'
import type { Task, TaskGraph, TaskId } from '../../graph/types.ts'
import { TaskFailure } from '../../tasks/kind.ts'
import type { Prediction } from '../contracts.ts'
import { inputsOf } from '../plans/inputs.ts'
import { pictureOf } from '../plans/picture.ts'
import { type PlannedTask, planFileVersion, type SavedPlan, savedPlanType } from '../plans/saved-plan.ts'
import type { Predicted } from '../predict.ts'
import { hostsOf } from './host-trouble.ts'
import type { Project } from './open-project.ts'
import type { World } from './open-world.ts'

/** @throws TaskFailure when something could not be looked at: that is no plan to hold anybody to. */
export async function makePlan(
  graph: TaskGraph,
  { deployment, release }: Project,
  options: SavedPlan['options'],
  predicted: ReadonlyMap<TaskId, Predicted>,
  world: World,
): Promise<SavedPlan> {
  const written = writtenBefore(graph, world)
  const tasks = await Promise.all(
    graph.order.map(async (id): Promise<PlannedTask> => {
      const task = graph.task(id)
      const kind = world.kinds.get(task.kind)
      const { prediction, action } = predicted.get(id) ?? {}
      if (!kind || !prediction) throw new Error(`${id} was not predicted`)
      return {
        id,
        kind: task.kind,
        description: world.title(task),
        depends_on: [...graph.dependencies(id)],
        effect: kind.freshness === 'effect',
        ...said(task, prediction),
        ...(action ? { fingerprint: fingerprint(action) } : {}),
        inputs: await inputsOf({ ...task, params: kind.params.parse(task.params) }, kind, world.forPlan, !written.has(id)),
      }
    }),
  )
  const names = [...hostsOf(graph)].sort()
  const hosts = await Promise.all(names.map(async (name) => [name, pictureOf(await world.ports.host(name).observe())] as const))
  return {
    schema_version: planFileVersion,
    type: savedPlanType,
    project: deployment.project,
    environment: deployment.environment,
    version: release.version ?? 'unknown',
    options,
    tasks,
    hosts: Object.fromEntries(hosts),
  }
}

function said({ id }: Task, prediction: Prediction): Pick<PlannedTask, 'state' | 'detail'> {
  switch (prediction.state) {
    case 'fresh':
      return { state: 'fresh', detail: prediction.detail }
    case 'run':
      return { state: 'run', detail: prediction.because.detail }
    case 'may-run':
      return { state: 'may-run', detail: `waits for ${prediction.waitsFor}` }
    case 'unknown':
      throw new TaskFailure({ reason: 'refused', subject: id, message: prediction.message })
  }
}

/** Tasks that come after one which writes into the project: what lies in their files now may be from any run. */
function writtenBefore(graph: TaskGraph, { kinds }: World): ReadonlySet<TaskId> {
  const found = new Set<TaskId>()
  const writes = (id: TaskId) => {
    const { kind, params } = graph.task(id)
    return (kinds.get(kind)?.writes?.(params) ?? []).length > 0
  }
  // Dependencies come first.
  for (const id of graph.order) if (graph.dependencies(id).some((before) => found.has(before) || writes(before))) found.add(id)
  return found
}
