import type { Task, TaskGraph, TaskId } from '../../graph/types.ts'
import type { Run, RunEvent } from '../contracts.ts'
import type { RunResult } from './summary.ts'

/** Shows one run. Nothing else prints while it does. */
export interface View {
  on(event: RunEvent): void
  /** Asks for every outcome, in the graph's order, and resolves when all are there. Failures are outcomes, not errors. */
  drive(graph: TaskGraph, run: Run): Promise<void>
  /** Says how it ended. */
  finish(result: RunResult): void
}

/**
 * Whose output is shown. `new`: of tasks that ran, as it comes. `full`: also what tasks printed when they ran before, if they need not
 * run now. `errors`: of tasks that failed. `none`: nobody's.
 */
export type OutputMode = 'full' | 'errors' | 'new' | 'none'
export const outputModes = ['full', 'errors', 'new', 'none'] as const satisfies readonly OutputMode[]

export interface ViewOptions {
  /** Of stderr. */
  readonly color: boolean
  /** Of stdout, where the result goes; default that of stderr. */
  readonly resultColor?: boolean
  /** Skipped tasks too, and more in the end. */
  readonly verbose: boolean
  /** Failures only. */
  readonly quiet: boolean
  /** Default: on a terminal that of tasks which were asked for by name, and of failures; `new` elsewhere. */
  readonly output?: OutputMode
  /** A line for each task that did not run, and why. */
  readonly explain?: boolean
  /** Tasks that were asked for by name. */
  readonly asked?: ReadonlySet<TaskId>
  /** No task of the run has run in this checkout before. */
  readonly isFirstRun?: boolean
  /** Whether a task runs until it is told to end. */
  isService?(task: Task): boolean
  /** What a person calls the task: its kind's `title`. */
  title(task: Task): string
}
