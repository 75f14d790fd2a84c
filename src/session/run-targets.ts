/** `stagecraft run`, `deploy` and `build`: the one path from words to a finished run. Read top to bottom. */
import type { Outcome, TaskGraph, TaskId } from '../../graph/types.ts'
import type { TaskKind } from '../../tasks/kind.ts'
import { type App, type ExitCode, exitCodes, type GlobalOptions, InputError, type Run } from '../contracts.ts'
import type { KeptServices } from '../execution/kept-services.ts'
import { startRun } from '../executor.ts'
import { isBatchBefore } from '../pipelines/rollout-order.ts'
import type { RunRecord as ProgramRecord } from '../programs/run-record.ts'
import { fleetText } from '../ui/fleet-text.ts'
import { shortName, withShortNames } from '../ui/task-name.ts'
import { decideColor } from '../ui/terminal.ts'
import type { View } from '../ui/view.ts'
import { exitCodeOf } from './exit-code.ts'
import { runFailureHook } from './failure-hook.ts'
import { goBack } from './going-back.ts'
import type { SavedFile } from './hold-to-plan.ts'
import { readLastRun } from './last-run.ts'
import { leftHosts } from './left-hosts.ts'
import { waitLimit } from './lock-wait.ts'
import { partOf, takeLastResults, wholeGraph } from './only.ts'
import { isSettled } from './open-journal.ts'
import { openPart } from './open-part.ts'
import type { Project } from './open-project.ts'
import { openWorld } from './open-world.ts'
import { type ReportFiles, reportFiles } from './report-files.ts'
import { auditedAs, resultOf } from './run-audit.ts'
import { concurrencyOf, poolWidths, type RunOptionsInput } from './run-options.ts'
import { RunRecord } from './run-record.ts'
import { viewOf } from './run-view.ts'
import { againLine, connectionLines } from './run-words.ts'
import { showPlan } from './show-plan.ts'
import { namedTasks, targetGraph } from './targets.ts'
import { forced } from './task-globs.ts'
import { showWarnings } from './warnings.ts'
import { withoutCaches } from './without-caches.ts'
import { nextLastRun, savedMs, somethingHappened, writeLastRun } from './write-last-run.ts'

export type RunInput = RunOptionsInput & {
  readonly targets: readonly string[]
  /** The plan that is carried out. */
  readonly saved?: SavedFile
}

/** @throws InputError before anything is touched; what the world refuses is in the exit code. */
export async function runTargets(input: RunInput, globals: GlobalOptions, app: App): Promise<ExitCode> {
  const files = globals.dryRun ? {} : reportFiles(input, app.cwd)
  const { project, graph } = await openTargets(input, globals, app)
  if (globals.dryRun) {
    const options = {
      format: input.format === 'json' ? 'json' : 'text',
      online: true,
      force: forced(input.force, graph),
      caches: input.cache,
      ...(input.saved ? { saved: input.saved } : {}),
    } as const
    return showPlan(input.only === undefined ? graph : partOf(graph, input.only).shown, project, options, globals, app)
  }
  if (globals.verbose) showWarnings(project, globals, app)
  return runGraph(graph, project, files, input, globals, app)
}

export interface Targets {
  readonly project: Project
  /** The targets and all they depend on; with `--affected`, what that leaves. */
  readonly graph: TaskGraph
}

/** From words to the tasks they mean. @throws InputError with every problem found. */
export async function openTargets(input: RunInput, globals: GlobalOptions, app: App): Promise<Targets> {
  const project = await openPart(input, globals, app)
  if (input.targets.length === 0) throw nothingNamed(project)
  const targets = targetGraph(input.targets, project.graph, project.pipelines)
  if (!targets.ok) throw new InputError(targets.diagnostics)
  return { project, graph: await affectedPart(targets.value, project, input, globals, app) }
}

/** The tasks that `--affected` leaves; all of them without it. */
async function affectedPart(graph: TaskGraph, project: Project, input: RunInput, globals: GlobalOptions, app: App): Promise<TaskGraph> {
  if (input.affected === undefined || input.affected === false) return graph
  const { affectedGraph } = await import('./affected-graph.ts')
  return affectedGraph(graph, project, input, globals, app)
}

