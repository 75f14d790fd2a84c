import type { Outcome, TaskId } from '../../graph/types.ts'
import { type ExitCode, exitCodes } from '../contracts.ts'
import type { TakenBack } from '../execution/take-back.ts'

/**
 * What a run's outcomes mean to a script (ruling 3). A bug beats everything; then the interrupt; a world that refused is 10
 * when some hosts were rolled and others were not, else 2.
 * @param undone tasks that ran and were taken back: their hosts are as they were.
 * @param failed tasks that were to be taken back and were not. One may have had nothing to do: an earlier run had rolled its host.
 * @param isPartial hosts that were wanted were left out: even a run that ended well is 10.
 */
export function exitCodeOf(
  outcomes: ReadonlyMap<TaskId, Outcome>,
  interrupted: boolean,
  { undone = new Set(), failed = new Map(), isPartial = false }: Partial<TakenBack> & { readonly isPartial?: boolean } = {},
): ExitCode {
  const failures = [...outcomes.values()].flatMap((outcome) => (outcome.status === 'failed' ? [outcome.failure] : []))
  if (failures.some(({ reason }) => reason === 'bug')) return exitCodes.bug
  const unfinished = [...outcomes.values()].some(({ status }) => status === 'failed' || status === 'canceled')
  if (interrupted && unfinished) return exitCodes.interrupted
  if (failures.length === 0) return unfinished ? exitCodes.world : isPartial ? exitCodes.partial : exitCodes.done
  return isMixed(outcomes, { undone, failed }) ? exitCodes.partial : exitCodes.world
}

/** Some hosts carry the new release and some do not. */
function isMixed(outcomes: ReadonlyMap<TaskId, Outcome>, { undone, failed }: TakenBack): boolean {
  const rollouts = [...outcomes].filter(([id]) => id.startsWith('rollout:'))
  const hostOf = (id: string) => id.split('@')[1] ?? ''
  const isBehind = ([id, { status }]: (typeof rollouts)[number]) => status === 'failed' || status === 'canceled' || undone.has(id)
  const behind = new Set(rollouts.filter(isBehind).map(([id]) => hostOf(id)))
  const isAhead = ([id, { status }]: (typeof rollouts)[number]) =>
    (status === 'ran' && !undone.has(id)) || (status === 'skipped' && failed.has(id))
  const changed = rollouts.filter(isAhead).map(([id]) => hostOf(id))
  return changed.some((host) => !behind.has(host)) && behind.size > 0
}
