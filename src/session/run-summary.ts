/** `--summary file.json`: how a run ended, for machines (spec/core/trace.md). Pure. */
import type { Fingerprint, JsonObject, TaskGraph, TaskId } from '../../graph/types.ts'
import type { ExitCode } from '../contracts.ts'
import { fateOf } from '../ui/outcome-words.ts'
import { countOutcomes } from '../ui/summary.ts'
import { shortName } from '../ui/task-name.ts'
import type { RunRecord, TaskRecord } from './run-record.ts'

export interface RunSummary {
  readonly targets: readonly string[]
  readonly environment: string
  readonly graph: TaskGraph
  readonly record: RunRecord
  /** By the clock of the events, milliseconds since 1970. */
  readonly startedAt: number
  readonly finishedAt: number
  readonly exitCode: ExitCode
  readonly versions: Readonly<Record<string, string>>
  readonly fingerprints: ReadonlyMap<TaskId, Fingerprint>
}

export function runSummary(run: RunSummary): JsonObject {
  const { graph, record } = run
  const outcomes = new Map([...record.tasks].flatMap(([id, { outcome }]) => (outcome ? [[id, outcome] as const] : [])))
  const { ran, skipped, failed, canceled, local, remote, unneeded } = countOutcomes({ graph, outcomes })
  return {
    schema_version: 1,
    targets: run.targets,
    environment: run.environment,
    started_at: new Date(run.startedAt).toISOString(),
    finished_at: new Date(run.finishedAt).toISOString(),
    duration_ms: Math.round(run.finishedAt - run.startedAt),
    exit_code: run.exitCode,
    versions: run.versions,
    counts: {
      tasks: graph.order.length,
      ran,
      up_to_date: skipped - local - remote - unneeded,
      restored_local: local,
      restored_remote: remote,
      not_needed: unneeded,
      failed,
      canceled,
    },
    tasks: graph.order.map((id) => taskJson(id, record.tasks.get(id), run)),
  }
}

const statusWords = {
  ran: 'ran',
  fresh: 'up_to_date',
  local: 'restored',
  remote: 'restored',
  unneeded: 'not_needed',
  failed: 'failed',
  canceled: 'canceled',
} as const

function taskJson(id: TaskId, known: TaskRecord | undefined, { startedAt, fingerprints }: RunSummary): JsonObject {
  const { outcome, because } = known ?? {}
  const fingerprint = fingerprints.get(id)
  return {
    id,
    name: shortName(id),
    status: outcome === undefined ? 'unknown' : statusWords[fateOf(outcome)],
    ...(because === undefined ? {} : { because: { ...because } }),
    ...(outcome?.status === 'skipped' ? { from: outcome.from, ...(outcome.detail === undefined ? {} : { detail: outcome.detail }) } : {}),
    ...(outcome?.status === 'canceled' ? { canceled_by: outcome.by } : {}),
    ...(outcome?.status === 'failed' ? { failure: failureJson(outcome.failure) } : {}),
    ...timesJson(known, startedAt),
    ...(fingerprint === undefined ? {} : { fingerprint }),
  }
}

function failureJson({
  reason,
  subject,
  message,
  remedy,
}: {
  readonly reason: string
  readonly subject: string
  readonly message: string
  readonly remedy?: string
}): JsonObject {
  return { reason, subject, message, ...(remedy === undefined ? {} : { remedy }) }
}

function timesJson(known: TaskRecord | undefined, runStartedAt: number): JsonObject {
  if (known?.startedAt === undefined || known.endedAt === undefined) return {}
  return { start_ms: Math.round(known.startedAt - runStartedAt), duration_ms: Math.round(known.endedAt - known.startedAt) }
}
