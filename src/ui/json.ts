import type { Outcome } from '../../graph/types.ts'
import type { RunEvent } from '../contracts.ts'
import { everyOutcome } from './every-outcome.ts'
import { countOutcomes, type RunResult } from './summary.ts'
import type { View } from './view.ts'

/** One JSON object per line, as described in spec/core/events.md; raised when a member changes meaning. */
export const eventSchemaVersion = 1

/** Writes events as they come. Text is whole and unaltered: JSON escapes it. */
export function createJsonView(stdout: NodeJS.WritableStream): View {
  return {
    on: (event) => void stdout.write(`${JSON.stringify(eventRecord(event))}\n`),
    drive: everyOutcome,
    finish: (result) => void stdout.write(`${JSON.stringify(summaryRecord(result))}\n`),
  }
}

/** The last record of a run. */
export function summaryRecord(result: RunResult): object {
  const { canceled, failed, ran, skipped, local, remote } = countOutcomes(result)
  const release = result.release === undefined ? {} : { release: { id: result.release.id, version: result.release.version } }
  const head = { schema_version: eventSchemaVersion, type: 'summary', duration_ms: Math.round(result.durationMs) }
  return { ...head, ran, skipped, restored: { local, remote }, failed, canceled, ...release }
}

/** The record of one event: what spec/core/events.md documents. */
export function eventRecord(event: RunEvent): object {
  const { task } = event
  const head = {
    schema_version: eventSchemaVersion,
    type: event.type,
    at: new Date(event.at).toISOString(),
    task: task.id,
    kind: task.kind,
  }
  switch (event.type) {
    case 'started':
      return { ...head, because: event.because }
    case 'output':
      return { ...head, line: event.line, ...(event.replayed ? { replayed: true } : {}) }
    case 'finished':
      return { ...head, outcome: outcomeRecord(event.outcome) }
  }
}

/** Files of a result are left out: they are many, and named by the cache. */
function outcomeRecord(outcome: Outcome): object {
  switch (outcome.status) {
    case 'ran':
      return {
        status: outcome.status,
        because: outcome.because,
        ...(outcome.keepsRunning ? { keeps_running: true } : {}),
        values: outcome.result.values,
      }
    case 'skipped': {
      const { status, from, how = 'present', restoredFiles, detail } = outcome
      const restored = restoredFiles === undefined ? {} : { restored_files: restoredFiles }
      return { status, from, how, ...restored, ...(detail === undefined ? {} : { detail }), values: outcome.result.values }
    }
    case 'failed':
    case 'canceled':
      return outcome
  }
}
