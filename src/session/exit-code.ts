import type { Outcome, TaskId } from '../../graph/types.ts'
import { type ExitCode, exitCodes } from '../contracts.ts'

/**
 * What a run's outcomes mean to a script (ruling 3). A bug beats everything; then the interrupt; a world that refused is 10
 * when some hosts were rolled and others were not, else 2.
 * @param undone tasks that ran and were taken back: their hosts are as they were.
 * @param isPartial hosts that were wanted were left out: even a run that ended well is 10.
 */
export function exitCodeOf(
  outcomes: ReadonlyMap<TaskId, Outcome>,
  interrupted: boolean,
  { undone = new Set(), isPartial = false }: { readonly undone?: ReadonlySet<TaskId>; readonly isPartial?: boolean } = {},
): ExitCode {
  const failures = [...outcomes.values()].flatMap((outcome) => (outcome.status === 'failed' ? [outcome.failure] : []))
  if (failures.some(({ reason }) => reason === 'bug')) return exitCodes.bug
  const unfinished = [...outcomes.values()].some(({ status }) => status === 'failed' || status === 'canceled')
  if (interrupted && unfinished) return exitCodes.interrupted
  if (failures.length === 0) return unfinished ? exitCodes.world : isPartial ? exitCodes.partial : exitCodes.done
  return isMixed(outcomes, undone) ? exitCodes.partial : exitCodes.world
}

/** Some hosts carry the new release and some do not. */
function isMixed(outcomes: ReadonlyMap<TaskId, Outcome>, undone: ReadonlySet<TaskId>): boolean {
  const rollouts = [...outcomes].filter(([id]) => id.startsWith('rollout:'))
  const hostOf = (id: string) => id.split('@')[1] ?? ''
  const isBehind = ([id, { status }]: (typeof rollouts)[number]) => status === 'failed' || status === 'canceled' || undone.has(id)
  const behind = new Set(rollouts.filter(isBehind).map(([id]) => hostOf(id)))
  const changed = rollouts.filter(([id, { status }]) => status === 'ran' && !undone.has(id)).map(([id]) => hostOf(id))
  return changed.some((host) => !behind.has(host)) && behind.size > 0
}
