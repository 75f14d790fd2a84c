/** Makes a {@link TaskGraph}: after this, ids are well formed and unique, dependencies exist and nothing goes in circles. */
import { Graph } from '@dagrejs/graphlib'
import { nearest } from './nearest.ts'
import { orderTasks } from './order.ts'
import type { Checked, Diagnostic, Location, Note, Task, TaskGraph, TaskId } from './types.ts'

/**
 * `kind:subject[@host]`. The colon is also what keeps ids such as `constructor` out of graphlib's plain objects.
 * A host may be an IPv6 address, so colons are welcome after the `@`.
 */
const idForm = /^[a-z][a-z0-9_]*:[^\s:@\p{Cc}]+(@[^\s@\p{Cc}]+)?$/u

/** Checks tasks and orders them. All problems of one sort are reported: ids (SC2004, SC2001), then dependencies (SC2002), then cycles (SC2003). */
export function taskGraph(tasks: readonly Task[]): Checked<TaskGraph> {
  const byId = new Map<TaskId, Task>()
  const idProblems: Diagnostic[] = []
  for (const task of tasks) {
    const first = byId.get(task.id)
    if (first) idProblems.push(duplicate(first, task))
    else if (!idForm.test(task.id)) idProblems.push(malformed(task))
    else byId.set(task.id, task)
  }
  if (idProblems.length > 0) return { ok: false, diagnostics: idProblems }
  const unknown = [...byId.values()].flatMap((task) => unknownDependencies(task, byId))
  if (unknown.length > 0) return { ok: false, diagnostics: unknown }
  const ordering = orderTasks(byId)
  if (ordering.cycles) return { ok: false, diagnostics: ordering.cycles.map((cycle) => circular(cycle, byId)) }
  return { ok: true, value: new Tasks(byId, ordering.order) }
}

class Tasks implements TaskGraph {
  readonly order: readonly TaskId[]
  readonly #tasks: ReadonlyMap<TaskId, Task>
  #edges: Graph | undefined

  constructor(tasks: ReadonlyMap<TaskId, Task>, order: readonly TaskId[]) {
    this.#tasks = tasks
    this.order = order
  }

  task(id: TaskId): Task {
    const task = this.#tasks.get(id)
    if (!task) throw new RangeError(`no task \`${id}\` in this graph`)
    return task
  }

  dependencies(id: TaskId): readonly TaskId[] {
    const task = this.task(id)
    return [...new Set([...task.needs, ...task.after])].sort()
  }

  dependents(id: TaskId): readonly TaskId[] {
    this.task(id)
    return ((this.#graph().successors(id) ?? []) as TaskId[]).sort()
  }

  only(ids: readonly TaskId[]): TaskGraph {
    const kept = new Set<TaskId>()
    const waiting = [...ids]
    for (let id = waiting.pop(); id !== undefined; id = waiting.pop()) {
      if (kept.has(id)) continue
      kept.add(id)
      waiting.push(...this.dependencies(id))
    }
    // Whatever order the whole has is also right for a part that is closed under dependencies.
    const order = this.order.filter((id) => kept.has(id))
    return new Tasks(new Map(order.map((id) => [id, this.task(id)])), order)
  }

  /** Made when first asked: graphlib takes 8 µs an edge, and a run only looks at dependencies. */
  #graph(): Graph {
    if (this.#edges) return this.#edges
    const graph = new Graph({ directed: true })
    for (const [id, task] of this.#tasks) {
      graph.setNode(id, task)
      for (const dependency of this.dependencies(id)) graph.setEdge(dependency, id)
    }
    this.#edges = graph
    return graph
  }
}

function malformed(task: Task): Diagnostic {
  return problem('SC2004', `task id ${JSON.stringify(task.id)} is not of the form \`kind:subject\` or \`kind:subject@host\``, task.origin)
}

function duplicate(first: Task, second: Task): Diagnostic {
  return problem('SC2001', `two tasks have the id \`${second.id}\``, second.origin, {
    notes: [note(`\`${first.id}\` is first asked for here`, first.origin)],
  })
}

function unknownDependencies(task: Task, known: ReadonlyMap<TaskId, Task>): Diagnostic[] {
  const missing = [...new Set([...task.needs, ...task.after])].filter((id) => !known.has(id))
  return missing.map((id) => {
    const suggestion = nearest(id, known.keys())
    return problem('SC2002', `\`${task.id}\` depends on \`${id}\`, which does not exist`, task.origin, suggestion ? { suggestion } : {})
  })
}

function circular(cycle: readonly TaskId[], known: ReadonlyMap<TaskId, Task>): Diagnostic {
  const notes = cycle.map((id, index) => {
    const next = cycle[(index + 1) % cycle.length] as TaskId
    const task = known.get(id)
    return note(`\`${id}\` ${task?.needs.includes(next) ? 'needs' : 'comes after'} \`${next}\``, task?.origin)
  })
  const first = known.get(cycle[0] as TaskId)
  return problem('SC2003', `tasks wait for each other: ${[...cycle, cycle[0]].join(' → ')}`, first?.origin, { notes })
}

function problem(code: Diagnostic['code'], message: string, location: Location | undefined, more: Partial<Diagnostic> = {}): Diagnostic {
  return { code, severity: 'error', ...note(message, location), ...more }
}

function note(message: string, location: Location | undefined): Note {
  return location ? { message, location } : { message }
}
