import type { Task, TaskGraph } from '../../graph/types.ts'
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

export interface ViewOptions {
  /** Of stderr. */
  readonly color: boolean
  /** Of stdout, where the result goes; default that of stderr. */
  readonly resultColor?: boolean
  /** Every line of output, and skipped tasks. */
  readonly verbose: boolean
  /** Failures only. */
  readonly quiet: boolean
  /** What a person calls the task: its kind's `title`. */
  title(task: Task): string
}
