import type { Task } from '../../graph/types.ts'
import { renderDuration } from './duration.ts'
import { failureLine, lastLines } from './failure.ts'
import { elapsedMs, type Row } from './history.ts'
import type { Paint } from './paint.ts'
import { printable } from './terminal.ts'

type Title = (task: Task) => string

/** A running task: what, why, how long, and, where there is room, its last line of output below. */
export function runningText(row: Row, title: Title, paint: Paint, now: number, withOutput: boolean): string {
  const head = `${title(row.task)}  ${paint.dim(`${row.because ?? ''}  ${renderDuration(elapsedMs(row, now))}`.trim())}`
  const last = withOutput ? printable(row.output.at(-1) ?? '') : ''
  return last === '' ? head : `${head}\n${paint.dim(last)}`
}

/** A task that has ended, in the live list: a failure keeps its last lines in sight while others go on. */
export function endedText(row: Row, title: Title, paint: Paint): string {
  const time = paint.dim(renderDuration(elapsedMs(row, row.endedAt ?? 0)))
  if (row.outcome?.status !== 'failed') return `${title(row.task)}  ${time}`
  const lines = lastLines(row.outcome.failure.output ?? row.output, 10).map((line) => paint.dim(line))
  return [`${title(row.task)}  ${failureLine(row.outcome.failure)}  ${time}`, ...lines].join('\n')
}

/** What stays of a task when the list is gone; undefined for what did not run. Failures are explained by the summary that follows. */
export function finalLine(row: Row | undefined, title: Title, paint: Paint): string | undefined {
  if (row === undefined) return undefined
  const time = paint.dim(renderDuration(elapsedMs(row, row.endedAt ?? 0)))
  if (row.outcome?.status === 'ran') return `${paint.green('✔')} ${title(row.task)}  ${paint.dim(row.because ?? '')}  ${time}`
  if (row.outcome?.status === 'failed') return `${paint.red('✖')} ${title(row.task)}  ${failureLine(row.outcome.failure)}  ${time}`
  return undefined
}
