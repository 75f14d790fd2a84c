import type { JsonObject, Phase, Task, TaskGraph, TaskId } from '../types.ts'
import { dependenciesOf, type FormOptions } from './form.ts'

export interface GraphJsonOptions extends FormOptions {
  /** The phase of the kind of a task, null for a kind that is not known here; `graph/` does not know kinds. */
  readonly phaseOf: (task: Task) => Phase | null
}

/**
 * A graph for programs. `tasks` are in graph order; `level` is the length of the longest chain of dependencies below
 * a task, so tasks of one level can run side by side. `schema_version` rises when a field changes its meaning or goes.
 */
export function graphJson(graph: TaskGraph, options: GraphJsonOptions): JsonObject {
  const levels = new Map<TaskId, number>()
  const tasks = graph.order.map((id) => {
    const task = graph.task(id)
    const dependencies = dependenciesOf(task)
    const level = dependencies.reduce((highest, dependency) => Math.max(highest, (levels.get(dependency.id) ?? 0) + 1), 0)
    levels.set(id, level)
    const state = options.stateOf?.(id)
    return {
      id,
      kind: task.kind,
      phase: options.phaseOf(task),
      needs: dependencies.filter(({ orderOnly }) => !orderOnly).map((dependency) => dependency.id),
      after: dependencies.filter(({ orderOnly }) => orderOnly).map((dependency) => dependency.id),
      level,
      ...(state ? { state: state.name, detail: state.detail } : {}),
    }
  })
  return { schema_version: 1, tasks }
}
