/** What a run remembers of the last ones and leaves to the next: the state, what is read through it, and the certificate. */
import { basename, join } from 'node:path'
import type { ActionLog, Cache } from '../../cache/cache.ts'
import { isObject } from '../../cache/foreign.ts'
import type { Outcome, TaskGraph, TaskId } from '../../graph/types.ts'
import type { TaskKind } from '../../tasks/kind.ts'
import { buildId } from '../cli/build-id.ts'
import type { App } from '../contracts.ts'
import { type FileIndex, openFileIndex } from '../files/file-index.ts'
import { certify } from '../state/certify.ts'
import { fileClock } from '../state/file-clock.ts'
import { RunState } from '../state/run-state.ts'
import { toolStamps } from '../state/tool-stamps.ts'
import type { Project } from './open-project.ts'

export interface RunMemory {
  readonly state: RunState
  readonly files: FileIndex
  readonly log: ActionLog
  /** The cache, what is put into it being remembered too. */
  keeping(cache: Cache): Cache
  /** Asks each tool once for as long as it is the same. */
  tool(ask: (argv: readonly string[]) => Promise<string>): (argv: readonly string[]) => Promise<string>
  certify(targets: readonly string[], graph: TaskGraph, outcomes: ReadonlyMap<TaskId, Outcome>, kinds: ReadonlyMap<string, TaskKind>): void
  save(): void
}

/** @param writes false: nothing is left for the next run, and no clock is kept. */
export function openRunMemory(
  { directory, manifest }: Pick<Project, 'directory' | 'manifest'>,
  app: Pick<App, 'env'>,
  writes: boolean,
): RunMemory {
  const folder = join(directory, '.stagecraft', 'run')
  const state = new RunState(join(folder, 'state'))
  const clock = fileClock(writes ? join(folder, 'clock') : undefined)
  const files = openFileIndex(directory, state, clock)
  const stampsOf = (argv: readonly string[]) => toolStamps(argv, app.env['PATH'], clock)
  return {
    state,
    files,
    log: {
      last: async (id) => state.lastAction(id),
      record: async (id, action) => state.record(id, action),
    },
    keeping: (cache) => ({
      ...cache,
      actions: {
        get: (key) => cache.actions.get(key),
        async set(key, result) {
          state.keep(key, result)
          await cache.actions.set(key, result)
        },
      },
    }),
    tool: (ask) => async (argv) => {
      const stamps = stampsOf(argv)
      if (!stamps) return ask(argv)
      const key = JSON.stringify([argv, [...stamps]])
      const known = isObject(state.tools) ? state.tools[key] : undefined
      if (typeof known === 'string') return known
      const answer = await ask(argv)
      state.tools = { ...otherTools(state.tools, argv), [key]: answer }
      state.changed()
      return answer
    },
    certify(targets, graph, outcomes, kinds) {
      if (!manifest || basename(manifest.path) !== 'stagecraft.yml') return
      certify({
        build: buildId(),
        directory,
        env: app.env,
        targets,
        graph,
        outcomes,
        kinds,
        state,
        files,
        manifest: { path: basename(manifest.path), stamp: manifest.stamp },
        toolStamps: stampsOf,
      })
    },
    save() {
      files.save()
      state.save((path) => join(directory, path))
    },
  }
}

/** Answers of the tool before it was replaced are of no more use. */
function otherTools(tools: unknown, argv: readonly string[]): Record<string, unknown> {
  const prefix = `[${JSON.stringify(argv)},`
  return isObject(tools) ? Object.fromEntries(Object.entries(tools).filter(([key]) => !key.startsWith(prefix))) : {}
}
