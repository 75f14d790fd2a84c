/** Starts a service for a run, or takes the one that an earlier run left running, if it still is what is wanted. */
import { explainChange } from '../../graph/explain.ts'
import type { Explanation, Failure } from '../../graph/types.ts'
import { type HeldService, TaskFailure } from '../../tasks/kind.ts'
import type { Described } from '../assess.ts'
import { failureFrom } from './failure.ts'
import { startService, type TaskAttempt, type TaskSurroundings } from './task-run.ts'

export interface ServiceSurroundings extends TaskSurroundings {
  /** It is started now: it did not run, or not as it should. */
  begun(why: Explanation): void
}

/** Resolves when it is ready. @throws TaskFailure when it does not get there. */
export async function holdService(
  attempt: TaskAttempt,
  described: Described,
  because: string,
  around: ServiceSurroundings,
): Promise<HeldService> {
  const { task, output } = attempt
  const { services, redact } = around
  const begin = (why: Explanation, told = around.told) => {
    around.begun(why)
    return startService(attempt, described, why, { ...around, told })
  }
  const need: Explanation = { reason: 'need', detail: because }
  if (services === undefined) return begin(need)
  // What it prints after this run is told to a later one.
  const told: TaskSurroundings['told'] = (event) => services.tell({ ...event, task, at: around.now() })
  const complete = (failure: Failure | undefined) => failure && failureFrom(new TaskFailure(failure), { aborted: false, output, redact })
  return services.hold(task, described.fingerprint, async (why) => {
    const change = why === 'change' ? explainChange(await around.log.last(task.id), described.action) : need
    const held = await begin(why === 'end' ? { reason: 'need', detail: 'it had ended' } : change, told)
    return { stop: () => held.stop(), ended: held.ended.then(complete) }
  })
}
