/** What a run remembers of the last ones and leaves to the next: the state, what is read through it, and the certificate. */
import { basename, join } from 'node:path'
import type { ActionLog, Cache } from '../../cache/cache.ts'
import { isObject } from '../../cache/foreign.ts'
import type { Outcome, TaskGraph, TaskId } from '../../graph/types.ts'
import type { TaskKind } from '../../tasks/kind.ts'
import type { Assessor } from '../assess.ts'
import { buildId } from '../cli/build-id.ts'
import type { App } from '../contracts.ts'
import { type FileIndex, openFileIndex } from '../files/file-index.ts'
import { certify } from '../state/certify.ts'
import { fileClock } from '../state/file-clock.ts'
import { RunState } from '../state/run-state.ts'
import { toolStamps } from '../state/tool-stamps.ts'
import { openVouching, type Vouching } from '../state/vouching.ts'
import type { Project } from './open-project.ts'

export interface RunMemory {
  readonly state: RunState
  readonly files: FileIndex
  readonly log: ActionLog
  /** The cache, what is put into it being remembered too. */
  keeping(cache: Cache): Cache
  /** Asks each tool once for as long as it is the same. */
  tool(ask: Assessor['tool']): Assessor['tool']
  /** Vouches for single tasks of a run of exactly these targets; undefined when nothing is known of them. Counts for {@link certify} too. */
  vouching(targets: readonly string[]): Vouching | undefined
  certify(targets: readonly string[], graph: TaskGraph, outcomes: ReadonlyMap<TaskId, Outcome>, kinds: ReadonlyMap<string, TaskKind>): void
  save(): void
}

/** @param writes false: nothing is left for the next run, and no clock is kept. */
export function openRunMemory(
  { directory, manifest, definition }: Pick<Project, 'directory' | 'manifest' | 'definition'>,
  app: Pick<App, 'env'>,
  writes: boolean,
): RunMemory {
  const folder = join(directory, '.stagecraft', 'run')
  const state = new RunState(join(folder, 'state'))
  const clock = fileClock(writes ? join(folder, 'clock') : undefined)
  const files = openFileIndex(directory, state, clock)
  const stampsOf = (argv: readonly string[], variables: Readonly<Record<string, string>> = {}) =>
    toolStamps(argv, variables['PATH'] ?? app.env['PATH'], clock)
  let vouching: Vouching | undefined
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
    tool: (ask) => async (argv, variables) => {
      const stamps = stampsOf(argv, variables)
      if (!stamps) return ask(argv, variables)
      const question = JSON.stringify([argv, variables ?? {}])
      const key = question + JSON.stringify([...stamps])
      const known = isObject(state.tools) ? state.tools[key] : undefined
      if (typeof known === 'string') return known
      const answer = await ask(argv, variables)
      state.tools = { ...otherTools(state.tools, question), [key]: answer }
      state.changed()
      return answer
    },
    vouching(targets) {
      vouching = openVouching(targets, definition, { build: buildId(), directory, env: app.env }, state)
      return vouching
    },
    certify(targets, graph, outcomes, kinds) {
      if (!manifest || definition === undefined || basename(manifest.path) !== 'stagecraft.yml') return
      certify({
        build: buildId(),
        directory,
        env: app.env,
        targets,
        definition,
        vouching,
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
function otherTools(tools: unknown, question: string): Record<string, unknown> {
  return isObject(tools) ? Object.fromEntries(Object.entries(tools).filter(([key]) => !key.startsWith(question))) : {}
}
