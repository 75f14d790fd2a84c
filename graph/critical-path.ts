import type { TaskGraph, TaskId } from './types.ts'

export interface CriticalPath {
  /** From the first task to the last; empty for an empty graph. */
  readonly ids: readonly TaskId[]
  /** Sum of the weights along it. */
  readonly weight: number
}

/**
 * The chain of tasks, each waiting for the one before, whose weights add up to most: no run can be shorter, however many tasks run
 * side by side. Order-only dependencies make a task wait like any other, so they count. Of equal chains the one with more tasks is
 * taken, then the one whose last ids come first.
 * @param weightOf 0 or more; a duration in milliseconds, or 1 for every task.
 */
export function criticalPath(graph: TaskGraph, weightOf: (id: TaskId) => number): CriticalPath {
  const chains = new Map<TaskId, Chain>()
  let longest: Chain | undefined
  let last: TaskId | undefined
  for (const id of graph.order) {
    let chain: Chain = { weight: 0, length: 0 }
    for (const dependency of graph.dependencies(id)) {
      const before = chains.get(dependency)
      if (before && isLonger(before, chain)) chain = { ...before, previous: dependency }
    }
    const own: Chain = { ...chain, weight: chain.weight + weightOf(id), length: chain.length + 1 }
    chains.set(id, own)
    if (!longest || isLonger(own, longest)) [longest, last] = [own, id]
  }
  const ids: TaskId[] = []
  for (let id = last; id !== undefined; id = chains.get(id)?.previous) ids.push(id)
  return { ids: ids.reverse(), weight: longest?.weight ?? 0 }
}

interface Chain {
  readonly weight: number
  readonly length: number
  readonly previous?: TaskId
}

function isLonger(one: Chain, other: Chain): boolean {
  return one.weight > other.weight || (one.weight === other.weight && one.length > other.length)
}
