/** The one place where an exception becomes a failure: the world's refusal is kept as it is, anything else is a bug of ours. */
import type { Failure } from '../../graph/types.ts'
import { TaskFailure } from '../../tasks/kind.ts'

/** @param output the last lines of the task, for a failure that has none of its own. */
export function failureFrom(
  error: unknown,
  { aborted, output, redact }: { readonly aborted: boolean; readonly output: readonly string[]; readonly redact: (text: string) => string },
): Failure {
  const failure = failureOf(error, aborted)
  return redacted({ ...failure, output: failure.output ?? output }, redact)
}

function failureOf(error: unknown, aborted: boolean): Failure {
  if (error instanceof TaskFailure) return aborted ? { ...error.failure, reason: 'interrupted' } : error.failure
  if (aborted) return { reason: 'interrupted', subject: 'stagecraft', message: 'interrupted' }
  const message = error instanceof Error ? error.message : String(error)
  const stack = error instanceof Error && error.stack ? { stack: error.stack } : {}
  return { reason: 'bug', subject: 'stagecraft', message, ...stack }
}

function redacted(failure: Failure, redact: (text: string) => string): Failure {
  return {
    ...failure,
    subject: redact(failure.subject),
    message: redact(failure.message),
    ...(failure.remedy === undefined ? {} : { remedy: redact(failure.remedy) }),
    ...(failure.output ? { output: failure.output.map(redact) } : {}),
    ...(failure.stack ? { stack: redact(failure.stack) } : {}),
  }
}
