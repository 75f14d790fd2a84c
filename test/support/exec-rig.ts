/** Commands for real: the exec kind, the executor and programs of this machine, in a folder; the cache is in memory. */
import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Digest, Outcome, Task, TaskGraph } from '../../graph/types.ts'
import type { RunOptions } from '../../src/execution/run-options.ts'
import { taskLocks } from '../../src/execution/task-locks.ts'
import { startRun } from '../../src/executor.ts'
import { processEnvironment } from '../../src/programs/environment.ts'
import { probes } from '../../src/programs/probes.ts'
import { toolVersions } from '../../src/programs/tools.ts'
import type { ExecParams } from '../../tasks/exec/params.ts'
import { exec } from '../../tasks/exec.ts'
import type { Ports } from '../../tasks/ports.ts'
import { type Rig, rig, task } from './fake-run.ts'
import { type ProgramsRig, programsRig } from './programs-rig.ts'

export interface ExecRig extends Omit<Rig, 'run'> {
  readonly programs: ProgramsRig
  readonly notices: string[]
  /** Lines that a task printed in the last run. */
  lines(name: string): string[]
  start(graph: TaskGraph, overrides?: Partial<RunOptions>): ReturnType<typeof startRun>
  /** Asks for all of them at once, as views do. */
  run(graph: TaskGraph, overrides?: Partial<RunOptions>): Promise<ReadonlyMap<string, Outcome>>
  close(): void
}

export type ExecParts = Partial<Omit<ExecParams, 'command'>> & { needs?: string[]; after?: string[] }

/** `command('test', 'npm test', { needs: ['exec:build'] })`: a shell line, or arguments. */
export function command(name: string, line: string | string[], { needs, after, ...parts }: ExecParts = {}): Task {
  const params: ExecParams = {
    ...{ name, command: typeof line === 'string' ? ['sh', '-c', line] : line, cwd: '.', inputs: [], outputs: [], env: [], passEnv: [] },
    ...{ secrets: [], variables: {}, tools: [], cache: true, timeoutMs: null, retries: 0, pool: null, service: null },
    ...parts,
  }
  return task(`exec:${name}`, { params, ...(needs ? { needs } : {}), ...(after ? { after } : {}) })
}

type Ready = NonNullable<ExecParams['service']>['ready']

export function service(name: string, line: string | string[], ready: Partial<Ready>, parts: ExecParts = {}): Task {
  return command(name, line, {
    ...parts,
    service: { ready: { http: null, tcp: null, line: null, command: null, timeoutMs: 10_000, ...ready } },
  })
}

export function execRig(directory: string, env: Record<string, string> = {}, secrets: Record<string, string> = {}): ExecRig {
  const redact = (text: string) => Object.values(secrets).reduce((clean, secret) => clean.replaceAll(secret, '***'), text)
  const programs = programsRig(directory, redact)
  const environment = processEnvironment({ PATH: process.env['PATH'], ...env })
  const store = new Map<string, Uint8Array>()
  const ports = {
    programs: programs.programs,
    probes,
    environment,
    projectDirectory: directory,
    secrets: { names: Object.keys(secrets), get: (name: string) => secrets[name] ?? '', digest: () => 'digest' },
    content: {
      write: async (bytes: Uint8Array) => {
        const digest = createHash('sha256').update(bytes).digest('hex') as Digest
        store.set(digest, bytes)
        return digest
      },
      read: async (digest: Digest) => store.get(digest) ?? new Uint8Array(),
    },
    outputs: {
      prepare: async () => {},
      capture: async () => ({ files: {} }),
      isIntact: async () => true,
      restore: async () => ({ state: 'intact' }),
    },
  } as unknown as Ports
  const notices: string[] = []
  const files = {
    states: async ({ include = [] }: { readonly include?: readonly string[] }) =>
      Object.fromEntries(
        readdirSync(directory)
          .filter((name) => include.includes(name) && existsSync(join(directory, name)))
          .map((name) => [name, readFileSync(join(directory, name), 'utf8')]),
      ),
  }
  const base = rig([exec], {
    ports,
    files,
    environment,
    redact,
    tool: toolVersions(programs.programs, environment, directory, programs.stop.signal),
    taskLocks: taskLocks(programs.record),
    notice: (line) => notices.push(line),
    signal: programs.stop.signal,
  })
  const start: ExecRig['start'] = (graph, overrides) => startRun(graph, { ...base.options, ...overrides })
  return {
    ...base,
    programs,
    notices,
    lines: (name) => base.events.flatMap((event) => (event.type === 'output' && event.task.id === `exec:${name}` ? [event.line] : [])),
    start,
    async run(graph, overrides) {
      base.events.length = 0
      const run = start(graph, overrides)
      return new Map(await Promise.all(graph.order.map(async (id) => [id as string, await run.outcome(id)] as const)))
    },
    close: () => programs.record.close(),
  }
}
