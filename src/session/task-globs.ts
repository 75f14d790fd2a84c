import type { TaskGraph, TaskId } from '../../graph/types.ts'
import { shortName } from '../ui/task-name.ts'
import { matchesGlob } from './targets.ts'

/** Does a glob speak of a task? By id, or by the name alone for a task of the user's: `test`, `build:*`, `exec:lint`. */
export function speaksOf(glob: string, id: TaskId): boolean {
  return matchesGlob(glob, id) || matchesGlob(glob, shortName(id))
}

/** What `--force[=glob]` asks for. */
export function forced(force: boolean | string | undefined): (id: TaskId) => boolean {
  if (typeof force === 'string') return (id) => speaksOf(force, id)
  return () => force === true
}

/** Ids a glob speaks of, in the graph's order. */
export function matching(graph: TaskGraph, glob: string): readonly TaskId[] {
  return graph.order.filter((id) => speaksOf(glob, id))
}
