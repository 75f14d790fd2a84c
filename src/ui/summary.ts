import type { Outcome, TaskGraph, TaskId } from '../../graph/types.ts'
import { renderDuration } from './duration.ts'
import { renderFailure } from './failure.ts'
import type { Paint } from './paint.ts'

export interface SummaryOptions {
  readonly graph: TaskGraph
  readonly outcomes: ReadonlyMap<TaskId, Outcome>
  readonly durationMs: number
  readonly paint: Paint
  /** Last lines of output in each failure; default 20. */
  readonly outputLines?: number
}

/** How a run ended: a block per failure, then one line of counts, then what was not started and why. Ends in a line break. */
export function renderSummary({ graph, outcomes, durationMs, paint, outputLines = 20 }: SummaryOptions): string {
  const counts = { ran: 0, skipped: 0, failed: 0, canceled: 0 }
  const blocks: string[] = []
  const causes = new Map<string, number>()
  for (const id of graph.order) {
    const outcome = outcomes.get(id)
    if (outcome === undefined) continue
    counts[outcome.status]++
    if (outcome.status === 'failed') blocks.push(renderFailure(outcome.failure, paint, { id, outputLines }))
    if (outcome.status !== 'canceled') continue
    const cause = rootCause(outcome.by, outcomes)
    causes.set(cause, (causes.get(cause) ?? 0) + 1)
  }
  return [...blocks, `${verdict(counts, causes, renderDuration(durationMs), paint)}\n`, ...causeLines(causes, outcomes, paint)].join('')
}

interface Counts {
  readonly ran: number
  readonly skipped: number
  readonly failed: number
  readonly canceled: number
}

function verdict(counts: Counts, causes: ReadonlyMap<string, number>, time: string, paint: Paint): string {
  const { ran, skipped, failed, canceled } = counts
  if (ran + failed + canceled === 0) {
    return skipped === 0 ? 'nothing to do (no tasks)' : `nothing to do (${skipped} ${skipped === 1 ? 'task' : 'tasks'} up to date)`
  }
  const parts = [
    ...(failed > 0 ? [paint.red(`${failed} failed`)] : []),
    ...(ran > 0 ? [`${ran} ran`] : []),
    ...(skipped > 0 ? [`${skipped} up to date`] : []),
    ...(canceled > 0 ? [`${canceled} not run`] : []),
  ]
  return `${headline(failed, canceled, causes, paint)} ${time}: ${parts.join(', ')}`
}

function headline(failed: number, canceled: number, causes: ReadonlyMap<string, number>, paint: Paint): string {
  if (failed > 0) return paint.red('failed after')
  if (causes.has('signal')) return paint.yellow('interrupted after')
  return canceled > 0 ? paint.yellow('stopped after') : paint.green('done in')
}

function causeLines(causes: ReadonlyMap<string, number>, outcomes: ReadonlyMap<TaskId, Outcome>, paint: Paint): string[] {
  return [...causes].map(([cause, count]) => paint.dim(`  ${count} not run: ${causeText(cause, outcomes)}\n`))
}

function causeText(cause: string, outcomes: ReadonlyMap<TaskId, Outcome>): string {
  if (cause === 'signal') return 'interrupted'
  if (cause === 'stop') return 'the run had stopped after a failure'
  return outcomes.get(cause as TaskId)?.status === 'failed' ? `${cause} failed` : `${cause} was not run`
}

/** A canceled task names the task before it; the reader wants the one that failed. */
function rootCause(by: TaskId | 'signal' | 'stop', outcomes: ReadonlyMap<TaskId, Outcome>): string {
  let cause = by
  for (const seen = new Set<string>(); !seen.has(cause); ) {
    seen.add(cause)
    if (cause === 'signal' || cause === 'stop') return cause
    const outcome = outcomes.get(cause)
    if (outcome?.status !== 'canceled') return cause
    cause = outcome.by
  }
  return cause
}
