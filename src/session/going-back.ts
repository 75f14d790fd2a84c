/** After a deploy that failed: what was swapped in this run goes back, when the environment says so. ADR 28. */
import type { Outcome, TaskGraph, TaskId } from '../../graph/types.ts'
import type { TaskKind } from '../../tasks/kind.ts'
import type { App } from '../contracts.ts'
import { type TakenBack, takable, takeBack } from '../execution/take-back.ts'
import { shortName } from '../ui/task-name.ts'
import type { Project } from './open-project.ts'
import type { World } from './open-world.ts'
import { unrecorded } from './recording.ts'

/** @returns undefined when there was nothing to take back, or nothing was to be. */
export async function goBack(
  graph: TaskGraph,
  outcomes: ReadonlyMap<TaskId, Outcome>,
  kinds: ReadonlyMap<string, TaskKind>,
  { deployment }: Project,
  world: World,
  app: App,
): Promise<TakenBack | undefined> {
  const hasFailed = [...outcomes.values()].some(({ status }) => status === 'failed')
  // Whoever interrupts wants an end, not more work: the next deploy goes on from here.
  if (!hasFailed || app.signal.aborted || deployment.fleet.onFailure !== 'rollback') return undefined
  const before = world.lock.isHeld ? world.journal.left() : new Map()
  const ids = takable(graph, outcomes, kinds, before)
  if (!ids.some((id) => graph.task(id).kind === 'rollout') || !(await hasEarlierRelease(deployment.primaryHost, world))) return undefined
  const say = (line: string, id: TaskId) => void app.stderr.write(`${world.redact(`↩ ${shortName(id)}: ${line}`)}\n`)
  app.stderr.write(`↩ going back to what ran before ${before.size > 0 ? 'the run that was not finished' : 'this run'}\n`)
  const { assessor, scope, lock, redact } = world
  const ports = { ...world.ports, release: unrecorded }
  return takeBack(ids, graph, outcomes, {
    ...assessor,
    scope,
    lock,
    redact,
    ports,
    kinds,
    signal: app.signal,
    say,
    before,
    journal: world.journal,
  })
}

/** Where nothing was ever finished there is nothing to go back to: what came up may as well stay for the next try. */
async function hasEarlierRelease(primaryHost: string | undefined, world: World): Promise<boolean> {
  if (primaryHost === undefined) return false
  return (await world.ports.host(primaryHost).observe()).release !== undefined
}
