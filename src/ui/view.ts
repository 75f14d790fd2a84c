import type { Task, TaskGraph } from '../../graph/types.ts'
import type { App, Run, RunEvent } from '../contracts.ts'
import { createJsonView } from './json.ts'
import { createListView } from './list.ts'
import { createPlainView } from './plain.ts'
import type { RunResult } from './summary.ts'
import { isInteractive } from './terminal.ts'

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
  /** Every line of output, and skipped tasks. */
  readonly verbose: boolean
  /** Failures only. */
  readonly quiet: boolean
  /** What a person calls the task: its kind's `title`. */
  title(task: Task): string
}

/**
 * `auto`: a live list on a terminal, lines elsewhere or with --verbose or --quiet. `text`: always lines. Both on stderr.
 * `json`: events on stdout, where they are the result.
 */
export function createView(format: 'auto' | 'text' | 'json', streams: Pick<App, 'stdout' | 'stderr' | 'env'>, options: ViewOptions): View {
  if (format === 'json') return createJsonView(streams.stdout)
  const isLive = format === 'auto' && !options.verbose && !options.quiet && isInteractive(streams.env, streams.stderr)
  return isLive ? createListView(streams.stderr, options) : createPlainView(streams.stderr, options)
}
