/** Where a task's patterns point, seen from the project. */
import { posix } from 'node:path'
import type { TaskConfig } from './schema/tasks.ts'

/** A pattern of a task, project-relative, its `!` kept; `..` in front of it when it leaves the project. */
export function patternInProject(pattern: string, cwd: string): string {
  const isTakenAway = pattern.startsWith('!')
  const path = (isTakenAway ? pattern.slice(1) : pattern).replace(/^\.\//, '')
  return `${isTakenAway ? '!' : ''}${posix.isAbsolute(path) ? path : posix.join(cwd, path)}`
}

/** False above the manifest's folder, at an absolute path, and at somebody's home. */
export function isInProject(pattern: string): boolean {
  return !/^!?(\.\.(\/|$)|\/|~)/.test(pattern)
}

/** Patterns of what a task reads and writes, project-relative. */
export function filesOf(task: TaskConfig): { readonly inputs: readonly string[] | undefined; readonly outputs: readonly string[] } {
  const inProject = (pattern: string) => patternInProject(pattern, task.cwd)
  return { inputs: task.inputs?.map(inProject), outputs: task.outputs.map(inProject) }
}
