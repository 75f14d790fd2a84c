/** Which tasks a change affects: exact for each task, and never too few. Pure. */
import type { Task, TaskGraph, TaskId } from '../../graph/types.ts'
import type { TaskKind } from '../../tasks/kind.ts'
import type { IgnoreRules } from '../files/dockerignore.ts'
import { openPaths } from './match-paths.ts'

/** What differs between two states of a project. */
export interface Changes {
  /** Project-relative paths that were added, removed or changed; outside the project they begin with `../`. */
  readonly paths: readonly string[]
  /** Tasks whose definition differs, or all of them. */
  readonly definitions: ReadonlySet<TaskId> | 'all'
}

/** Why a task is affected. */
export type Affect =
  | { readonly by: 'file'; readonly path: string }
  | { readonly by: 'definition' }
  | { readonly by: 'need'; readonly need: TaskId }
  /** It declares no inputs, so it may read anything that changed. */
  | { readonly by: 'undeclared' }
  /** Its target decides, which git knows nothing of. */
  | { readonly by: 'target' }

/**
 * A task is affected when one of its declared inputs or its definition differs, or when it needs one that is affected. What only comes
 * first affects nothing. In the order of the graph.
 */
export function decideAffected(
  graph: TaskGraph,
  changes: Changes,
  kinds: ReadonlyMap<string, TaskKind>,
  rulesOf: (ignoreFile: string) => IgnoreRules | undefined,
): ReadonlyMap<TaskId, Affect> {
  const paths = openPaths(changes.paths)
  const affected = new Map<TaskId, Affect>()

  const direct = (task: Task, kind: TaskKind): Affect | undefined => {
    if (kind.freshness === 'effect') return { by: 'target' }
    if (changes.definitions === 'all' || changes.definitions.has(task.id)) return { by: 'definition' }
    const sets = kind.inputs?.(task.params).files ?? []
    if (sets.length === 0 && kind.always?.(task.params, new Map()) !== undefined && changes.paths.length > 0) return { by: 'undeclared' }
    for (const set of sets) {
      const path = paths.firstIn(set, set.dockerignore === undefined ? undefined : rulesOf(set.dockerignore))
      if (path !== undefined) return { by: 'file', path }
    }
    return undefined
  }

  for (const id of graph.order) {
    const task = graph.task(id)
    const kind = kinds.get(task.kind)
    if (!kind) throw new Error(`no kind is called ${task.kind}`)
    const need = task.needs.find((one) => affected.has(one))
    const why = direct(task, kind) ?? (need === undefined ? undefined : ({ by: 'need', need } as const))
    if (why !== undefined) affected.set(id, why)
  }
  return affected
}

/**
 * The tasks to run: those that are affected, and all they need. What only comes first is left out when it is content, as nothing of it is
 * used; an effect that comes first stays, since its target may not be ready.
 */
export function keptTasks(
  graph: TaskGraph,
  affected: ReadonlyMap<TaskId, Affect>,
  kinds: ReadonlyMap<string, TaskKind>,
): ReadonlySet<TaskId> {
  const kept = new Set(affected.keys())
  const isContent = (id: TaskId): boolean => kinds.get(graph.task(id).kind)?.freshness === 'content'
  // A set is walked in the order in which it grows.
  for (const id of kept) {
    const { needs, after } = graph.task(id)
    for (const before of [...needs, ...after.filter((one) => !isContent(one))]) kept.add(before)
  }
  return kept
}

/** Completes the name of a task: why it is affected. */
export function affectWords(affect: Affect): string {
  switch (affect.by) {
    case 'file':
      return `${affect.path} changed`
    case 'definition':
      return 'its definition changed'
    case 'need':
      return `needs ${affect.need.replace(/^exec:/, '')}`
    case 'undeclared':
      return 'it declares no inputs, and something changed'
    case 'target':
      return 'its target decides'
  }
}
