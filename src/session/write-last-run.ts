/** Writes `.stagecraft/run/last.json` (spec/core/last-run.md); `last-run.ts` reads it. */
import { join } from 'node:path'
import { replaceFile } from '../../cache/replace-file.ts'
import type { Outcome, TaskId } from '../../graph/types.ts'
import { fateOf } from '../ui/outcome-words.ts'
import { type LastRun, lastRunPath, type TaskTiming } from './last-run.ts'
import type { RunRecord, TaskRecord } from './run-record.ts'

export interface RunTimes {
  /** By the clock of the events. */
  readonly startedAt: number
  readonly finishedAt: Date
}

/** A run in which no task ran, failed, was canceled or restored is not worth a write. */
export function somethingHappened(record: RunRecord): boolean {
  return [...record.tasks.values()].some(({ outcome }) => outcome !== undefined && !['fresh', 'unneeded'].includes(fateOf(outcome)))
}

/** What is known after a run: tasks that were not part of it keep what was known, tasks of the user's that are no more go. Pure. */
export function nextLastRun(before: LastRun | undefined, record: RunRecord, times: RunTimes, ids: ReadonlySet<TaskId>): LastRun {
  const finishedAt = times.finishedAt.toISOString()
  const tasks = new Map<TaskId, TaskTiming>()
  for (const [id, timing] of before?.tasks ?? []) if (ids.has(id) || !id.startsWith('exec:')) tasks.set(id, timing)
  for (const [id, known] of record.tasks) {
    const timing = timingOf(known, times.startedAt, finishedAt, tasks.get(id)?.ranMs)
    if (timing !== undefined) tasks.set(id, timing)
  }
  return { finishedAt, tasks }
}

function timingOf(known: TaskRecord, runStartedAt: number, finishedAt: string, ranBeforeMs: number | undefined): TaskTiming | undefined {
  const { startedAt, endedAt, because, outcome } = known
  if (outcome === undefined || endedAt === undefined) return undefined
  const start = startedAt ?? endedAt
  const durationMs = Math.max(0, endedAt - start)
  const ranMs = outcome.status === 'ran' ? durationMs : ranBeforeMs
  return {
    status: outcome.status,
    startMs: Math.max(0, start - runStartedAt),
    durationMs,
    ...(ranMs === undefined ? {} : { ranMs }),
    ...(['local', 'remote'].includes(fateOf(outcome)) ? { restored: true } : {}),
    ...(because === undefined ? {} : { because: because.detail }),
    finishedAt,
  }
}

/** @param warn told when it cannot be written: the run is no worse for it. */
export function writeLastRun(directory: string, { finishedAt, tasks }: LastRun, warn: (message: string) => void): void {
  const entries = [...tasks].map(([id, { finishedAt: of, ...timing }]) => [id, of === finishedAt ? timing : { ...timing, finishedAt: of }])
  try {
    replaceFile(join(directory, lastRunPath), `${JSON.stringify({ schema: 1, finishedAt, tasks: Object.fromEntries(entries) })}\n`)
  } catch (error) {
    warn(`when tasks ran was not kept: ${error instanceof Error ? error.message : String(error)}`)
  }
}

/** How long tasks took when they last ran here, of those that were put back now. */
export function savedMs(before: LastRun | undefined, outcomes: ReadonlyMap<TaskId, Outcome>): number {
  let saved = 0
  for (const [id, outcome] of outcomes) {
    const fate = fateOf(outcome)
    if (fate === 'local' || fate === 'remote') saved += before?.tasks.get(id)?.ranMs ?? 0
  }
  return saved
}
