/** Lists of targets have an order for what touches anything outside this machine, and for nothing else (ADR 15). Pure. */
import { orderTasks } from '../../graph/order.ts'
import type { Task, TaskId } from '../../graph/types.ts'

/**
 * Lets every outward task of a target wait, order only, for all targets listed before it. What already belongs to an earlier target, or
 * comes before it, is not held back; so an edge only ever leads from later in a list to earlier, and no cycle can come of it.
 * @param lists tasks of each target, in the order of the list; inner lists before those that contain them.
 */
export function withOutwardOrder(
  tasks: readonly Task[],
  lists: readonly (readonly (readonly TaskId[])[])[],
  isOutward: (task: Task) => boolean,
): Task[] {
  const known = new Map(tasks.map((task) => [task.id, task]))
  // Dependencies that are not there, and tasks that wait for each other, are told of when the graph is made.
  if (tasks.some((task) => dependenciesOf(task).some((id) => !known.has(id)))) return [...tasks]
  for (const list of lists) {
    const { order } = orderTasks(known)
    if (!order) break
    orderList(list, order, known, isOutward)
  }
  return [...known.values()]
}

function orderList(
  list: readonly (readonly TaskId[])[],
  order: readonly TaskId[],
  known: Map<TaskId, Task>,
  isOutward: (task: Task) => boolean,
): void {
  const earlier = new Set<TaskId>()
  for (const ids of list) {
    const own = [...closure(ids, known)].filter((id) => !earlier.has(id))
    const ends = endsOf(earlier, known)
    if (ends.length > 0) for (const id of firstOutward(new Set(own), order, known, isOutward)) addAfter(id, ends, known)
    for (const id of own) earlier.add(id)
  }
}

/** Outward tasks that wait for no other: those behind them need no edge of their own. */
function firstOutward(
  own: ReadonlySet<TaskId>,
  order: readonly TaskId[],
  known: ReadonlyMap<TaskId, Task>,
  isOutward: (task: Task) => boolean,
): TaskId[] {
  const outwardOrBehind = new Set<TaskId>()
  return order.filter((id) => {
    const task = own.has(id) ? known.get(id) : undefined
    if (!task) return false
    const isBehind = dependenciesOf(task).some((dependency) => outwardOrBehind.has(dependency))
    if (isBehind || isOutward(task)) outwardOrBehind.add(id)
    return !isBehind && isOutward(task)
  })
}

/** Those that no other of the set waits for: when they have ended, all have. */
function endsOf(ids: ReadonlySet<TaskId>, known: ReadonlyMap<TaskId, Task>): TaskId[] {
  const inner = new Set([...ids].flatMap((id) => dependenciesOf(known.get(id))))
  return [...ids].filter((id) => known.has(id) && !inner.has(id)).sort()
}

function addAfter(id: TaskId, ends: readonly TaskId[], known: Map<TaskId, Task>): void {
  const task = known.get(id)
  if (!task) return
  const after = ends.filter((end) => !task.needs.includes(end))
  known.set(id, { ...task, after: [...new Set([...task.after, ...after])].sort() })
}

/** The ids and all they depend on, as far as it is known. */
export function closure(ids: readonly TaskId[], known: ReadonlyMap<TaskId, Task>): ReadonlySet<TaskId> {
  const met = new Set<TaskId>()
  const open = [...ids]
  for (let id = open.pop(); id !== undefined; id = open.pop()) {
    if (met.has(id)) continue
    met.add(id)
    open.push(...dependenciesOf(known.get(id)))
  }
  return met
}

function dependenciesOf(task: Task | undefined): readonly TaskId[] {
  return task ? [...task.needs, ...task.after] : []
}
