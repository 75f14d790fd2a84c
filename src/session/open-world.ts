/**
 * The world one run acts in: caches, secrets, hosts, registry, databases, the environment's lock. Everything heavy is loaded
 * when it is first asked for, so that a command which looks at nothing pays for nothing.
 */
import { join } from 'node:path'
import { messageOf } from '../../cache/foreign.ts'
import { openLocalCache } from '../../cache/local.ts'
import type { Outcome, Task, TaskGraph, TaskId } from '../../graph/types.ts'
import { kinds } from '../../tasks/index.ts'
import type { TaskFailure, TaskKind } from '../../tasks/kind.ts'
import type { Database, Ports, Scope } from '../../tasks/ports.ts'
import type { Assessor } from '../assess.ts'
import { actorOf } from '../audit/actor.ts'
import type { AuditEntry } from '../audit/chain.ts'
import { type App, InputError } from '../contracts.ts'
import { type TaskLocks, taskLocks } from '../execution/task-locks.ts'
import { projectOutputs } from '../outputs/outputs.ts'
import { lockedHosts } from '../pipelines/fleet-part.ts'
import type { PredictOptions } from '../predict.ts'
import { processEnvironment } from '../programs/environment.ts'
import { probes } from '../programs/probes.ts'
import { cookieVariable } from '../programs/process-tree.ts'
import { createPrograms } from '../programs/programs.ts'
import { createRunRecord, type RunRecord } from '../programs/run-record.ts'
import { toolVersions } from '../programs/tools.ts'
import type { Recorder } from '../releases/recorder.ts'
import { rememberedOutputs } from '../state/remembered-outputs.ts'
import type { Vouching } from '../state/vouching.ts'
import { cacheFolder } from './cache-folder.ts'
import { closeAll } from './close-all.ts'
import { contentPort, memoryContent } from './content.ts'
import { openDatabase } from './databases.ts'
import { environmentLock, type HeldEnvironmentLock } from './environment-lock.ts'
import { hostHistory } from './host-history.ts'
import { firstTrouble, hostsOf } from './host-trouble.ts'
import type { HostPool } from './hosts.ts'
import { unlessInHook } from './inside-hook.ts'
import { interruption } from './interruption.ts'
import { lazyBuilder, lazyRegistry, lazySpool, memo } from './lazy-ports.ts'
import { lockWaiter } from './lock-wait.ts'
import { noHosts } from './no-hosts.ts'
import { openJournal } from './open-journal.ts'
import type { Project } from './open-project.ts'
import { openRecorder, unrecorded } from './recording.ts'
import { remoteUse } from './remote-settings.ts'
import { runAudit } from './run-audit.ts'
import type { EnvironmentJournal } from './run-journal.ts'
import { openRunMemory } from './run-memory.ts'
import { openSecrets } from './secrets.ts'
import { settleInterrupted } from './settle-interrupted.ts'
import { openSharedCache } from './shared-cache.ts'
import { stillCurrent } from './still-current.ts'

export interface World {
  readonly kinds: ReadonlyMap<string, TaskKind>
  readonly scope: Scope
  readonly ports: Omit<Ports, 'release'>
  readonly assessor: Assessor
  readonly lock: HeldEnvironmentLock
  readonly journal: EnvironmentJournal
  readonly taskLocks: TaskLocks
  /** For looking without touching: what a task stores is kept in memory, and no release can be made. */
  readonly forPlan: Omit<PredictOptions, 'kinds' | 'force' | 'online'>
  title(task: Task): string
  redact(text: string): string
  /** What was spent on connections so far, by host. */
  connections(): ReturnType<HostPool['stats']>
  /** Makes the recorder of a run over `graph`; `stop` is called when the history cannot be written. */
  recorder(graph: TaskGraph, stop: (reason: Error) => void): Promise<Recorder>
  /** Whether the run before was cut off, in lines for a person. Looks at hosts. */
  interruption(): Promise<readonly string[]>
  /** Writes how the run ended into the environment's audit, if this run held the lock. */
  audited(entry: Pick<AuditEntry, 'result' | 'release'>): Promise<void>
  /** Copies the history to the primary host if this run held the lock: a release that failed is history too. */
  shareHistory(): Promise<void>
  /** What keeps a host of the graph from being looked at, if anything: asked before the first task starts. */
  hostTrouble(): Promise<TaskFailure | undefined>
  /** After a run that wrote nothing: if a dead run left its lock on a host, it goes. */
  reapLock(graph: TaskGraph): Promise<void>
  /** Vouches for tasks of a run of exactly these targets that need not be described. */
  vouching(targets: readonly string[]): Vouching | undefined
  /** Leaves a certificate when the next run of the same targets need not even be started. */
  certify(targets: readonly string[], graph: TaskGraph, outcomes: ReadonlyMap<TaskId, Outcome>): void
  /** Gives the lock back, saves what was learned about files, and closes every connection. */
  close(): Promise<void>
}

