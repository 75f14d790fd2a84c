/**
 * The journal of an environment on one host: what the run that holds the lock found there and which task it is at, so that the run after a
 * dead one knows. One JSON object a line, each with its version. Pure.
 */
import type { HostPicture } from '../../tasks/ports.ts'

/** In the environment's folder on the host. */
export const journalFile = 'journal.ndjson'

/** Of which a line says it is. Raise it when an older reader would misunderstand. */
const lineVersion = 1

interface Common {
  /** Unique per run. */
  readonly run: string
  /** Counts the lines of a run on all its hosts. */
  readonly n: number
}

/** The lock was taken. What is there is on record before anything changes it. */
export interface BegunLine extends Common {
  readonly event: 'begun'
  /** ISO 8601, by the clock of who runs. */
  readonly at: string
  /** For people: `anna@laptop`. */
  readonly who: string
  /** `deploy`, `rollback`, … */
  readonly what: string
  readonly version?: string
  /** Id of the release that was the last finished one; empty when there was none. */
  readonly base: string
  readonly before: HostPicture
}

export interface TaskLine extends Common {
  readonly event: 'task'
  readonly task: string
  readonly did: 'begin' | 'done' | 'failed' | 'undo' | 'undone' | 'not-undone'
}

export type JournalLine =
  | BegunLine
  | TaskLine
  /** Under which id the run is recorded. */
  | (Common & { readonly event: 'release'; readonly release: string })
  /** What a way back needs is about to be thrown away. */
  | (Common & { readonly event: 'commit' })
  /** `settled`: the host is as a finished release wants it, or as it was before; nothing is left to take back. */
  | (Common & { readonly event: 'ended'; readonly how: string; readonly settled: boolean })

export type ParsedLine =
  | { readonly kind: 'line'; readonly line: JournalLine }
  /** The beginning of a line, as a run that was killed may leave one. */
  | { readonly kind: 'torn' }
  | { readonly kind: 'bad'; readonly why: string }

/** With its line feed. */
export function renderLine(line: JournalLine): string {
  return `${JSON.stringify({ v: lineVersion, ...line })}\n`
}

const start = `{"v":${lineVersion},`

export function parseLine(text: string): ParsedLine {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    const isTorn = text.length < start.length ? start.startsWith(text) : text.startsWith(start)
    return isTorn ? { kind: 'torn' } : { kind: 'bad', why: 'it is no line of a journal' }
  }
  const fields = record(value)
  if (fields === undefined || typeof fields['v'] !== 'number') return { kind: 'bad', why: 'it is no line of a journal' }
  if (fields['v'] !== lineVersion)
    return { kind: 'bad', why: `it is of version ${fields['v']}, and this Stagecraft reads version ${lineVersion}` }
  const { v: _, ...line } = fields
  return isLine(line) ? { kind: 'line', line } : { kind: 'bad', why: 'it lacks what a line of a journal says' }
}

const did: readonly unknown[] = ['begin', 'done', 'failed', 'undo', 'undone', 'not-undone'] satisfies readonly TaskLine['did'][]

function isLine(fields: object): fields is JournalLine {
  const { run, n, event, ...rest } = fields as Record<string, unknown>
  if (typeof run !== 'string' || !Number.isSafeInteger(n)) return false
  switch (event) {
    case 'begun':
      return areTexts(rest, ['at', 'who', 'what', 'base']) && isPicture(rest['before'])
    case 'task':
      return areTexts(rest, ['task']) && did.includes(rest['did'])
    case 'release':
      return areTexts(rest, ['release'])
    case 'commit':
      return true
    case 'ended':
      return areTexts(rest, ['how']) && typeof rest['settled'] === 'boolean'
    default:
      return false
  }
}

function isPicture(value: unknown): boolean {
  const picture = record(value)
  if (picture === undefined || !Array.isArray(picture['containers'])) return false
  if (picture['bundle'] !== undefined && typeof picture['bundle'] !== 'string') return false
  if (!Array.isArray(picture['down']) || !picture['down'].every((name) => typeof name === 'string')) return false
  return picture['containers'].every((container) => {
    const fields = record(container)
    return fields !== undefined && areTexts(fields, ['id', 'name', 'service', 'hash'])
  })
}

function areTexts(fields: Readonly<Record<string, unknown>>, names: readonly string[]): boolean {
  return names.every((name) => typeof fields[name] === 'string')
}

function record(value: unknown): Readonly<Record<string, unknown>> | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : undefined
}
