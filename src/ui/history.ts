import type { Explanation, Outcome, Task, TaskId } from '../../graph/types.ts'
import type { RunEvent } from '../contracts.ts'

/** What is known of one task so far. */
export interface Row {
  readonly task: Task
  /** Why it runs; undefined until it does. */
  readonly because?: Explanation
  readonly startedAt?: number
  readonly endedAt?: number
  /** The last lines of output, oldest first. */
  readonly output: readonly string[]
  readonly outcome?: Outcome
}

const keptLines = 20

/** Folds events into one row per task. */
export class History {
  readonly #rows = new Map<TaskId, Row>()

  /** @returns the row after the event. */
  add(event: RunEvent): Row {
    const row: Row = this.#rows.get(event.task.id) ?? { task: event.task, output: [] }
    const next = after(row, event)
    this.#rows.set(event.task.id, next)
    return next
  }

  row(id: TaskId): Row | undefined {
    return this.#rows.get(id)
  }
}

function after(row: Row, event: RunEvent): Row {
  switch (event.type) {
    case 'started':
      return { ...row, because: event.because, startedAt: event.at }
    case 'output':
      return { ...row, output: [...row.output.slice(1 - keptLines), event.line] }
    case 'finished':
      return { ...row, endedAt: event.at, outcome: event.outcome }
  }
}

/** How long a task has run, by the clock that stamped its events. */
export function elapsedMs(row: Row, now: number): number {
  return (row.endedAt ?? now) - (row.startedAt ?? row.endedAt ?? now)
}
