import type { Task, TaskGraph, TaskId } from '../types.ts'

/** What every drawing of a graph takes. Drawings end with a line break and depend on nothing but the graph and this. */
export interface FormOptions {
  /** Shown behind a task's id, on one line: a predicted state, a duration. */
  readonly annotate?: (id: TaskId) => string | undefined
}

export interface Dependency {
  readonly id: TaskId
  /** True for an order-only dependency. A task that is both needed and waited for is needed. */
  readonly orderOnly: boolean
}

/** What a task waits for: its needs, then what only comes first, each sorted by id. */
export function dependenciesOf(task: Task): readonly Dependency[] {
  const needs = new Set(task.needs)
  const after = new Set(task.after.filter((id) => !needs.has(id)))
  return [...[...needs].sort().map((id) => ({ id, orderOnly: false })), ...[...after].sort().map((id) => ({ id, orderOnly: true }))]
}

/** Lines for a form that draws nodes first and edges second, in graph order. */
export function drawNodesAndEdges(
  graph: TaskGraph,
  drawNode: (id: TaskId) => string,
  drawEdge: (from: TaskId, to: TaskId, orderOnly: boolean) => string,
): readonly string[] {
  const edges = graph.order.flatMap((id) => dependenciesOf(graph.task(id)).map((from) => drawEdge(from.id, id, from.orderOnly)))
  return [...graph.order.map(drawNode), ...edges]
}
