import type { Fingerprint, TaskId } from '../../graph/types.ts'
import type { TaskContext } from '../../tasks/kind.ts'
import type { Database, Ports } from '../../tasks/ports.ts'

export interface MigrationContext {
  readonly context: TaskContext
  readonly lines: string[]
  /** How often the lock was asked about. */
  readonly guards: () => number
}

/** The context of a migration: a database, a folder and a release, and nothing else. */
export function migrationContext(options: {
  readonly projectDirectory: string
  readonly database: (name: string) => Promise<Database>
  readonly releaseId?: string
  readonly signal?: AbortSignal
}): MigrationContext {
  const lines: string[] = []
  let guards = 0
  const ports = {
    projectDirectory: options.projectDirectory,
    database: options.database,
    release: { id: async () => options.releaseId ?? 'rel-20260102-030405678' },
  } as unknown as Ports
  const context: TaskContext = {
    id: 'migrate_pre:main' as TaskId,
    fingerprint: 'f' as Fingerprint,
    scope: { project: 'shop', environment: 'prod', version: 'v1' },
    signal: options.signal ?? new AbortController().signal,
    needs: new Map(),
    ports,
    log: (line) => lines.push(line),
    hold: () => {},
    guard: async () => {
      guards += 1
    },
  }
  return { context, lines, guards: () => guards }
}
