/** `stagecraft run`, `deploy` and `build`: the one path from words to a finished run. Read top to bottom. */
import { availableParallelism } from 'node:os'
import type { Outcome, TaskGraph, TaskId } from '../../graph/types.ts'
import { type App, type ExitCode, exitCodes, type GlobalOptions, InputError, type Run } from '../contracts.ts'
import { startRun } from '../executor.ts'
import { createView } from '../ui/create-view.ts'
import { decideColor } from '../ui/terminal.ts'
import { exitCodeOf } from './exit-code.ts'
import { openProject } from './open-project.ts'
import { openWorld, type World } from './open-world.ts'
import type { RunOptionsInput } from './run-options.ts'
import { showPlan } from './show-plan.ts'
import { matchesGlob, targetGraph } from './targets.ts'
import { showWarnings } from './warnings.ts'

export type RunInput = RunOptionsInput & { readonly targets: readonly string[] }

/** @throws InputError before anything is touched; what the world refuses is in the exit code. */
export async function runTargets(input: RunInput, globals: GlobalOptions, app: App): Promise<ExitCode> {
  const project = await openProject(globals, app, { version: input.version, targets: input.targets, writes: !globals.dryRun })
  const targets = targetGraph(input.targets, project.graph, project.pipelines)
  if (!targets.ok) throw new InputError(targets.diagnostics)
  const graph = targets.value
  const force = forced(input.force)
  if (globals.dryRun)
    return showPlan(graph, project, { format: input.format === 'json' ? 'json' : 'text', online: true, force }, globals, app)
  if (project.release.version === undefined && graph.order.some((id) => graph.task(id).kind === 'finalize')) throw noVersion()
  if (globals.verbose) showWarnings(project, globals, app)

  const startedAt = performance.now()
  const world = await openWorld(project, app, { graph, online: true, writes: true })
  try {
    const stop = new AbortController()
    const signal = AbortSignal.any([app.signal, stop.signal])
    const recorder = await world.recorder(graph, (reason) => stop.abort(reason))
    const view = createView(input.format, app, {
      color: decideColor(globals.color, app.env, app.stderr),
      resultColor: decideColor(globals.color, app.env, app.stdout),
      verbose: globals.verbose,
      quiet: globals.quiet,
      title: world.title,
    })
    const run = startRun(graph, {
      ...world.assessor,
      ports: { ...world.ports, release: recorder },
      kinds: world.kinds,
      scope: world.scope,
      pools: { ...pools(input.concurrency), ...project.pools },
      force,
      lock: world.lock,
      taskLocks: world.taskLocks,
      notice: (line) => void app.stderr.write(`${world.redact(line)}\n`),
      verbose: globals.verbose,
      redact: world.redact,
      mayStart: async () => (await world.hostTrouble()) === undefined,
      onFailure: input.continue ? 'continue' : 'stop',
      signal,
      now: () => app.now().getTime(),
      on: (event) => {
        recorder.on(event)
        view.on(event)
      },
    })
    const [shown] = await Promise.allSettled([view.drive(graph, run)])
    // A view that broke must not leave tasks running while the lock is given back.
    if (shown.status === 'rejected') stop.abort(shown.reason)
    const outcomes = await outcomesOf(graph, run)
    const [recorded] = await Promise.allSettled([recorder.finish(outcomes)])
    const trouble = [...outcomes.values()].some(({ status }) => status === 'canceled') ? await world.hostTrouble() : undefined
    // Nothing was started, so there is nothing to tell but why.
    if (trouble) throw trouble
    const release = recorded.status === 'fulfilled' ? recorded.value : undefined
    if (release) await world.shareHistory()
    const code = exitCodeOf(outcomes, app.signal.aborted)
    if (code === exitCodes.done) await world.reapLock(graph)
    if (code === exitCodes.done && globals.env === undefined) world.certify(input.targets, graph, outcomes)
    view.finish({ graph, outcomes, durationMs: performance.now() - startedAt, ...(release ? { release } : {}) })
    if (globals.verbose) app.stderr.write(connectionLines(world.connections()))
    for (const part of [shown, recorded]) if (part.status === 'rejected') throw part.reason
    return code
  } finally {
    await world.close()
  }
}

function connectionLines(hosts: ReturnType<World['connections']>): string {
  return Object.entries(hosts)
    .map(([name, { connections, engineChannels, sftpChannels, tunnels, execs }]) => {
      const channels = `channels: ${engineChannels} engine, ${sftpChannels} files, ${tunnels} tunnels, ${execs} commands`
      return `${name}: ${connections} SSH connection${connections === 1 ? '' : 's'}; ${channels}\n`
    })
    .join('')
}

async function outcomesOf(graph: TaskGraph, run: Run): Promise<ReadonlyMap<TaskId, Outcome>> {
  return new Map(await Promise.all(graph.order.map(async (id) => [id, await run.outcome(id)] as const)))
}

function forced(force: RunInput['force']): (id: TaskId) => boolean {
  if (typeof force === 'string') return (id) => matchesGlob(force, id)
  return () => force === true
}

/** Builds share one BuildKit and the machine; on one host at most two services change at a time; commands of the user's share the processors. */
function pools(asked: number | undefined): Readonly<Record<string, number>> {
  const concurrency = asked ?? 8
  return {
    default: concurrency,
    exec: asked ?? availableParallelism(),
    docker: Math.min(concurrency, 4),
    registry: Math.min(concurrency, 4),
    host: 2,
    database: 1,
  }
}

function noVersion(): InputError {
  const message = 'this release has no version: commit the project to git, or name one with `--version`'
  return new InputError([{ code: 'SC3106', severity: 'error', message }])
}
