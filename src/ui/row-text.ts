/** One task in one line, in the words and the order of every view on a terminal: mark, name, time, why. */
import type { Explanation, Outcome } from '../../graph/types.ts'
import { renderDuration } from './duration.ts'
import { failureWords, lastLines } from './failure.ts'
import { elapsedMs, type Row } from './history.ts'
import type { Paint } from './paint.ts'
import { withShortNames } from './task-name.ts'
import { printable } from './terminal.ts'
import type { ViewOptions } from './view.ts'

type Words = Pick<ViewOptions, 'title' | 'isFirstRun'>

/** Why it runs. Where nothing ever ran before, a view says so once, and of no task. */
export function reasonText(because: Explanation | undefined, isFirstRun: boolean | undefined): string {
  if (because === undefined || (isFirstRun && because.reason === 'first-run')) return ''
  return printable(withShortNames(because.detail))
}

/** What begins to run, in a log or with the screen to itself. */
export function startLine(row: Row, { title, isFirstRun }: Words, paint: Paint): string {
  return `▶ ${title(row.task)}  ${paint.dim(reasonText(row.because, isFirstRun))}`.trimEnd()
}

/** A running task: what, how long, why, and, where there is room, its last line of output below. */
export function runningText(row: Row, words: Words, paint: Paint, now: number, withOutput: boolean): string {
  const last = withOutput ? printable(row.output.at(-1) ?? '') : ''
  const head = `${words.title(row.task)}  ${told(elapsedMs(row, now), reasonText(row.because, words.isFirstRun), paint)}`
  return last === '' ? head : `${head}\n${paint.dim(last)}`
}

/** A task that has ended, in the live list: a failure keeps its last lines in sight while others go on. */
export function endedText(row: Row, words: Words, paint: Paint): string {
  const head = `${words.title(row.task)}  ${told(ranMs(row), endWords(row.outcome), paint)}`
  if (row.outcome?.status !== 'failed') return head
  const lines = lastLines(row.outcome.failure.output ?? row.output, 10).map((line) => paint.dim(line))
  return [head, ...lines].join('\n')
}

/** What stays of a task; undefined for what did not run. Failures are explained by the summary that follows. */
export function finalLine(row: Row, words: Words, paint: Paint, isReasonKnown: boolean): string | undefined {
  const { outcome } = row
  if (outcome?.status === 'failed') return `${paint.red('✖')} ${words.title(row.task)}  ${told(ranMs(row), endWords(outcome), paint)}`
  if (outcome?.status !== 'ran') return undefined
  const why = isReasonKnown ? '' : reasonText(row.because, words.isFirstRun)
  return `${paint.green('✔')} ${words.title(row.task)}  ${told(ranMs(row), why, paint)}`
}

/** How a task ended that did not simply succeed. */
function endWords(outcome: Outcome | undefined): string {
  return outcome?.status === 'failed' ? failureWords(outcome.failure) : ''
}

function told(ms: number, words: string, paint: Paint): string {
  return paint.dim(`${renderDuration(ms)}  ${words}`.trimEnd())
}

function ranMs(row: Row): number {
  return elapsedMs(row, row.endedAt ?? 0)
}
