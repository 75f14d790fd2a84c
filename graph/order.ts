import { ReadyQueue } from './ready-queue.ts'
import type { Task, TaskId } from './types.ts'

/** Either every task in order, or a cycle from each knot of them; a cycle's members each depend on the next, the last on the first. */
export type Ordering =
  | { readonly order: readonly TaskId[]; readonly cycles?: undefined }
  | { readonly cycles: readonly (readonly TaskId[])[]; readonly order?: undefined }

/**
 * Kahn's algorithm without recursion; among tasks that are ready the smallest id comes first, so the order does not
 * depend on how the tasks were listed. Ids must be unique and every dependency known.
 */
export function orderTasks(tasks: ReadonlyMap<TaskId, Task>): Ordering {
  // Tasks are numbered by rank among the sorted ids: comparing numbers is what makes the queue fast.
  const ids = [...tasks.keys()].sort()
  const ranks = new Map(ids.map((id, rank) => [id, rank]))
  const dependencies = ids.map((id) => ranksOf(tasks.get(id), ranks))
  const dependents: number[][] = ids.map(() => [])
  dependencies.forEach((wanted, rank) => {
    for (const dependency of wanted) dependents[dependency]?.push(rank)
  })
  const waitsFor = Int32Array.from(dependencies, (wanted) => wanted.length)
  const placed = new Uint8Array(ids.length)
  const order: number[] = []

  const place = (starting: readonly number[]): void => {
    const ready = new ReadyQueue()
    const add = (rank: number): void => {
      placed[rank] = 1
      ready.push(rank)
    }
    starting.forEach(add)
    for (let rank = ready.pop(); rank !== undefined; rank = ready.pop()) {
      order.push(rank)
      for (const dependent of dependents[rank] as number[]) {
        const left = (waitsFor[dependent] as number) - 1
        waitsFor[dependent] = left
        if (left === 0 && placed[dependent] === 0) add(dependent)
      }
    }
  }

  place(dependencies.flatMap((wanted, rank) => (wanted.length === 0 ? [rank] : [])))
  const cycles: number[][] = []
  for (let rank = placed.indexOf(0); rank !== -1; rank = placed.indexOf(0, rank)) {
    const cycle = cycleBelow(rank, dependencies, placed)
    cycles.push(cycle)
    // Placing a cycle's members frees what merely waited for it, so the next one found is another.
    place(cycle)
  }
  const names = (members: readonly number[]): TaskId[] => members.map((rank) => ids[rank] as TaskId)
  return cycles.length === 0 ? { order: names(order) } : { cycles: cycles.map(names) }
}

function ranksOf(task: Task | undefined, ranks: ReadonlyMap<TaskId, number>): number[] {
  const wanted = task ? new Set([...task.needs, ...task.after]) : []
  return [...wanted].map((id) => ranks.get(id) as number).sort((a, b) => a - b)
}

/** Every task not placed has a dependency not placed, so following those must come back. Begins at its smallest member. */
function cycleBelow(start: number, dependencies: readonly (readonly number[])[], placed: Uint8Array): number[] {
  const path = new Map<number, number>()
  let rank = start
  while (!path.has(rank)) {
    path.set(rank, path.size)
    rank = dependencies[rank]?.find((dependency) => placed[dependency] === 0) as number
  }
  const cycle = [...path.keys()].slice(path.get(rank))
  const smallest = cycle.reduce((least, member) => Math.min(least, member))
  return [...cycle.slice(cycle.indexOf(smallest)), ...cycle.slice(0, cycle.indexOf(smallest))]
}
