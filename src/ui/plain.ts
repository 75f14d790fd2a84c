import type { Outcome, Task, TaskId } from '../../graph/types.ts'
import type { RunEvent } from '../contracts.ts'
import { renderDuration } from './duration.ts'
import { everyOutcome } from './every-outcome.ts'
import { failureWords, lastLines } from './failure.ts'
import { disarmed, foldedGroup, newToken, textOnly } from './github.ts'
import { elapsedMs, History, type Row } from './history.ts'
import { skipWords } from './outcome-words.ts'
import { createPrefix, HeldLines, keptCharacters, type Prefix } from './output-text.ts'
import { createPaint, type Paint } from './paint.ts'
import { startLine } from './row-text.ts'
import { countOutcomes, renderSummary } from './summary.ts'
import { styledLine } from './task-line.ts'
import { shortName } from './task-name.ts'
import type { OutputMode, View, ViewOptions } from './view.ts'

export interface PlainOptions extends ViewOptions {
  readonly output: OutputMode
  /** Tasks whose output is shown as it comes, whatever `output` says. */
  readonly heard?: ReadonlySet<TaskId>
  /** In a log of GitHub Actions: what a task printed is one block, told when it ends. */
  readonly github?: boolean
}

/**
 * Lines, for logs and pipes: one as a task starts, one as it ends, and its output between them with its name in front. Every write is
 * whole lines, so tasks never interleave within one.
 */
export function createPlainView(stream: NodeJS.WritableStream, options: PlainOptions, result: NodeJS.WritableStream = stream): View {
  const history = new History()
  const paint = createPaint(options.color)
  const token = newToken()
  const held = new Map<TaskId, HeldLines>()
  const { verbose, quiet, github = false } = options
  const output = quiet && options.output !== 'none' ? 'errors' : options.output
  const streams = !github && (output === 'new' || output === 'full')
  let prefix: Prefix | undefined
  let isFirstTold = false

  const prefixed = (task: Task, line: string): string => {
    prefix ??= createPrefix([task.id], paint)
    return prefix(task.id, line)
  }
  const hold = (id: TaskId, line: string) => {
    const lines = held.get(id) ?? new HeldLines()
    held.set(id, lines)
    lines.add(line)
    return lines
  }
  const release = (id: TaskId): readonly string[] => {
    const lines = held.get(id)?.take() ?? []
    held.delete(id)
    return lines
  }

  function outputLines({ task, line, replayed }: Extract<RunEvent, { type: 'output' }>): readonly string[] {
    const text = styledLine(line, options.color)
    if (streams || (!github && options.heard?.has(task.id))) return [prefixed(task, replayed ? `${paint.dim('⟲')} ${text}` : text)]
    if (output === 'none') return []
    const lines = hold(task.id, text)
    if (!github || output === 'errors' || lines.characters < keptCharacters) return []
    return foldedGroup(`${shortName(task.id)}  goes on`, release(task.id), token)
  }

  function finishedLines(row: Row, outcome: Outcome): readonly string[] {
    const told = endLine(row, outcome, options, paint)
    const lines = release(row.task.id)
    if (outcome.status === 'failed') {
      // Some failures bring what was printed, and nobody heard it before.
      const last = row.output.length === 0 && output !== 'none' ? lastLines(outcome.failure.output ?? [], 20) : lines
      return [...told, ...(github ? textOnly(last, token) : last.map((line) => prefixed(row.task, line)))]
    }
    if (output === 'errors' || lines.length === 0) return told
    const [title] = endLine(row, outcome, { ...options, explain: true }, createPaint(false))
    return foldedGroup(title ?? shortName(row.task.id), lines, token)
  }

  function linesOf(event: RunEvent, row: Row): readonly string[] {
    if (event.type === 'output') return outputLines(event)
    if (event.type === 'finished') return finishedLines(row, event.outcome)
    if (quiet) return []
    const first = options.isFirstRun && !isFirstTold ? [paint.dim('no results in this checkout yet')] : []
    isFirstTold = true
    return [...first, startLine(row, { ...options, title: ({ id }) => shortName(id) }, paint)]
  }

  return {
    on: (event) => {
      const lines = linesOf(event, history.add(event))
      if (lines.length > 0) stream.write(`${lines.join('\n')}\n`)
    },
    drive: (graph, run) => {
      prefix = createPrefix(graph.order, paint)
      return everyOutcome(graph, run)
    },
    finish: (ended) => {
      const { failed, ran } = countOutcomes(ended)
      if (quiet && failed === 0) return
      // What one task said just now need not be said again; among the lines of many it would be searched for.
      const isRepeated = output === 'none' || output === 'errors' || ran + failed < 2
      const text = renderSummary({
        ...ended,
        paint: createPaint(options.resultColor ?? options.color),
        verbose,
        ...(isRepeated ? { outputLines: () => 0 } : {}),
      })
      result.write(github ? disarmed(text) : text)
    },
  }
}

function endLine(row: Row, outcome: Outcome, { verbose, quiet, explain = false }: ViewOptions, paint: Paint): readonly string[] {
  const name = shortName(row.task.id)
  const time = paint.dim(renderDuration(elapsedMs(row, row.endedAt ?? 0)))
  if (outcome.status === 'failed') return [`${paint.red('✖')} ${name}  ${time}  ${paint.dim(failureWords(outcome.failure))}`]
  if (quiet) return []
  if (outcome.status === 'ran' && outcome.keepsRunning) return [`${paint.green('✔')} ${name}  ${paint.dim('keeps running')}`]
  if (outcome.status === 'ran') return [`${paint.green('✔')} ${name}  ${time}`]
  if (!verbose && !explain) return []
  return [paint.dim(outcome.status === 'skipped' ? `- ${name}  ${skipWords(outcome)}` : `- ${name}  not run: ${cancelWords(outcome.by)}`)]
}

function cancelWords(by: Extract<Outcome, { status: 'canceled' }>['by']): string {
  if (by === 'signal') return 'interrupted'
  return by === 'stop' ? 'the run had stopped' : `${shortName(by)} failed`
}