export interface WorldOptions {
  /** What is going to be looked at. Hosts are the slowest to answer, so connections to those it needs begin before anything else. */
  readonly graph: TaskGraph
  /** False: no host may be asked. */
  readonly online: boolean
  /** False: nothing in the project folder is written, not even what was learned about files. */
  readonly writes: boolean
  /** True: a key to compare secrets by is made when there is none, although nothing else is written. */
  readonly makesKey?: boolean
  /** How long to wait for the environment's lock while another has it, in milliseconds. Default: not at all. */
  readonly lockWaitMs?: number
  /** What the run is called in the environment's audit; undefined: it changes no host. */
  readonly what?: string
  /** Where programs are on record, when some outlive this world; whoever made it closes it. Default: one of its own. */
  readonly record?: RunRecord
}

export async function openWorld(project: Project, app: App, options: WorldOptions): Promise<World> {
  const { deployment, directory } = project
  const remote = remoteUse(project.cache, app.env)
  if (!remote.ok) throw new InputError(remote.diagnostics)
  const cacheDirectory = cacheFolder(directory, app)
  const warn = (message: string) => void app.stderr.write(`warning: ${message}\n`)
  const cache = openLocalCache(cacheDirectory, { warn })
  const remembered = openRunMemory(project, app, options.writes)
  const hosts = deployment.hosts.length === 0 ? noHosts : (await import('./hosts.ts')).hostPool(deployment, directory, app)
  if (options.online) for (const name of hostsOf(options.graph)) hosts.lookAhead(name)
  const secrets = await openSecrets(project, hosts, app, { ...options, writes: options.writes || options.makesKey === true })
  const shared = openSharedCache(remote.value, {
    local: cache,
    env: app.env,
    online: options.online,
    writes: options.writes,
    warn: (message) => warn(secrets.redact(message)),
    holdsSecret: secrets.isIn,
    signal: app.signal,
  })
  const scope: Scope = { project: deployment.project, environment: deployment.environment, version: project.release.version ?? 'unknown' }
  const history = hostHistory(project, hosts, app)
  const audit = runAudit(project, options.what, hosts, { who: actorOf(app.env), redact: secrets.redact, warn })
  // Run by the first task that writes: what other machines did is known before anything is added to it.
  let recorder: Recorder | undefined
  const wait = lockWaiter(options.lockWaitMs, app)
  const locked = lockedHosts(deployment, project.part)
  const lock = environmentLock(
    locked.map((name) => unlessInHook(hosts.lockable(name, wait), deployment, app)),
    async () => {
      // What was begun is on record even when the run is killed.
      const known = history
        .pull(async (others) => recorder?.comesAfter(others))
        .then(() => project.rollback && stillCurrent(project, project.rollback, app))
      await Promise.all([known, audit({ result: 'begun' }), journal.begin(), secrets.share()])
      await settleInterrupted(journal.interrupted(), project, app)
    },
  )
  const journal = openJournal(project, options.what, hosts, app, {
    warn: (message) => warn(secrets.redact(message)),
    guard: () => lock.verify(),
  })
  const registry = lazyRegistry(app)
  const spool = lazySpool(directory)
  const environment = processEnvironment(app.env)
  const record = options.record ?? createRunRecord(join(directory, '.stagecraft', 'run'), options.writes)
  const outerCookie = app.env[cookieVariable]
  const programs = createPrograms({ redact: secrets.redact, record, warn, ...(outerCookie === undefined ? {} : { outerCookie }) })
  const ports: Omit<Ports, 'release'> = {
    host: (name) => hosts.host(name),
    builder: lazyBuilder(registry, secrets.redact, app.signal),
    registry,
    spool,
    secrets: secrets.port,
    content: contentPort(cache.content),
    programs,
    probes,
    outputs: rememberedOutputs(projectOutputs(directory, cache.content), remembered.files),
    environment,
    database: (name): Promise<Database> => openDatabase(name, project, secrets.port, hosts),
    projectDirectory: directory,
  }
  const assessor: Assessor = {
    caches: [remembered.keeping(cache), ...shared.caches],
    results: remembered.state,
    log: remembered.log,
    files: remembered.files,
    variable: (name) => deployment.variables.plain[name],
    environment,
    tool: remembered.tool(toolVersions(programs, environment, directory, app.signal)),
    secrets: secrets.port,
  }
  const forPlan: World['forPlan'] = {
    ...assessor,
    ports: { ...ports, content: memoryContent(cache.content), release: unrecorded },
    scope,
    redact: secrets.redact,
    signal: app.signal,
    now: () => app.now().getTime(),
  }
  const world: World = {
    kinds,
    scope,
    ports,
    assessor,
    lock,
    journal,
    taskLocks: taskLocks(record),
    forPlan,
    title: titleOf,
    redact: secrets.redact,
    connections: hosts.stats,
    recorder: async (graph, stop) => (recorder = await openRecorder(graph, project, app, stop, secrets.redact)),
    interruption: () => interruption(locked, hosts),
    async audited(entry) {
      // Whoever took the lock over writes its own lines.
      const [verified] = await Promise.allSettled([lock.isHeld ? lock.verify() : Promise.reject()])
      if (verified.status === 'fulfilled') await audit(entry)
    },
    async shareHistory() {
      if (!lock.isHeld) return
      try {
        // Whoever took the lock over writes its own; a release that failed for that has said so.
        await lock.verify()
        await history.push()
      } catch (error) {
        warn(secrets.redact(`the release history was not copied to ${deployment.primaryHost}: ${messageOf(error)}`))
      }
    },
    hostTrouble: memo(() => firstTrouble([...hostsOf(options.graph)].map((name) => hosts.host(name).observe()))),
    async reapLock(graph) {
      // Only where hosts were looked at anyway.
      if (lock.isHeld || !graph.order.some((id) => graph.task(id).kind === 'finalize')) return
      const seen = await Promise.all(locked.map((name) => hosts.host(name).observe()))
      if (!seen.some((state) => state.lock !== undefined)) return
      await lock.reap()
      if (lock.isHeld) await Promise.all([audit({ result: 'done' }), journal.end('done', true)])
    },
    vouching: remembered.vouching,
    certify: (targets, graph, outcomes) => remembered.certify(targets, graph, outcomes, kinds),
    async close() {
      const steps: readonly [what: string, step: () => Promise<void>][] = [
        ['the audit was not finished', async () => (audit.isEnded() ? undefined : world.audited({ result: 'failed' }))],
        ['the journal was not finished', () => journal.end('failed', false)],
        ['the lock could not be given back, and runs out by itself', () => lock.release()],
        ['the remote cache could not be left', () => shared.close()],
        ['what was learned about files was not kept', async () => (options.writes ? remembered.save() : undefined)],
        ['the cache was not brought within its limits', async () => (options.writes ? tidy() : undefined)],
        ['the record of this run was not removed', async () => (options.record === undefined ? record.close() : undefined)],
        ['layers that were sent were not removed from .stagecraft/transfer', () => spool.close()],
        ['a connection was not closed', () => hosts.close()],
      ]
      await closeAll(steps, (message) => warn(secrets.redact(message)))
    },
  }
  return world

  async function tidy(): Promise<void> {
    const { collectWhenDue, defaultLimits } = await import('../../cache/collect.ts')
    await collectWhenDue(cache, { ...defaultLimits, ...project.cache.limits })
  }
}

function titleOf(task: Task): string {
  return kinds.get(task.kind)?.title(task.params) ?? task.id
}
