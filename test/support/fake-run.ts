/** A rig for the executor: tiny kinds, an in-memory cache, and a record of everything that happened. */
import { z } from 'zod'
import type { Cache } from '../../cache/cache.ts'
import { digestOf } from '../../graph/fingerprint.ts'
import { taskGraph } from '../../graph/task-graph.ts'
import type { Action, ActionResult, Json, Outcome, Task, TaskGraph, TaskId } from '../../graph/types.ts'
import type { RunEvent } from '../../src/contracts.ts'
import type { EnvironmentLock, RunOptions } from '../../src/execution/run-options.ts'
import { startRun } from '../../src/executor.ts'
import type { TaskKind } from '../../tasks/kind.ts'
import type { Ports } from '../../tasks/ports.ts'

export function memoryCache(): Cache {
  const results = new Map<string, ActionResult>()
  const blobs = new Map<string, Uint8Array>()
  return {
    name: 'local',
    actions: {
      get: async (key) => results.get(key),
      set: async (key, result) => void results.set(key, result),
    },
    content: {
      has: async (digest) => blobs.has(digest),
      read: async (digest) => blobs.get(digest),
      async write(bytes) {
        blobs.set(digestOf(bytes), bytes)
        return digestOf(bytes)
      },
    },
  }
}

export const id = (text: string) => text as TaskId

/** `task('build:api', { needs: ['x:y'], params: 1 })` */
export function task(name: string, parts: { needs?: string[]; after?: string[]; params?: Json } = {}): Task {
  return {
    id: id(name),
    kind: name.split(':')[0] ?? '',
    params: parts.params ?? null,
    needs: (parts.needs ?? []).map(id),
    after: (parts.after ?? []).map(id),
  }
}

export function graphOf(...tasks: Task[]): TaskGraph {
  const checked = taskGraph(tasks)
  if (!checked.ok) throw new Error(checked.diagnostics.map(({ message }) => message).join('\n'))
  return checked.value
}

export function resultOf(value: Json): ActionResult {
  return { files: {}, values: { value } }
}

/** A kind whose result is its parameter, unless told otherwise. */
export function kind(name: string, parts: Partial<TaskKind> = {}): TaskKind {
  return {
    name,
    version: 1,
    summary: name,
    freshness: 'content',
    phase: 'build',
    params: z.any(),
    title: () => name,
    run: async (params) => resultOf(params),
    ...parts,
  }
}

export interface Rig {
  readonly options: RunOptions
  readonly events: RunEvent[]
  readonly log: Map<TaskId, Action>
  readonly controller: AbortController
  /** Runs everything, asking in the graph's order. */
  run(graph: TaskGraph, overrides?: Partial<RunOptions>): Promise<ReadonlyMap<TaskId, Outcome>>
  /** Ids of the tasks that started in the last run, in order. */
  started(): string[]
}

export function rig(kinds: readonly TaskKind[], overrides: Partial<RunOptions> = {}): Rig {
  const events: RunEvent[] = []
  const log = new Map<TaskId, Action>()
  const controller = new AbortController()
  const freeLock: EnvironmentLock = { isHeld: false, hold: async () => {}, verify: async () => {} }
  let clock = 0
  const options: RunOptions = {
    caches: [memoryCache()],
    log: { last: async (task) => log.get(task), record: async (task, action) => void log.set(task, action) },
    files: { states: async () => ({}) },
    variable: () => undefined,
    environment: { matching: () => ({}) },
    tool: async () => '',
    secrets: { names: [], get: () => '', digest: () => 'absent' },
    kinds: new Map(kinds.map((one) => [one.name, one])),
    ports: {} as Ports,
    scope: { project: 'shop', environment: 'prod', version: 'v1' },
    pools: { default: 4 },
    force: () => false,
    lock: freeLock,
    redact: (text) => text,
    mayStart: async () => true,
    onFailure: 'stop',
    signal: controller.signal,
    on: (event) => void events.push(event),
    now: () => clock++,
    ...overrides,
  }
  return {
    options,
    events,
    log,
    controller,
    async run(graph, more = {}) {
      events.length = 0
      const run = startRun(graph, { ...options, ...more })
      const outcomes = new Map<TaskId, Outcome>()
      for (const task of graph.order) outcomes.set(task, await run.outcome(task))
      return outcomes
    },
    started: () => events.filter((event) => event.type === 'started').map((event) => event.task.id),
  }
}