/** What a run is part of, when it is one of several. */
export interface RunSurroundings {
  /** Another view around that of the run. */
  view?(view: View): View
  /** Keeps services up when the run ends. */
  readonly services?: KeptServices
  /** Where programs are on record that outlive the run. */
  readonly record?: ProgramRecord
  /** Kinds in the place of those there are. */
  kinds?(kinds: ReadonlyMap<string, TaskKind>): ReadonlyMap<string, TaskKind>
}

/** Runs every task of a graph that has to. */
export async function runGraph(
  given: TaskGraph,
  project: Project,
  files: ReportFiles,
  input: RunInput,
  globals: GlobalOptions,
  app: App,
  around: RunSurroundings = {},
): Promise<ExitCode> {
  const selection = input.only === undefined ? wholeGraph(given) : partOf(given, input.only)
  const { graph, shown } = selection
  if (project.release.version === undefined && graph.order.some((id) => graph.task(id).kind === 'finalize')) throw noVersion()
  const forces = forced(input.force, given)
  const { onFailure } = project.deployment.fleet
  const lockWaitMs = waitLimit(input.wait)
  const startedAt = app.now().getTime()
  const began = process.hrtime.bigint()
  const record = new RunRecord()
  const world = await openWorld(project, withColor(globals, app), {
    ...{ graph, online: true, writes: true, what: auditedAs(input.targets, project) },
    ...(around.record ? { record: around.record } : {}),
    ...(lockWaitMs === undefined ? {} : { lockWaitMs }),
  })
  let code: ExitCode | undefined
  try {
    // Before anything is looked at: what the run before leaves is what this one starts from.
    if (lockWaitMs !== undefined) await world.lock.hold()
    const planned = input.saved && (await (await import('./hold-to-plan.ts')).holdToPlan(graph, project, input.saved, world))
    const results = await takeLastResults(selection, world.assessor)
    const stop = new AbortController()
    const signal = AbortSignal.any([app.signal, stop.signal])
    const recorder = await world.recorder(graph, (reason) => stop.abort(reason))
    world.journal.recordedAs(() => recorder.id())
    const own = await viewOf(input, graph, globals, world, app)
    const view = around.view?.(own) ?? own
    const inView = new Set(shown.order)
    const vouching = isWhole(input, globals) ? world.vouching(input.targets) : undefined
    const run = startRun(graph, {
      ...(input.cache ? world.assessor : withoutCaches(world.assessor)),
      log: results.log,
      ports: { ...world.ports, release: recorder },
      kinds: around.kinds?.(results.kinds) ?? results.kinds,
      scope: world.scope,
      pools: { ...poolWidths(concurrencyOf(input.concurrency)), ...project.pools },
      force: forces,
      ...(vouching ? { vouching } : {}),
      ...(planned ? { planned } : {}),
      lock: world.lock,
      journal: world.journal,
      taskLocks: world.taskLocks,
      ...(around.services ? { services: around.services } : {}),
      targets: namedTasks(input.targets, graph, project.pipelines),
      notice: (line) => void app.stderr.write(`${world.redact(withShortNames(line))}\n`),
      verbose: globals.verbose,
      redact: world.redact,
      mayStart: async () => (await world.hostTrouble()) === undefined,
      onFailure: input.continue || onFailure === 'continue' ? 'continue' : 'stop',
      ...(onFailure === 'continue' ? { goesOnAfter: isBatchBefore } : {}),
      signal,
      now: () => app.now().getTime(),
      on: (event) => {
        recorder.on(event)
        if (!inView.has(event.task.id)) return
        record.on(event)
        view.on(event)
      },
    })
    const [drawn] = await Promise.allSettled([view.drive(shown, run)])
    // A view that broke must not leave tasks running while the lock is given back.
    if (drawn.status === 'rejected') stop.abort(drawn.reason)
    const outcomes = await outcomesOf(graph, run)
    const back = await goBack(graph, outcomes, results.kinds, project, world, app)
    const [recorded] = await Promise.allSettled([recorder.finish(outcomes, back && (back.failed.size === 0 ? 'whole' : 'partly'))])
    code = exitCodeOf(outcomes, app.signal.aborted, { ...back, isPartial: (project.part?.unreachable?.length ?? 0) > 0 })
    const trouble = [...outcomes.values()].some(({ status }) => status === 'canceled') ? await world.hostTrouble() : undefined
    // Nothing was started, so there is nothing to tell but why.
    if (trouble) throw trouble
    const release = recorded.status === 'fulfilled' ? recorded.value : undefined
    const made = { result: resultOf(code), ...(release ? { release: release.id } : {}) }
    const settled = isSettled(graph, outcomes, back)
    await Promise.all([release ? world.shareHistory() : undefined, world.audited(made), world.journal.end(made.result, settled)])
    await runFailureHook(graph, outcomes, release, project, world, app)
    if (code === exitCodes.done) await world.reapLock(graph)
    if (code === exitCodes.done && isWhole(input, globals)) world.certify(input.targets, graph, outcomes)
    view.finish({
      graph: shown,
      outcomes,
      durationMs: Number(process.hrtime.bigint() - began) / 1e6,
      tookMs: record.tookMs(),
      savedMs: keepTimes(project, record, outcomes, startedAt, app),
      again: (id) => againLine(id, globals),
      ...(release ? { release } : {}),
    })
    const end = { graph, outcomes, onFailure, ...(back ? { undone: back.undone, stuck: new Set(back.failed.keys()) } : {}) }
    const left = release && code === exitCodes.done ? await leftHosts(release, project, app) : []
    for (const line of [...fleetText(end), ...left]) app.stderr.write(`  ${line}\n`)
    if (globals.verbose) app.stderr.write(connectionLines(world.connections()))
    for (const part of [drawn, recorded]) if (part.status === 'rejected') throw part.reason
    return code
  } finally {
    if (code !== undefined && (files.trace !== undefined || files.summary !== undefined)) {
      const { writeReports } = await import('./write-reports.ts')
      await writeReports(files, { graph: shown, record, startedAt, exitCode: code, targets: input.targets }, project, world, app)
    }
    await world.close()
  }
}

