import type { Outcome } from '../../graph/types.ts'
import type { RunEvent } from '../contracts.ts'
import { renderDuration } from './duration.ts'
import { everyOutcome } from './every-outcome.ts'
import { failureLine, lastLines } from './failure.ts'
import { elapsedMs, History, type Row } from './history.ts'
import { createPaint, type Paint } from './paint.ts'
import { countOutcomes, renderSummary } from './summary.ts'
import { printable } from './terminal.ts'
import type { View, ViewOptions } from './view.ts'

/** One line per event, for logs and pipes. Every write is whole lines, so tasks never interleave within one. */
export function createPlainView(stream: NodeJS.WritableStream, options: ViewOptions): View {
  const history = new History()
  const paint = createPaint(options.color)
  return {
    on: (event) => {
      const lines = eventLines(event, history.add(event), options, paint)
      if (lines.length > 0) stream.write(`${lines.join('\n')}\n`)
    },
    drive: everyOutcome,
    finish: (result) => {
      const hasFailed = countOutcomes(result).failed > 0
      if (hasFailed || !options.quiet) stream.write(renderSummary({ ...result, paint, ...(options.verbose ? { outputLines: 0 } : {}) }))
    },
  }
}

function eventLines(event: RunEvent, row: Row, { verbose, quiet }: ViewOptions, paint: Paint): string[] {
  if (event.type === 'finished') return quiet && event.outcome.status !== 'failed' ? [] : finishedLines(row, event.outcome, verbose, paint)
  if (quiet) return []
  if (event.type === 'started') return [`▶ ${row.task.id}  ${paint.dim(event.because.detail)}`.trimEnd()]
  return verbose ? [outputLine(row, printable(event.line), paint)] : []
}

function finishedLines(row: Row, outcome: Outcome, verbose: boolean, paint: Paint): string[] {
  const { id } = row.task
  const time = paint.dim(renderDuration(elapsedMs(row, row.endedAt ?? 0)))
  switch (outcome.status) {
    case 'ran':
      return [`${paint.green('✔')} ${id}  ${time}`]
    case 'failed': {
      const shown = verbose ? [] : lastLines(outcome.failure.output ?? row.output, 10)
      return [`${paint.red('✖')} ${id}  ${failureLine(outcome.failure)}  ${time}`, ...shown.map((line) => outputLine(row, line, paint))]
    }
    case 'skipped':
      return verbose ? [paint.dim(`- ${id}  ${outcome.detail ?? skipText[outcome.from]}`)] : []
    case 'canceled':
      return verbose ? [paint.dim(`- ${id}  not run (${outcome.by})`)] : []
  }
}

const skipText = { target: 'up to date', local: 'up to date', remote: 'from the remote cache' } as const

function outputLine(row: Row, line: string, paint: Paint): string {
  return `  ${paint.dim(`${row.task.id} │`)} ${line}`.trimEnd()
}
