import type { Failure, TaskId } from '../../graph/types.ts'
import type { Paint } from './paint.ts'
import { shortName } from './task-name.ts'
import { printable } from './terminal.ts'

export interface FailureOptions {
  /** The task it happened in. */
  readonly id?: TaskId
  /** How many of the last lines of output to show; default 20, 0 for none. */
  readonly outputLines?: number
  /** The command line that runs just this task. */
  readonly again?: string
}

const reasons: Readonly<Record<Failure['reason'], string>> = {
  exit: 'command failed',
  timeout: 'timed out',
  unreachable: 'unreachable',
  refused: 'refused',
  unhealthy: 'not healthy',
  'missing-output': 'output missing',
  'lock-held': 'lock held',
  'lock-lost': 'lock lost',
  interrupted: 'interrupted',
  bug: 'bug in stagecraft',
}

/** What ran and where, what was found, its last output, and what to try. Several lines, ending in a line break. */
export function renderFailure(failure: Failure, paint: Paint, options: FailureOptions = {}): string {
  const { id, outputLines = 20, again } = options
  const [first = '', ...more] = failure.message.split('\n')
  const title = id === undefined ? reasons[failure.reason] : `${shortName(id)}: ${reasons[failure.reason]}`
  const lines = [
    paint.red(`✖ ${title}`),
    `  ${subjectAnd(id !== undefined && shortName(id) === failure.subject ? '' : failure.subject, first)}`,
    ...more.map((line) => `  ${line}`),
  ]
  for (const line of lastLines(failure.output ?? [], outputLines)) lines.push(paint.dim(`  │ ${line}`))
  if (failure.stack !== undefined) lines.push(...failure.stack.split('\n').map((line) => paint.dim(`  ${line}`)))
  if (failure.remedy !== undefined) lines.push(`  ${paint.cyan('try:')} ${failure.remedy}`)
  if (again !== undefined && failure.reason !== 'interrupted') lines.push(`  ${paint.cyan('again:')} ${again}`)
  return `${lines.map((line) => line.trimEnd()).join('\n')}\n`
}

/** What kind of failure it was, in two or three words, for a row per task: the block that follows tells all. */
export function failureWords({ reason }: Failure): string {
  return reasons[reason]
}

export function lastLines(output: readonly string[], count: number): string[] {
  return count === 0 ? [] : output.slice(-count).map(printable)
}

/** Messages often name their subject themselves. */
function subjectAnd(subject: string, message: string): string {
  return subject === '' || message.includes(subject) ? message : `${subject}: ${message}`
}
