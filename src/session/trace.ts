/**
 * A run as Chrome trace events (https://docs.google.com/document/d/1CvAClvFfyA5R-PhYUmn5OOQtYMH4h6I0nSsKchNAySU), as Perfetto opens them.
 * One lane per task at a time: a task takes the first lane that is free when it starts. Pure.
 */
import type { JsonObject, TaskGraph } from '../../graph/types.ts'
import { fateOf } from '../ui/outcome-words.ts'
import { shortName } from '../ui/task-name.ts'
import type { RunRecord, TaskRecord } from './run-record.ts'

/** @param startedAt when the run began, by the clock of its events. */
export function traceOf(graph: TaskGraph, record: RunRecord, startedAt: number): JsonObject {
  const at = (ms: number): number => Math.max(0, Math.round((ms - startedAt) * 1000))
  const events: JsonObject[] = [{ name: 'process_name', ph: 'M', pid: 1, tid: 0, args: { name: 'stagecraft' } }]
  const lanes: number[] = []
  const inGraph = new Set(graph.order)
  const ran = [...record.tasks.values()].filter((task): task is Timed => task.startedAt !== undefined && task.endedAt !== undefined)
  for (const task of ran.sort((a, b) => a.startedAt - b.startedAt)) {
    const free = lanes.findIndex((busyUntil) => busyUntil <= task.startedAt)
    const lane = free === -1 ? lanes.length : free
    lanes[lane] = task.endedAt
    const ends = (inGraph.has(task.task.id) ? graph.dependencies(task.task.id) : []).map((id) => record.tasks.get(id)?.endedAt ?? startedAt)
    const readyAt = ends.reduce((latest, end) => Math.max(latest, end), startedAt)
    events.push(...waiting(task, readyAt, at), span(task, lane + 1, at))
  }
  for (const task of record.tasks.values())
    if (task.startedAt === undefined && task.endedAt !== undefined) events.push(instant(task, at(task.endedAt)))
  const names = lanes.map(
    (_, lane): JsonObject => ({ name: 'thread_name', ph: 'M', pid: 1, tid: lane + 1, args: { name: `slot ${lane + 1}` } }),
  )
  const notRun: JsonObject = { name: 'thread_name', ph: 'M', pid: 1, tid: 0, args: { name: 'did not run' } }
  return { displayTimeUnit: 'ms', traceEvents: [...events, ...names, notRun] }
}

type Timed = TaskRecord & { readonly startedAt: number; readonly endedAt: number }

function span({ task, startedAt, endedAt, because, outcome }: Timed, lane: number, at: (ms: number) => number): JsonObject {
  const args = { id: task.id, status: outcome?.status ?? 'unknown', because: because?.detail ?? '' }
  const color = outcome?.status === 'failed' ? { cname: 'terrible' } : {}
  return {
    name: shortName(task.id),
    cat: task.kind,
    ph: 'X',
    pid: 1,
    tid: lane,
    ts: at(startedAt),
    dur: at(endedAt) - at(startedAt),
    args,
    ...color,
  }
}

/** From the end of the last task it depends on: reading and hashing its inputs, and waiting for a slot. */
function waiting({ task, startedAt }: Timed, readyAt: number, at: (ms: number) => number): readonly JsonObject[] {
  if (startedAt <= readyAt) return []
  const common = { name: `${shortName(task.id)} waits`, cat: 'wait', id: task.id, pid: 1, tid: 0 }
  return [
    { ...common, ph: 'b', ts: at(readyAt) },
    { ...common, ph: 'e', ts: at(startedAt) },
  ]
}

function instant({ task, outcome }: TaskRecord, ts: number): JsonObject {
  const status = outcome === undefined ? 'unknown' : fateOf(outcome)
  return { name: `${shortName(task.id)}: ${status}`, cat: 'skipped', ph: 'i', s: 't', pid: 1, tid: 0, ts, args: { id: task.id, status } }
}
