import type { Outcome, TaskId } from '../../graph/types.ts'
import { type ExitCode, exitCodes } from '../contracts.ts'

/**
 * What a run's outcomes mean to a script (ruling 3). A bug beats everything; then the interrupt; a world that refused is 10
 * when some hosts were rolled and others were not, else 2.
 */
export function exitCodeOf(outcomes: ReadonlyMap<TaskId, Outcome>, interrupted: boolean): ExitCode {
  const failures = [...outcomes.values()].flatMap((outcome) => (outcome.status === 'failed' ? [outcome.failure] : []))
  if (failures.some(({ reason }) => reason === 'bug')) return exitCodes.bug
  const unfinished = [...outcomes.values()].some(({ status }) => status === 'failed' || status === 'canceled')
  if (interrupted && unfinished) return exitCodes.interrupted
  if (failures.length === 0) return unfinished ? exitCodes.world : exitCodes.done
  return isPartial(outcomes) ? exitCodes.partial : exitCodes.world
}

/** Some hosts carry the new release and some do not. */
function isPartial(outcomes: ReadonlyMap<TaskId, Outcome>): boolean {
  const rollouts = [...outcomes].filter(([id]) => id.startsWith('rollout:'))
  const hostOf = (id: string) => id.split('@')[1] ?? ''
  const behind = new Set(rollouts.filter(([, { status }]) => status === 'failed' || status === 'canceled').map(([id]) => hostOf(id)))
  const changed = rollouts.filter(([, { status }]) => status === 'ran').map(([id]) => hostOf(id))
  return changed.some((host) => !behind.has(host)) && behind.size > 0
}
