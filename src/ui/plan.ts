/** A plan as a person reads it: what runs, in which order, and why. Pure. */
import type { Prediction } from '../contracts.ts'
import { createPaint } from './paint.ts'
import { shortName } from './task-name.ts'

export interface PlanView {
  readonly heading: Readonly<Record<string, string>>
  readonly tasks: readonly {
    readonly id: string
    readonly title: string
    readonly dependsOn: readonly string[]
    readonly prediction: Prediction
  }[]
  /** What a reader should know of it. */
  readonly notices: readonly string[]
  readonly warnings: readonly string[]
  /** Adds descriptions and dependencies. */
  readonly verbose: boolean
  readonly color: boolean
}

/** `restore` is told apart from `run`: it takes no time and starts nothing. */
type State = Prediction['state'] | 'restore'
const words: Readonly<Record<State, string>> = {
  fresh: 'up to date',
  run: 'run',
  restore: 'restore',
  'may-run': 'may run',
  unknown: 'unknown',
}

function stateOf(prediction: Prediction): State {
  return prediction.state === 'run' && prediction.restoredFrom !== undefined ? 'restore' : prediction.state
}

export function renderPlan({ heading, tasks, notices, warnings, verbose, color }: PlanView): string {
  const paint = createPaint(color)
  const labelWidth = Math.max(0, ...Object.keys(heading).map((key) => key.length)) + 1
  const lines = Object.entries(heading).map(([key, value]) => `${`${key}:`.padEnd(labelWidth)} ${value}`)
  if (lines.length > 0) lines.push('')
  const names = tasks.map(({ id }) => shortName(id))
  const idWidth = names.reduce((width, name) => Math.max(width, name.length), 0)
  const numberWidth = String(tasks.length).length
  for (const [index, task] of tasks.entries()) {
    const state = stateOf(task.prediction)
    const tint = state === 'fresh' ? paint.dim : state === 'unknown' ? paint.red : paint.bold
    const number = `${index + 1}`.padStart(numberWidth + 2)
    lines.push(
      `${paint.dim(`${number}.`)} ${shortName(task.id).padEnd(idWidth)}  ${tint(words[state].padEnd(10))}  ${paint.dim(reason(task.prediction))}`.trimEnd(),
    )
    if (verbose) lines.push(paint.dim(`${' '.repeat(numberWidth + 4)}${task.title}; after [${task.dependsOn.map(shortName).join(', ')}]`))
  }
  if (notices.length > 0) lines.push('', ...notices.map((notice) => `${paint.cyan('note')} ${notice}`))
  if (warnings.length > 0) lines.push('', ...warnings.map((warning) => `${paint.yellow('warning')} ${warning}`))
  lines.push('', conclusion(tasks.map(({ prediction }) => stateOf(prediction))))
  return `${lines.join('\n')}\n`
}

function reason(prediction: Prediction): string {
  if (prediction.state === 'run') return prediction.because.detail
  if (prediction.state === 'may-run') return `waits for ${shortName(prediction.waitsFor)}`
  return prediction.state === 'fresh' ? prediction.detail : prediction.message
}

function conclusion(states: readonly State[]): string {
  const count = (state: State) => states.filter((one) => one === state).length
  if (count('fresh') === states.length) return `nothing to do (${states.length} ${states.length === 1 ? 'task' : 'tasks'} up to date)`
  const parts = (['run', 'restore', 'may-run', 'unknown', 'fresh'] as const)
    .filter((state) => count(state) > 0)
    .map((state) => `${count(state)} ${state === 'run' || state === 'restore' ? `to ${state}` : words[state]}`)
  return parts.join(', ')
}
