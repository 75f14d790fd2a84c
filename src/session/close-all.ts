/** The end of a run: every step is done whatever became of the one before. */
import { isOfTheDisk, messageOf } from '../../cache/foreign.ts'
import { TaskFailure } from '../../tasks/kind.ts'

/**
 * What the world refuses here is only a warning: the run has its own result, which it must not hide.
 * @throws the first error that is a bug of ours, after the last step.
 */
export async function closeAll(
  steps: readonly (readonly [what: string, step: () => Promise<void>])[],
  warn: (message: string) => void,
): Promise<void> {
  const bugs: unknown[] = []
  for (const [what, step] of steps) {
    try {
      await step()
    } catch (error) {
      if (error instanceof TaskFailure || isOfTheDisk(error)) warn(`${what}: ${messageOf(error)}`)
      else bugs.push(error)
    }
  }
  if (bugs.length > 0) throw bugs[0]
}
