/** Whether the hosts of a graph can be looked at. */
import type { TaskGraph } from '../../graph/types.ts'
import { kinds } from '../../tasks/index.ts'
import { TaskFailure } from '../../tasks/kind.ts'

/** Hosts that a task of the graph will look at. */
export function hostsOf(graph: TaskGraph): ReadonlySet<string> {
  const tasks = graph.order.map((id) => graph.task(id)).filter(({ kind }) => kinds.get(kind)?.freshness === 'effect')
  const names = tasks.map(({ params }) => (params as { readonly host?: unknown } | null)?.host)
  return new Set(names.filter((name) => typeof name === 'string'))
}

/** The first refusal, when all have answered. Throws what is none of a host's. */
export async function firstTrouble(asked: readonly Promise<unknown>[]): Promise<TaskFailure | undefined> {
  for (const look of await Promise.allSettled(asked)) {
    if (look.status === 'fulfilled') continue
    if (look.reason instanceof TaskFailure) return look.reason
    throw look.reason
  }
  return undefined
}
