/** `.stagecraft/run/last.json`: when each task last ran and how long it took, for the graph page and for what a restore saves (spec/core/last-run.md). */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { replaceFile } from '../../cache/replace-file.ts'
import type { Outcome, TaskId } from '../../graph/types.ts'
import { fateOf } from '../ui/outcome-words.ts'
import type { RunRecord, TaskRecord } from './run-record.ts'

export interface LastRun {
  readonly schema: 1
  /** ISO 8601. */
  readonly finishedAt: string
  readonly tasks: Readonly<Record<string, LastRunTask>>
}

export interface LastRunTask {
  readonly status: 'ran' | 'failed' | 'restored'
  /** Since the run began. */
  readonly startMs: number
  readonly durationMs: number
  readonly because?: string
}

const pathIn = (directory: string): string => join(directory, '.stagecraft', 'run', 'last.json')

/** What earlier runs left; undefined when there is nothing of use, since nothing depends on it. */
export function readLastRun(directory: string): LastRun | undefined {
  try {
    const value = JSON.parse(readFileSync(pathIn(directory), 'utf8')) as LastRun
    return value.schema === 1 && typeof value.tasks === 'object' && value.tasks !== null ? value : undefined
  } catch {
    return undefined
  }
}

/**
 * The file after a run: tasks that did not run now keep what was known of them, and one that was restored keeps how long it took when it
 * ran. Undefined when nothing happened. Pure.
 */
export function nextLastRun(before: LastRun | undefined, record: RunRecord, startedAt: number, finishedAt: Date): LastRun | undefined {
  const now = [...record.tasks].flatMap(([id, task]) => {
    const entry = entryOf(task, startedAt)
    return entry === undefined || (entry.status === 'restored' && before?.tasks[id] !== undefined) ? [] : [[id, entry] as const]
  })
  if (now.length === 0) return undefined
  return { schema: 1, finishedAt: finishedAt.toISOString(), tasks: { ...before?.tasks, ...Object.fromEntries(now) } }
}

function entryOf({ startedAt, endedAt, because, outcome }: TaskRecord, runStartedAt: number): LastRunTask | undefined {
  if (outcome === undefined || endedAt === undefined) return undefined
  const status = statusOf(outcome)
  if (status === undefined) return undefined
  const start = startedAt ?? endedAt
  const why = because === undefined ? {} : { because: because.detail }
  return { status, startMs: start - runStartedAt, durationMs: endedAt - start, ...why }
}

function statusOf(outcome: Outcome): LastRunTask['status'] | undefined {
  const fate = fateOf(outcome)
  if (fate === 'ran' || fate === 'failed') return fate
  return fate === 'local' || fate === 'remote' ? 'restored' : undefined
}

/** Best effort: a run is not worse for it. */
export function writeLastRun(directory: string, lastRun: LastRun, warn: (message: string) => void): void {
  try {
    replaceFile(pathIn(directory), `${JSON.stringify(lastRun)}\n`)
  } catch (error) {
    warn(`when tasks ran was not kept: ${error instanceof Error ? error.message : String(error)}`)
  }
}

/** How long tasks took when they last ran here, of those that were put back now. */
export function savedMs(before: LastRun | undefined, outcomes: ReadonlyMap<TaskId, Outcome>): number {
  let saved = 0
  for (const [id, outcome] of outcomes) {
    const fate = fateOf(outcome)
    const last = before?.tasks[id]
    if ((fate === 'local' || fate === 'remote') && last?.status === 'ran') saved += last.durationMs
  }
  return saved
}
