import type { Outcome, TaskGraph, TaskId } from '../../graph/types.ts'
import { renderDuration } from './duration.ts'
import { renderFailure } from './failure.ts'
import { nothingToDo } from './nothing-to-do.ts'
import { fateOf } from './outcome-words.ts'
import type { Paint } from './paint.ts'
import { shortVersion } from './short-version.ts'
import { shortName } from './task-name.ts'

/** A run that has ended. */
export interface RunResult {
  readonly graph: TaskGraph
  readonly outcomes: ReadonlyMap<TaskId, Outcome>
  readonly durationMs: number
  /** How long each task ran that did, in milliseconds. */
  readonly tookMs?: ReadonlyMap<TaskId, number>
  /** How long the tasks that were restored or up to date took when they last ran, as far as that is known. */
  readonly savedMs?: number
  /** The command line that runs one task again. */
  readonly again?: (id: TaskId) => string
  /** The release that the run recorded, if it made one. */
  readonly release?: { readonly id: string; readonly version: string }
}

export interface SummaryOptions extends RunResult {
  readonly paint: Paint
  /** Last lines of output in the block of a failure; default 20. */
  outputLines?(id: TaskId): number
  /** Names the slowest tasks too. */
  readonly verbose?: boolean
}

/** How a run ended: a block per failure, one line of counts, what was not run and why, the release. Ends in a line break. Pure. */
export function renderSummary(options: SummaryOptions): string {
  const { graph, outcomes, durationMs, paint, release } = options
  const causes = causesOf(options)
  const lines = [verdict(countOutcomes(options), headline(options, causes), renderDuration(durationMs), paint) + savedText(options)]
  for (const [cause, count] of causes) lines.push(paint.dim(`  ${count} not run: ${causeText(cause, outcomes)}`))
  if (options.verbose) lines.push(...slowestLines(options))
  if (release !== undefined) lines.push(paint.dim(`  release ${release.id} (${shortVersion(release.version)})`))
  const blocks = graph.order.flatMap((id) => {
    const outcome = outcomes.get(id)
    const again = options.again === undefined ? {} : { again: options.again(id) }
    return outcome?.status === 'failed' && outcome.failure.reason !== 'interrupted'
      ? [renderFailure(outcome.failure, paint, { id, outputLines: options.outputLines?.(id) ?? 20, ...again })]
      : []
  })
  return `${blocks.join('')}${lines.join('\n')}\n`
}

/** How many tasks ended how; `skipped` are all that need not run, those that were restored or not needed among them. */
export function countOutcomes({ graph, outcomes }: Pick<RunResult, 'graph' | 'outcomes'>): Counts {
  const counts = { ran: 0, skipped: 0, failed: 0, canceled: 0, interrupted: 0, local: 0, remote: 0, unneeded: 0 }
  for (const id of graph.order) {
    const outcome = outcomes.get(id)
    if (outcome === undefined) continue
    counts[outcome.status]++
    if (outcome.status === 'failed' && outcome.failure.reason === 'interrupted') counts.interrupted++
    const fate = fateOf(outcome)
    if (fate === 'local' || fate === 'remote' || fate === 'unneeded') counts[fate]++
  }
  return counts
}

/** What kept tasks from running, and how many each. */
function causesOf({ graph, outcomes }: RunResult): ReadonlyMap<string, number> {
  const causes = new Map<string, number>()
  for (const id of graph.order) {
    const outcome = outcomes.get(id)
    if (outcome?.status !== 'canceled') continue
    const cause = rootCause(outcome.by, outcomes)
    causes.set(cause, (causes.get(cause) ?? 0) + 1)
  }
  return causes
}

export interface Counts {
  readonly ran: number
  readonly skipped: number
  readonly failed: number
  /** Of those failed, cut short because the run was to end. */
  readonly interrupted: number
  readonly canceled: number
  /** Of those skipped, restored from the local cache. */
  readonly local: number
  readonly remote: number
  readonly unneeded: number
}

function verdict(counts: Counts, words: string, time: string, paint: Paint): string {
  const { ran, skipped, failed, interrupted, canceled, local, remote, unneeded } = counts
  const fresh = skipped - local - remote - unneeded
  if (ran + failed + canceled + local + remote === 0) return nothingToDo(fresh)
  const parts = [
    ...(failed > interrupted ? [paint.red(`${failed - interrupted} failed`)] : []),
    ...(interrupted > 0 ? [paint.yellow(`${interrupted} interrupted`)] : []),
    ...(ran > 0 ? [`${ran} ran`] : []),
    ...(fresh > 0 ? [`${fresh} up to date`] : []),
    ...(local > 0 ? [`${local} restored (local)`] : []),
    ...(remote > 0 ? [`${remote} restored (remote)`] : []),
    ...(unneeded > 0 ? [`${unneeded} not needed`] : []),
    ...(canceled > 0 ? [`${canceled} not run`] : []),
  ]
  return `${words} ${time}: ${parts.join(', ')}`
}

function savedText({ savedMs = 0, paint }: SummaryOptions): string {
  return savedMs < 1000 ? '' : paint.dim(` (saved ${renderDuration(savedMs)})`)
}

/** Where to look first when a run takes too long; of a single task the line above says it. */
function slowestLines({ tookMs = new Map<TaskId, number>(), paint }: SummaryOptions): readonly string[] {
  const slowest = [...tookMs].sort(([, a], [, b]) => b - a).slice(0, 3)
  if (slowest.length < 2) return []
  return [paint.dim(`  slowest: ${slowest.map(([id, ms]) => `${shortName(id)} ${renderDuration(ms)}`).join(', ')}`)]
}

/** An interrupt fails the tasks it finds at work: that is no failure of the run, unless something else failed too. */
function headline({ outcomes, paint }: SummaryOptions, causes: ReadonlyMap<string, number>): string {
  const failures = [...outcomes.values()].flatMap((outcome) => (outcome.status === 'failed' ? [outcome.failure.reason] : []))
  if (failures.some((reason) => reason !== 'interrupted')) return paint.red('failed after')
  if (failures.length > 0 || causes.has('signal')) return paint.yellow('interrupted after')
  return causes.size > 0 ? paint.yellow('stopped after') : paint.green('done in')
}

function causeText(cause: string, outcomes: ReadonlyMap<TaskId, Outcome>): string {
  if (cause === 'signal') return 'interrupted'
  if (cause === 'stop') return 'the run had stopped after a failure'
  const outcome = outcomes.get(cause as TaskId)
  if (outcome?.status !== 'failed') return `${shortName(cause)} was not run`
  return `${shortName(cause)} ${outcome.failure.reason === 'interrupted' ? 'was interrupted' : 'failed'}`
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
