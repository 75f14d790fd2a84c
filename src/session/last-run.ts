/** What the last run left behind of its timings: read by `graph` and `explain`, and by nothing that decides. Format: spec/core/last-run.md. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { TaskId } from '../../graph/types.ts'

export interface LastRun {
  /** ISO 8601, UTC: when the last run that did something ended. */
  readonly finishedAt: string
  readonly tasks: ReadonlyMap<TaskId, TaskTiming>
}

export interface TaskTiming {
  readonly status: 'ran' | 'skipped' | 'failed' | 'canceled'
  /** Since the beginning of the run. */
  readonly startMs: number
  readonly durationMs: number
  /** How long it took when it last really ran, maybe in an earlier run. */
  readonly ranMs?: number
  /** Its outputs were put back from a cache. */
  readonly restored?: true
  /** Why it ran, as the run said. */
  readonly because?: string
  /** ISO 8601, UTC: the end of the run this is from. */
  readonly finishedAt: string
}

export const lastRunPath = join('.stagecraft', 'run', 'last.json')

/** @param directory absolute folder of the manifest. @returns undefined when there was no run, or nothing that can be read. */
export function readLastRun(directory: string): LastRun | undefined {
  try {
    return parseLastRun(readFileSync(join(directory, lastRunPath), 'utf8'))
  } catch {
    // Timings are told where they are known: nothing depends on them.
    return undefined
  }
}

/** Takes what it understands and leaves the rest: an entry that is not as it should be is as good as none. */
export function parseLastRun(text: string): LastRun | undefined {
  let file: unknown
  try {
    file = JSON.parse(text)
  } catch {
    return undefined
  }
  if (!isRecord(file) || file['schema'] !== 1 || !isTime(file['finishedAt']) || !isRecord(file['tasks'])) return undefined
  const { finishedAt } = file
  const tasks = new Map<TaskId, TaskTiming>()
  for (const [id, entry] of Object.entries(file['tasks'])) {
    const timing = timingOf(entry, finishedAt)
    if (timing) tasks.set(id as TaskId, timing)
  }
  return { finishedAt, tasks }
}

function timingOf(entry: unknown, fileFinishedAt: string): TaskTiming | undefined {
  if (!isRecord(entry)) return undefined
  const { status, startMs, durationMs, ranMs, restored, because, finishedAt } = entry
  if (!isStatus(status) || !isDuration(startMs) || !isDuration(durationMs)) return undefined
  return {
    status,
    startMs,
    durationMs,
    ...(isDuration(ranMs) ? { ranMs } : status === 'ran' ? { ranMs: durationMs } : {}),
    ...(restored === true ? { restored } : {}),
    ...(typeof because === 'string' ? { because } : {}),
    finishedAt: isTime(finishedAt) ? finishedAt : fileFinishedAt,
  }
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function isTime(value: unknown): value is string {
  return typeof value === 'string' && !Number.isNaN(Date.parse(value))
}

function isDuration(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value) && value >= 0
}

function isStatus(value: unknown): value is TaskTiming['status'] {
  return value === 'ran' || value === 'skipped' || value === 'failed' || value === 'canceled'
}
