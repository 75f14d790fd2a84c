/** A checkout with tasks whose commands are functions, so that a thousand runs take seconds: real files, state, certificates and executor. */
import { cpSync, lstatSync, mkdirSync, readdirSync, readFileSync, readlinkSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { Cache } from '../../../cache/cache.ts'
import { digestOf, digestOfResult } from '../../../graph/fingerprint.ts'
import { taskGraph } from '../../../graph/task-graph.ts'
import type { ActionResult, Outcome, Task, TaskGraph, TaskId } from '../../../graph/types.ts'
import { startRun } from '../../../src/executor.ts'
import { projectOutputs } from '../../../src/outputs/outputs.ts'
import { processEnvironment } from '../../../src/programs/environment.ts'
import { openRunMemory } from '../../../src/session/run-memory.ts'
import { type Look, lookAround, tasksUpToDate } from '../../../src/state/certificate.ts'
import { handOver } from '../../../src/state/hand-over.ts'
import { rememberedOutputs } from '../../../src/state/remembered-outputs.ts'
import { lookAt } from '../../../src/state/stamp.ts'
import type { Vouching } from '../../../src/state/vouching.ts'
import type { ExecParams } from '../../../tasks/exec/params.ts'
import { kinds } from '../../../tasks/index.ts'
import type { Ports, Programs } from '../../../tasks/ports.ts'
import { rig } from '../../support/fake-run.ts'

export interface Recipe {
  readonly name: string
  readonly inputs: readonly string[]
  readonly outputs: readonly string[]
  /** Where the command writes, below or among the outputs. */
  readonly writes: string
  readonly needs: readonly string[]
  readonly after?: readonly string[]
  /** A file that the command formats in place. */
  readonly formats?: string
  /** False: it always runs. */
  readonly cache?: boolean
  readonly tools?: readonly (readonly string[])[]
  readonly env: readonly string[]
  readonly word: string
}

/** Everything that a run may find in a cache, by itself so that it can be copied. */
export class Store {
  readonly results: Map<string, ActionResult>
  readonly blobs: Map<string, Uint8Array>
  constructor(results = new Map<string, ActionResult>(), blobs = new Map<string, Uint8Array>()) {
    this.results = results
    this.blobs = blobs
  }
  copy(): Store {
    return new Store(new Map(this.results), new Map(this.blobs))
  }
  cache(): Cache {
    return {
      name: 'local',
      actions: { get: async (key) => this.results.get(key), set: async (key, result) => void this.results.set(key, result) },
      content: {
        has: async (digest) => this.blobs.has(digest),
        read: async (digest) => this.blobs.get(digest),
        write: async (bytes) => {
          this.blobs.set(digestOf(bytes), bytes)
          return digestOf(bytes)
        },
      },
    }
  }
}

export class Checkout {
  readonly directory: string
  env: Record<string, string> = {}
  store = new Store()
  recipes: readonly Recipe[] = []
  /** Names of tasks whose command fails. */
  broken: ReadonlySet<string> = new Set()
  /** Called when a command starts. */
  whileRunning: (name: string) => void = () => {}

  constructor(directory: string, recipes: readonly Recipe[] = []) {
    this.directory = directory
    this.setRecipes(recipes)
  }

  setRecipes(recipes: readonly Recipe[]): void {
    this.recipes = recipes
    this.write('stagecraft.yml', JSON.stringify(recipes))
  }

  write(path: string, text: string): void {
    const absolute = join(this.directory, path)
    mkdirSync(dirname(absolute), { recursive: true })
    rmSync(absolute, { recursive: true, force: true })
    writeFileSync(absolute, text)
  }

  /** As formatters do: changed only if it is not yet as it should be. */
  format(path: string): void {
    const absolute = join(this.directory, path)
    const text = readFileSync(absolute, 'utf8')
    if (!text.endsWith(';')) writeFileSync(absolute, `${text};`)
  }

  /** The same files and cache elsewhere, and nothing of what Stagecraft remembers. */
  fromScratch(directory: string): Checkout {
    cpSync(this.directory, directory, { recursive: true, verbatimSymlinks: true })
    rmSync(join(directory, '.stagecraft'), { recursive: true, force: true })
    const other = new Checkout(directory, [])
    other.setRecipes(this.recipes)
    other.env = { ...this.env }
    other.store = this.store.copy()
    other.broken = this.broken
    return other
  }

  graph(): TaskGraph {
    const checked = taskGraph(this.recipes.map(taskOf))
    if (!checked.ok) throw new Error(checked.diagnostics.map(({ message }) => message).join('\n'))
    return checked.value
  }

  /** What the certificate says, as a run of these targets would hear it first. */
  certified(targets: readonly string[] = ['all']): number | undefined {
    return tasksUpToDate(this.look(targets))
  }

  /** What the launcher sees before a run. */
  look(targets: readonly string[] = ['all']): Look | undefined {
    return lookAround(targets, { build: 'unbundled', directory: this.directory, env: this.env })
  }

  /** @param options.look what the launcher saw; `force`: names of tasks that have to run. */
  async run({ look, force = [] }: RunWith = {}): Promise<ReadonlyMap<TaskId, Outcome>> {
    const { directory } = this
    this.vouched.clear()
    const stamp = lookAt(join(directory, 'stagecraft.yml'))
    const path = join(directory, 'stagecraft.yml')
    const definition = digestOf(readFileSync(path))
    const memory = openRunMemory({ directory, definition, ...(stamp && { manifest: { path, stamp } }) }, { env: this.env }, true)
    if (look) handOver(look)
    const vouching = memory.vouching(['all'])
    const cache = memory.keeping(this.store.cache())
    const environment = processEnvironment(this.env)
    const { secrets } = rig([]).options
    const ports = {
      outputs: rememberedOutputs(projectOutputs(directory, cache.content), memory.files),
      programs: this.programs(),
      content: cache.content,
      environment,
      secrets,
      projectDirectory: directory,
    } as unknown as Ports
    const graph = this.graph()
    const { options } = rig([])
    const run = startRun(graph, {
      ...options,
      kinds,
      ports,
      caches: [cache],
      results: memory.state,
      log: memory.log,
      files: memory.files,
      environment,
      ...(vouching ? { vouching: this.counting(vouching) } : {}),
      force: (id) => force.some((name) => id === `exec:${name}`),
      onFailure: 'continue',
    })
    const outcomes = new Map<TaskId, Outcome>()
    for (const id of graph.order) outcomes.set(id, await run.outcome(id))
    if ([...outcomes.values()].every(({ status }) => status === 'ran' || status === 'skipped'))
      memory.certify(['all'], graph, outcomes, kinds)
    memory.save()
    return outcomes
  }

  /** Tasks that the last run did not have to describe. */
  readonly vouched = new Set<TaskId>()

  counting(vouching: Vouching): Pick<Vouching, 'outcomeOf'> {
    return {
      outcomeOf: (task, resultOf) => {
        const outcome = vouching.outcomeOf(task, resultOf)
        if (outcome) this.vouched.add(task.id)
        return outcome
      },
    }
  }

  /** Reads all that is below the folders of its inputs, and its variables, and writes what it saw. */
  programs(): Programs {
    return {
      run: async ({ argv, env }) => {
        const recipe = JSON.parse(argv[1] ?? '') as Recipe
        this.whileRunning(recipe.name)
        if (this.broken.has(recipe.name)) return { code: 1 }
        if (recipe.formats !== undefined) this.format(recipe.formats)
        const seen = recipe.inputs.map((pattern) => contentOf(join(this.directory, pattern.replace(/\/?\*.*$/, ''))))
        const variables = recipe.env.map((name) => env[name] ?? '')
        if (recipe.writes !== recipe.formats) this.write(recipe.writes, digestOf(JSON.stringify([recipe.word, seen, variables])))
        return { code: 0 }
      },
      start: () => Promise.reject(new Error('nothing is started here')),
    }
  }
}

interface RunWith {
  readonly look?: Look | undefined
  readonly force?: readonly string[]
}

function contentOf(path: string): unknown {
  const found = lstatSync(path, { throwIfNoEntry: false })
  if (!found) return null
  if (found.isSymbolicLink()) return ['link', readlinkSync(path)]
  if (found.isDirectory())
    return readdirSync(path)
      .sort()
      .map((name) => [name, contentOf(join(path, name))])
  return [readFileSync(path, 'latin1'), found.mode & 0o100]
}

function taskOf(recipe: Recipe): Task {
  const params: ExecParams = {
    name: recipe.name,
    command: ['make', JSON.stringify(recipe)],
    cwd: '.',
    inputs: [...recipe.inputs],
    outputs: [...recipe.outputs],
    env: [...recipe.env],
    passEnv: [],
    secrets: [],
    variables: {},
    tools: (recipe.tools ?? []).map((argv) => [...argv]),
    cache: recipe.cache ?? true,
    timeoutMs: null,
    retries: 0,
    pool: null,
    service: null,
  }
  return {
    id: `exec:${recipe.name}` as TaskId,
    kind: 'exec',
    params,
    needs: recipe.needs.map((name) => `exec:${name}` as TaskId),
    after: (recipe.after ?? []).map((name) => `exec:${name}` as TaskId),
  }
}

/** How each task ended, in a word. */
export function fates(outcomes: ReadonlyMap<TaskId, Outcome>): Record<string, string> {
  return Object.fromEntries(
    [...outcomes].map(([id, outcome]) => {
      if (outcome.status === 'skipped') return [id, outcome.detail === undefined ? 'up to date' : 'restored']
      return [id, outcome.status === 'failed' ? `failed: ${outcome.failure.message}` : outcome.status]
    }),
  )
}

export function isUpToDate(outcomes: ReadonlyMap<TaskId, Outcome>): boolean {
  return Object.values(fates(outcomes)).every((fate) => fate === 'up to date')
}

/** What each task made, as dependents see it. */
export function results(outcomes: ReadonlyMap<TaskId, Outcome>): Record<string, string> {
  return Object.fromEntries([...outcomes].flatMap(([id, outcome]) => ('result' in outcome ? [[id, digestOfResult(outcome.result)]] : [])))
}
