import { nearest } from '../../graph/nearest.ts'
import type { Diagnostic, TaskGraph, TaskId } from '../../graph/types.ts'
import { InputError } from '../contracts.ts'
import { shortName } from '../ui/task-name.ts'
import { matchesGlob } from './targets.ts'

/** Does a glob speak of a task? By id, or by the name alone for a task of the user's: `test`, `build:*`, `exec:lint`. */
export function speaksOf(glob: string, id: TaskId): boolean {
  return matchesGlob(glob, id) || matchesGlob(glob, shortName(id))
}

/** What `--force[=glob]` asks for. @throws InputError when the glob speaks of no task: nothing would be forced, and nothing said. */
export function forced(force: boolean | string | undefined, graph: TaskGraph): (id: TaskId) => boolean {
  if (typeof force === 'string' && matching(graph, force).length === 0) throw new InputError([nothingMatches('--force', force, graph)])
  if (typeof force === 'string') return (id) => speaksOf(force, id)
  return () => force === true
}

/** Ids a glob speaks of, in the graph's order. */
export function matching(graph: TaskGraph, glob: string): readonly TaskId[] {
  return graph.order.filter((id) => speaksOf(glob, id))
}

export function nothingMatches(flag: '--only' | '--force', glob: string, graph: TaskGraph): Diagnostic {
  const names = graph.order.map(shortName)
  const some = names.slice(0, 8).join(', ')
  const suggestion = nearest(glob, new Set(names))
  return {
    code: 'SC3120',
    severity: 'error',
    message: `\`${flag}=${glob}\` matches none of the ${names.length} tasks: ${some}${names.length > 8 ? ', …' : ''}`,
    ...(suggestion === undefined ? {} : { suggestion }),
  }
}
