import { type Phase, phases } from '../../graph/types.ts'
import type { PhaseDetail, PhaseStatus } from './release.ts'

/** Where one task stands, as far as its phase cares. `skipped` means it was as wanted already. */
export interface TaskProgress {
  readonly phase: Phase
  readonly state: 'waiting' | 'running' | 'ran' | 'skipped' | 'failed' | 'canceled'
}

export interface PhaseView {
  readonly status: PhaseStatus
  readonly detail?: PhaseDetail
}

/** Why there are no tasks of a phase. */
export type SkipReasons = Readonly<Partial<Record<Phase, NonNullable<PhaseDetail['reason']>>>>

/**
 * The phases as a projection of their tasks: there is one scheduler, and it does not know phases.
 * A phase without tasks has nothing to do; one whose tasks were canceled was either kept from starting by a failure elsewhere,
 * or is where an interrupted run ended.
 */
export function phaseStatus(tasks: readonly TaskProgress[], skipped: SkipReasons = {}): Readonly<Record<Phase, PhaseView>> {
  let broken = tasks.some((task) => task.state === 'failed')
  const views = phases.map((phase) => {
    const view = viewOf(
      tasks.filter((task) => task.phase === phase).map((task) => task.state),
      broken,
      skipped[phase],
    )
    broken ||= view.status === 'failed'
    return [phase, view] as const
  })
  return Object.fromEntries(views) as Record<Phase, PhaseView>
}

function viewOf(states: readonly TaskProgress['state'][], broken: boolean, reason: SkipReasons[Phase] = 'not_configured'): PhaseView {
  const has = (state: TaskProgress['state']) => states.includes(state)
  const begun = has('running') || has('ran')
  if (states.length === 0) return { status: 'skipped', detail: { reason } }
  if (has('running') || has('waiting')) return { status: begun || has('failed') ? 'running' : 'pending' }
  if (has('failed')) return { status: 'failed' }
  if (!has('canceled')) return has('ran') ? { status: 'completed' } : { status: 'completed', detail: { cached: true } }
  if (!broken) return { status: 'failed', detail: { reason: 'cancelled' } }
  return { status: begun ? 'failed' : 'skipped', detail: { reason: 'upstream_failed' } }
}
