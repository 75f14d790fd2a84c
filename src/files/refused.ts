import { TaskFailure } from '../../tasks/kind.ts'

/** An input that cannot be one: names the path and what to do about it. */
export function refused(path: string, message: string, remedy: string, cause?: unknown): TaskFailure {
  return new TaskFailure({ reason: 'refused', subject: path, message, remedy }, cause === undefined ? {} : { cause })
}

/** The system would not let us read a path. */
export function unreadable(path: string, error: unknown): TaskFailure {
  const why = error instanceof Error ? error.message.replace(/,? \w+ '.*'$/, '') : String(error)
  return refused(path, `cannot read \`${path}\`: ${why}`, `make \`${path}\` readable, or leave it out with an ignore file`, error)
}
