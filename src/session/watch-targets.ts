/** `run --watch`: runs, waits until a file changes that matters to a task of the graph, and runs again. Ends when it is told to, with 0. */
import { readFileSync } from 'node:fs'
import { join, relative, resolve, sep } from 'node:path'
import { codeOf } from '../../cache/foreign.ts'
import { kinds } from '../../tasks/index.ts'
import { TaskFailure } from '../../tasks/kind.ts'
import { openPaths } from '../affected/match-paths.ts'
import { type App, type ExitCode, exitCodes, type GlobalOptions, InputError } from '../contracts.ts'
import { KeptServices } from '../execution/kept-services.ts'
import { parseDockerignore } from '../files/dockerignore.ts'
import { createRunRecord } from '../programs/run-record.ts'
import { renderDiagnostics } from '../ui/diagnostics.ts'
import { renderFailure } from '../ui/failure.ts'
import { createPaint } from '../ui/paint.ts'
import { silentWhenFresh } from '../ui/silent-when-fresh.ts'
import { shortName } from '../ui/task-name.ts'
import { decideColor } from '../ui/terminal.ts'
import type { View } from '../ui/view.ts'
import { separator, type Trigger, triggerText, waitingText } from '../ui/watch-text.ts'
import { gatherBursts } from '../watch/bursts.ts'
import { pollFolders } from '../watch/folder-poller.ts'
import { watchFolders } from '../watch/folder-watcher.ts'
import { type Key, listenForKeys } from '../watch/keys.ts'
import { wantedFolders } from '../watch/wanted-folders.ts'
import { reportFiles } from './report-files.ts'
import { openTargets, type RunInput, runGraph, type Targets } from './run-targets.ts'

/** Runs in a row that were set off by nothing but what changed while tasks ran: more is a task that changes its own inputs each time. */
const mostInARow = 4
/** A change that is told this soon after a run happened during it. */
const followUpMs = 300

/** @throws InputError for what is wrong from the start; later mistakes in the manifest are told, and a correction is waited for. */
export async function watchTargets(input: RunInput, globals: GlobalOptions, app: App): Promise<ExitCode> {
  if (globals.dryRun) throw new InputError([{ code: 'SC3126', severity: 'error', message: '`--dry-run` and `--watch` exclude each other' }])
  const files = reportFiles(input, app.cwd)
  // Whoever watches a task wants to see what it says.
  const asked: RunInput = { ...input, output: input.output ?? 'new' }
  const quit = new AbortController()
  const signal = AbortSignal.any([app.signal, quit.signal])
  const inner: App = { ...app, signal }
  const paint = createPaint(decideColor(globals.color, app.env, app.stderr))
  const say = (text: string) => void app.stderr.write(`${text}\n`)

  let targets = await openTargets(asked, globals, inner)
  const { directory } = targets.project
  const bursts = gatherBursts()
  const pollMs = Number(app.env['STAGECRAFT_WATCH_POLL'] ?? '')
  const watcher = pollMs > 0 ? pollFolders(directory, pollMs, bursts.add) : watchFolders(directory, bursts.add)
  let pressed: ((key: Key) => void) | undefined
  const stopKeys = listenForKeys(app.stdin, (key) => {
    if (key === 'run') pressed?.(key)
    // Once more, because it takes too long: what the terminal would send if it were not in raw mode.
    else if (quit.signal.aborted) process.kill(process.pid, 'SIGINT')
    else quit.abort()
  })
  const record = createRunRecord(join(directory, '.stagecraft', 'run'))
  const services = new KeptServices({
    onEnd(id, failure) {
      say(
        `${renderFailure(failure, paint, { id })}  it is started again at the next change${app.stdin.isTTY === true ? ', or when r is pressed' : ''}`,
      )
    },
  })

  const over = new Promise<undefined>((settle) => {
    if (signal.aborted) settle(undefined)
    signal.addEventListener('abort', () => settle(undefined), { once: true })
  })

  /** @param isQuiet say nothing if there is nothing to do. @returns whether something was said. */
  const run = async (trigger: Trigger, isQuiet: boolean): Promise<boolean> => {
    let hasSpoken = false
    const announce = () => {
      if (!hasSpoken) say(separator(triggerText(trigger), clock(app.now()), app.stderr.columns ?? 80, paint))
      hasSpoken = true
    }
    if (!isQuiet) announce()
    try {
      // It may be that the manifest itself has changed, so everything is read again.
      if (trigger.by !== 'start') targets = await openTargets(asked, globals, inner)
      await services.retain(new Set(targets.graph.order))
      const around = { services, record, ...(isQuiet ? { view: (view: View) => silentWhenFresh(view, announce) } : {}) }
      await runGraph(targets.graph, targets.project, files, asked, globals, inner, around)
    } catch (error) {
      if (signal.aborted) return hasSpoken
      announce()
      say(troubleText(error, paint, decideColor(globals.color, app.env, app.stderr)))
    }
    watcher.sync(wantedBy(targets, globals, app))
    return hasSpoken
  }

  /** @returns undefined when it is over. */
  const nextTrigger = async (): Promise<Trigger | undefined> => {
    const key = new Promise<Trigger>((settle) => {
      pressed = () => settle({ by: 'key' })
    })
    for (;;) {
      const burst = bursts.next().then((paths) => ({ by: 'files', paths }) as const)
      const trigger = await Promise.race([over, key, burst])
      if (trigger?.by !== 'files') return trigger
      watcher.sync(wantedBy(targets, globals, app))
      const paths = relevant(trigger.paths, targets, globals, app)
      if (paths.length > 0) return { by: 'files', paths }
    }
  }

  try {
    watcher.sync(wantedBy(targets, globals, app))
    let hasSpoken = await run({ by: 'start' }, false)
    for (let inARow = 0; !signal.aborted; ) {
      const endedAt = performance.now()
      if (hasSpoken) say(waitingText(watcher.size, app.stdin.isTTY === true, services.running.map(shortName), paint))
      hasSpoken = false
      const trigger = await nextTrigger()
      if (trigger === undefined) break
      // What changed while tasks ran was most likely written by them, and then nothing has to be done.
      const isFollowUp = trigger.by === 'files' && performance.now() - endedAt < followUpMs
      inARow = isFollowUp ? inARow + 1 : 0
      if (inARow <= mostInARow) hasSpoken = await run(trigger, isFollowUp)
      else say(paint.yellow(`${triggerText(trigger)} each time tasks ran, so they are not run again for that`))
    }
    return exitCodes.done
  } finally {
    bursts.close()
    watcher.close()
    const left = services.running.map(shortName)
    if (left.length > 0) say(paint.dim(`stopping ${left.join(', ')}`))
    await services.stopAll()
    record.close()
    stopKeys()
  }
}

