import type { Explanation, Outcome, Task, TaskId } from '../../graph/types.ts'
import type { RunEvent } from '../contracts.ts'

/** What is known of one task of a run, by the clock that stamps events. */
export interface TaskRecord {
  readonly task: Task
  readonly because?: Explanation
  readonly startedAt?: number
  readonly endedAt?: number
  readonly outcome?: Outcome
}

/** Keeps of a run what is written down afterwards: no output, two times per task. */
export class RunRecord {
  readonly #tasks = new Map<TaskId, TaskRecord>()

  on(event: RunEvent): void {
    if (event.type === 'output') return
    const { task } = event
    const known = this.#tasks.get(task.id) ?? { task }
    const more = event.type === 'started' ? { because: event.because, startedAt: event.at } : { outcome: event.outcome, endedAt: event.at }
    this.#tasks.set(task.id, { ...known, ...more })
  }

  /** In the order in which they were first heard of. */
  get tasks(): ReadonlyMap<TaskId, TaskRecord> {
    return this.#tasks
  }

  /** How long each task ran that did, in milliseconds. */
  tookMs(): ReadonlyMap<TaskId, number> {
    const took = new Map<TaskId, number>()
    for (const [id, { startedAt, endedAt }] of this.#tasks)
      if (startedAt !== undefined && endedAt !== undefined) took.set(id, endedAt - startedAt)
    return took
  }
}
