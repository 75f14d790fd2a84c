import { phases } from '../../graph/types.ts'
import { TaskFailure } from '../../tasks/kind.ts'
import { allPhases, type PhaseStatus, type Release } from './release.ts'

/** The whole file: `fields` are members of the root that are not ours, written back as they were. */
export interface History {
  readonly releases: readonly Release[]
  readonly fields: Readonly<Record<string, unknown>>
}

const schemaVersion = 1
const statuses: readonly string[] = ['pending', 'running', 'completed', 'failed', 'skipped'] satisfies readonly PhaseStatus[]

/**
 * Reads a history, tolerant of members it does not know and of ones that older files lack.
 * @param subject where the text is from, for the failure.
 * @throws TaskFailure for a file that is damaged, or newer than this program: it must not be written over.
 */
export function parseHistory(text: string, subject: string): History {
  const root = parseJson(text, subject)
  if (!isRecord(root) || !Array.isArray(root['releases'])) throw damaged(subject, 'it has no list `releases`')
  const version = root['schema_version'] ?? schemaVersion
  if (version !== schemaVersion) {
    const message = `the release history has schema version ${JSON.stringify(version)}; this program knows version ${schemaVersion}`
    throw new TaskFailure({ reason: 'refused', subject, message, remedy: 'use the version of stagecraft that wrote it, or a newer one' })
  }
  const { releases, schema_version: _, ...fields } = root
  return { releases: (releases as readonly unknown[]).map((entry, index) => parseRelease(entry, index, subject)), fields }
}

/** Two-space JSON that ends in a line feed. */
export function renderHistory(history: History): string {
  return `${JSON.stringify({ schema_version: schemaVersion, ...history.fields, releases: history.releases }, null, 2)}\n`
}

function parseRelease(entry: unknown, index: number, subject: string): Release {
  const at = `releases[${index}]`
  if (!isRecord(entry)) throw damaged(subject, `${at} is not an object`)
  const text = (field: string, otherwise?: string): string => {
    const value = entry[field] ?? otherwise
    if (typeof value !== 'string') throw damaged(subject, `${at}.${field} is not a text`)
    return value
  }
  const stored = entry['phases'] ?? {}
  if (!isRecord(stored)) throw damaged(subject, `${at}.phases is not an object`)
  for (const phase of phases) {
    const status = stored[phase]
    if (status !== undefined && !statuses.includes(String(status))) throw damaged(subject, `${at}.phases.${phase} is not a known status`)
  }
  const timestamp = text('timestamp')
  const kind = text('kind', 'deploy')
  if (kind !== 'deploy' && kind !== 'rollback' && kind !== 'build') throw damaged(subject, `${at}.kind is not a known kind`)
  return {
    ...entry,
    id: text('id'),
    kind,
    environment: text('environment'),
    version: text('version'),
    commit_sha: text('commit_sha', ''),
    timestamp,
    updated_at: text('updated_at', timestamp),
    phases: { ...allPhases('pending'), ...stored },
    // Files from before the field: whoever wrote them is long gone.
    finished: entry['finished'] === undefined ? entry['owner'] === undefined : entry['finished'] === true,
  }
}

function parseJson(text: string, subject: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    throw damaged(subject, error instanceof Error ? error.message : String(error))
  }
}

function damaged(subject: string, what: string): TaskFailure {
  return new TaskFailure({
    reason: 'refused',
    subject,
    message: `the release history is damaged: ${what}`,
    remedy: 'repair the file, or move it away to begin a new history; it was left as it is',
  })
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
