/** How tasks of a deploy are written down. */
import type { Json, Location, Task, TaskId } from '../../graph/types.ts'

/** `kind:subject[@host]` */
export function id(kind: string, subject: string, host?: string): TaskId {
  return `${kind}:${subject}${host === undefined ? '' : `@${host}`}` as TaskId
}

/** @param origin the line of the user's file that asked for it. */
export function task<P extends Json>(
  kind: string,
  subject: string,
  host: string | undefined,
  origin: Location | undefined,
  needs: readonly TaskId[],
  after: readonly TaskId[],
  params: P,
): Task {
  return { id: id(kind, subject, host), kind, params, needs, after, ...(origin ? { origin } : {}) }
}
