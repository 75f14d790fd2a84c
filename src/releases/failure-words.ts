/** How a failure is kept in a release, and what a release that could not be kept is. Pure. */
import type { Failure } from '../../graph/types.ts'
import { TaskFailure } from '../../tasks/kind.ts'

export function describe(failure: Failure): { readonly reason?: 'cancelled'; readonly error: string; readonly error_class: string } {
  const interrupted = failure.reason === 'interrupted' ? { reason: 'cancelled' as const } : {}
  return { ...interrupted, error: `${failure.subject}: ${failure.message}`, error_class: failure.reason }
}

export function notRecorded(error: unknown): TaskFailure {
  if (error instanceof TaskFailure) return error
  const message = error instanceof Error ? error.message : String(error)
  return new TaskFailure({ reason: 'bug', subject: 'release history', message, ...stackOf(error) }, { cause: error })
}

function stackOf(error: unknown): { readonly stack?: string } {
  return error instanceof Error && error.stack !== undefined ? { stack: error.stack } : {}
}
