import type { Task, TaskGraph, TaskId } from '../types.ts'

/** What every drawing of a graph takes. Drawings end with a line break and depend on nothing but the graph and this. */
export interface FormOptions {
  /** Shown with a task: what is predicted of it. Also decides its colour, in forms that have any. */
  readonly stateOf?: (id: TaskId) => TaskState | undefined
  /** What a task is called in the drawing; its id unless told. No two tasks may be called the same. */
  readonly nameOf?: (id: TaskId) => string
}

export interface TaskState {
  readonly name: 'fresh' | 'run' | 'may-run' | 'unknown'
  /** Why, for a person. */
  readonly detail: string
}

/** How a state reads in a drawing. */
export const stateWords: Readonly<Record<TaskState['name'], string>> = {
  fresh: 'up to date',
  run: 'would run',
  'may-run': 'may run',
  unknown: 'unknown',
}

/** Light colours for dark text: border and ground. Never the only sign of a state. */
export const stateColors: Readonly<Record<TaskState['name'], { readonly border: string; readonly ground: string }>> = {
  fresh: { border: '#2f7d4f', ground: '#e3f4e8' },
  run: { border: '#b45309', ground: '#fdebd0' },
  'may-run': { border: '#a1811a', ground: '#fdf7dc' },
  unknown: { border: '#6b7280', ground: '#eef0f3' },
}

/** What a drawing says of a state, on one line. */
export function stateText({ name, detail }: TaskState): string {
  const why = detail.replace(/\s*[\r\n]+\s*/g, ' ')
  return why === '' ? stateWords[name] : `${stateWords[name]}: ${why}`
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