/** Files that decide what tasks there are, project-relative. */
function definingFiles({ project }: Targets, globals: GlobalOptions, app: App): readonly string[] {
  const { directory, deployment, envFile } = project
  const compose =
    deployment.compose.file === ''
      ? []
      : [deployment.compose.file, ...(deployment.compose.others ?? [])].map((path) => resolve(directory, path))
  const paths = [resolve(app.cwd, globals.config), ...compose, ...(envFile === undefined ? [] : [envFile])]
  return paths.map((path) => relative(directory, path).split(sep).join('/'))
}

function setsOf({ graph }: Targets) {
  return graph.order.flatMap((id) => {
    const { kind, params } = graph.task(id)
    return kinds.get(kind)?.inputs?.(params).files ?? []
  })
}

function wantedBy(targets: Targets, globals: GlobalOptions, app: App) {
  return wantedFolders(setsOf(targets), definingFiles(targets, globals, app))
}

/** Those of some paths that matter: inputs of a task, or what defines tasks. */
function relevant(paths: readonly string[], targets: Targets, globals: GlobalOptions, app: App): readonly string[] {
  if (paths.length === 0) return []
  const defining = new Set(definingFiles(targets, globals, app))
  const sets = setsOf(targets).map((set) => [set, set.dockerignore === undefined ? undefined : rulesOf(targets, set.dockerignore)] as const)
  // One by one for the few a person saves; of many, a few that matter are enough to know.
  const files = paths.length <= 50 ? paths.filter((path) => !paths.some((other) => other.startsWith(`${path}/`))) : paths
  const some = files.length <= 50 ? files.map((path) => [path]) : [files]
  return some.flatMap((group) => {
    const known = openPaths(group)
    const isDefining = group.find((path) => defining.has(path))
    const first = isDefining ?? sets.map(([set, rules]) => known.firstIn(set, rules)).find((path) => path !== undefined)
    return first === undefined ? [] : group.length === 1 ? [first] : [first, ...group.filter((path) => path !== first)]
  })
}

function rulesOf({ project }: Targets, path: string): ReturnType<typeof parseDockerignore> | undefined {
  try {
    return parseDockerignore(readFileSync(join(project.directory, path), 'utf8'))
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined
    throw error
  }
}

/** What a person can correct while we wait. @throws what is a bug of ours. */
function troubleText(error: unknown, paint: ReturnType<typeof createPaint>, color: boolean): string {
  if (error instanceof InputError) return renderDiagnostics(error.diagnostics, { color }).trimEnd()
  if (error instanceof TaskFailure && error.failure.reason !== 'bug') return renderFailure(error.failure, paint).trimEnd()
  throw error
}

/** `12:30:05`, local time. */
function clock(now: Date): string {
  return [now.getHours(), now.getMinutes(), now.getSeconds()].map((part) => String(part).padStart(2, '0')).join(':')
}