/** Programs write to a pipe of ours and would leave out colours that the terminal behind it can show. */
function withColor(globals: GlobalOptions, app: App): App {
  const isColored = app.env['FORCE_COLOR'] === undefined && decideColor(globals.color, app.env, app.stderr)
  return isColored ? { ...app, env: { ...app.env, FORCE_COLOR: '1' } } : app
}

/** @returns how much time restoring saved. A run in which nothing happened costs nothing here. */
function keepTimes(project: Project, record: RunRecord, outcomes: ReadonlyMap<TaskId, Outcome>, startedAt: number, app: App): number {
  if (!somethingHappened(record)) return 0
  const before = readLastRun(project.directory)
  const ids = new Set(project.graph.order)
  writeLastRun(
    project.directory,
    nextLastRun(before, record, { startedAt, finishedAt: app.now() }, ids),
    (message) => void app.stderr.write(`warning: ${message}\n`),
  )
  return savedMs(before, outcomes)
}

/** Of a run of a part, nothing follows for a run of all, nor the other way round. */
function isWhole({ only, affected, cache }: RunInput, { env }: GlobalOptions): boolean {
  return env === undefined && only === undefined && (affected === undefined || affected === false) && cache
}

async function outcomesOf(graph: TaskGraph, run: Run): Promise<ReadonlyMap<TaskId, Outcome>> {
  const outcomes = new Map<TaskId, Outcome>()
  for (const id of graph.order) outcomes.set(id, await run.outcome(id))
  return outcomes
}

function nothingNamed({ graph, pipelines }: Project): InputError {
  const listed = (what: string, names: readonly string[]) => (names.length === 0 ? [] : [{ message: `${what}: ${names.join(', ')}` }])
  const tasks = graph.order.filter((id) => graph.task(id).kind === 'exec').map(shortName)
  const notes = [...listed('pipelines', Object.keys(pipelines).sort()), ...listed('tasks', tasks.sort())]
  return new InputError([{ code: 'SC3005', severity: 'error', message: 'name what to run: `stagecraft run <target>`', notes }])
}

function noVersion(): InputError {
  const message = 'this release has no version: commit the project to git, or name one with `--version`'
  return new InputError([{ code: 'SC3106', severity: 'error', message }])
}
