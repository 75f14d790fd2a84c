/** `stagecraft run`, `deploy` and `build`: the one path from words to a finished run. Read top to bottom. */
import type { Outcome, TaskGraph, TaskId } from '../../graph/types.ts'
import { type App, type ExitCode, type GlobalOptions, InputError } from '../contracts.ts'
import { startRun } from '../executor.ts'
import { exitCodeOf } from './exit-code.ts'
import { openProject } from './open-project.ts'
import { openWorld } from './open-world.ts'
import { showPlan } from './show-plan.ts'
import { matchesGlob, targetGraph } from './targets.ts'

export interface RunInput {
  readonly targets: readonly string[]
  readonly version?: string
  /** True: everything named; text: the tasks whose id matches the glob. */
  readonly force?: boolean | string
  readonly continue: boolean
  readonly concurrency?: number
  readonly format: 'text' | 'json'
}

export async function runTargets(input: RunInput, globals: GlobalOptions, app: App): Promise<ExitCode> {
  const project = await openProject(globals, app, input.version)
  const targets = targetGraph(input.targets, project.graph)
  if (!targets.ok) throw new InputError(targets.diagnostics)
  const graph = targets.value
  if (globals.dryRun) return showPlan(graph, project, { format: input.format, online: true, ...forced(input) }, globals, app)
  if (project.release.version === undefined && needsVersion(graph)) throw noVersion()

  const startedAt = performance.now()
  const world = await openWorld(project, app)
  try {
    const { createView } = await import('../ui/view.ts')
    const { renderSummary } = await import('../ui/summary.ts')
    const recorder = await world.recorder(graph)
    const view = await createView(input.format, app, { verbose: globals.verbose, quiet: globals.quiet, title: world.title, project })
    const run = startRun(graph, {
      ...world.assessor,
      ports: { ...world.ports, release: recorder },
      kinds: world.kinds,
      scope: world.scope,
      pools: pools(input.concurrency),
      force: forced(input).force,
      lock: world.lock,
      redact: world.redact,
      onFailure: input.continue ? 'continue' : 'stop',
      signal: world.signal,
      now: () => app.now().getTime(),
      on: (event) => {
        recorder.on(event)
        view.on(event)
      },
    })
    await view.drive(graph, run)
    const outcomes = await outcomesOf(graph, run)
    const release = await recorder.finish(outcomes)
    await world.keepHistory(release)
    view.finish(renderSummary({ graph, outcomes, durationMs: performance.now() - startedAt, ...(release ? { release } : {}) }))
    return exitCodeOf(outcomes, app.signal.aborted)
  } finally {
    await world.close()
  }
}

async function outcomesOf(graph: TaskGraph, run: { outcome(id: TaskId): Promise<Outcome> }): Promise<ReadonlyMap<TaskId, Outcome>> {
  return new Map(await Promise.all(graph.order.map(async (id) => [id, await run.outcome(id)] as const)))
}

function forced({ force }: Pick<RunInput, 'force'>): { force: (id: TaskId) => boolean } {
  if (typeof force === 'string') return { force: (id) => matchesGlob(force, id) }
  return { force: () => force === true }
}

/** Builds share one BuildKit and the machine; on one host at most two services change at a time. */
function pools(concurrency = 8): Readonly<Record<string, number>> {
  return { default: concurrency, docker: Math.min(concurrency, 4), registry: 4, host: 2, database: 1 }
}

function needsVersion(graph: TaskGraph): boolean {
  return graph.order.some((id) => graph.task(id).kind === 'finalize')
}

function noVersion(): InputError {
  const message = 'this release has no version: commit the project to git, or name one with `--version`'
  return new InputError([{ code: 'SC3106', severity: 'error', message }])
}
