import type { TaskGraph, TaskId } from '../../graph/types.ts'

/**
 * In which order tasks that could start do start: the one with the longest chain of dependents first, since the whole run waits for that
 * chain; ties by the graph's order. @returns each task's place, from 0.
 */
export function urgency(graph: TaskGraph): ReadonlyMap<TaskId, number> {
  const chain = new Map<TaskId, number>()
  for (const id of graph.order.toReversed()) {
    const own = (chain.get(id) ?? 0) + 1
    chain.set(id, own)
    for (const dependency of graph.dependencies(id)) chain.set(dependency, Math.max(chain.get(dependency) ?? 0, own))
  }
  // A sort is stable, so ties keep the graph's order.
  const first = [...graph.order].sort((a, b) => (chain.get(b) ?? 0) - (chain.get(a) ?? 0))
  return new Map(first.map((id, place) => [id, place]))
}
