/** Where the fleet is after a run that did not go all the way. Pure. */
import type { Outcome, TaskGraph, TaskId } from '../../graph/types.ts'

export interface FleetEnd {
  readonly graph: TaskGraph
  readonly outcomes: ReadonlyMap<TaskId, Outcome>
  readonly onFailure: 'rollback' | 'hold' | 'continue'
  /** Tasks that were taken back; undefined when that was not tried. */
  readonly undone?: ReadonlySet<TaskId>
  /** Tasks that should have been, and were not. */
  readonly stuck?: ReadonlySet<TaskId>
}

/** One line for all hosts that are in the same state, and what comes next. Empty when no rollout was due. */
export function fleetText(end: FleetEnd): string[] {
  const states = hostStates(end)
  const changed = [...states.values()].some((state) => state.startsWith('runs the new'))
  const isBehind = [...states.values()].some((state) => state.endsWith('before'))
  if (!isBehind) return []
  const byState = new Map<string, string[]>()
  for (const [host, state] of states) byState.set(state, [...(byState.get(state) ?? []), host])
  return [...[...byState].map(([state, hosts]) => `${hosts.join(', ')} ${plural(state, hosts.length)}`), ...nextWords(end, changed)]
}

function hostStates({ graph, outcomes, undone }: FleetEnd): Map<string, string> {
  const fresh = new Map<string, Set<string>>()
  const hosts = new Map<string, boolean>()
  for (const id of graph.order) {
    const outcome = outcomes.get(id)
    const [, service = '', host = ''] = /^rollout:([^@]*)@(.*)$/.exec(id) ?? []
    if (host === '' || !outcome) continue
    const isNew = outcome.status === 'ran' && !undone?.has(id)
    const isOld = outcome.status === 'failed' || outcome.status === 'canceled' || undone?.has(id) === true
    if (isNew) fresh.set(host, (fresh.get(host) ?? new Set()).add(service))
    if (isNew || isOld) hosts.set(host, (hosts.get(host) ?? false) || isOld)
  }
  return new Map(
    [...hosts].sort().map(([host, isBehind]) => {
      const services = [...(fresh.get(host) ?? [])].sort()
      if (services.length === 0) return [host, 'runs what it ran before']
      return [host, isBehind ? `runs the new ${services.join(', ')}, and the rest as before` : `runs the new ${services.join(', ')}`]
    }),
  )
}

function plural(state: string, hosts: number): string {
  return hosts === 1 ? state : state.replace(/^runs/, 'run').replace('it ran', 'they ran')
}

function nextWords({ graph, outcomes, onFailure, undone, stuck }: FleetEnd, changed: boolean): string[] {
  const migrated = graph.order.filter((id) => graph.task(id).kind.startsWith('migrate') && outcomes.get(id)?.status === 'ran')
  const schema = undone && migrated.length > 0 ? ['migrations that this run applied stay applied'] : []
  if (stuck && stuck.size > 0)
    return [...schema, 'not all of it could go back: `stagecraft deploy` brings the fleet forward again, once the cause is mended']
  if (undone) return schema
  if (!changed) return []
  const policy = onFailure === 'rollback' ? [] : [`rollout.on_failure is ${onFailure}: nothing was taken back`]
  return [...policy, '`stagecraft deploy` goes on from here']
}
