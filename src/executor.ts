/**
 * Runs a task graph: each task is described, assessed, and then skipped or run, once everything it depends on has settled.
 * One scheduler, no phases: barriers are order-only edges. Whoever asks for outcomes (a listr2 view, a plain loop) drives it.
 */
import { fingerprint } from '../graph/fingerprint.ts'
import type { ActionResult, Explanation, Failure, Outcome, Task, TaskGraph, TaskId } from '../graph/types.ts'
import { type TaskContext, TaskFailure, type TaskKind } from '../tasks/kind.ts'
import type { Ports, Scope } from '../tasks/ports.ts'
import { type Assessment, type Assessor, assess, type Described, describeAction } from './assess.ts'
import type { Run, RunEvent } from './contracts.ts'
import { faultPoint } from './fault-point.ts'
import { Pool } from './pool.ts'
import { cachesOf } from './sharing.ts'

/** The environment's lock, taken by the first task that writes to a host. */
export interface EnvironmentLock {
  readonly isHeld: boolean
  /** Takes it unless this run holds it already. @throws TaskFailure `lock-held`. */
  hold(): Promise<void>
  /** @throws TaskFailure `lock-lost` when another run took over. */
  verify(): Promise<void>
}

export interface RunOptions extends Assessor {
  readonly kinds: ReadonlyMap<string, TaskKind>
  readonly ports: Ports
  readonly scope: Scope
  /** Widths of named pools; `default` is the run's concurrency. */
  readonly pools: Readonly<Record<string, number>>
  readonly force: (id: TaskId) => boolean
  readonly lock: EnvironmentLock
  readonly redact: (text: string) => string
  /** Asked before each task that is to start; false ends the run before it did anything. */
  readonly mayStart: () => Promise<boolean>
  /** After a failure: start nothing new, or go on with what does not depend on it. */
  readonly onFailure: 'stop' | 'continue'
  readonly signal: AbortSignal
  readonly on: (event: RunEvent) => void
  readonly now: () => number
}

/** Lines of output kept for a failure's report. */
const keptLines = 20

export function startRun(graph: TaskGraph, options: RunOptions): Run {
  const outcomes = new Map<TaskId, Promise<Outcome>>()
  const starting = new Map<TaskId, { promise: Promise<boolean>; settle: (runs: boolean) => void }>()
  const pools = new Map<string, Pool>()
  let failed = false
  /** What a listener threw. It must not cut a task off half-way, so it is reported as the outcome of the next one that ends. */
  const faults: unknown[] = []

  function outcome(id: TaskId): Promise<Outcome> {
    const known = outcomes.get(id)
    if (known !== undefined) return known
    const promise = settle(graph.task(id))
    outcomes.set(id, promise)
    return promise
  }

  /** Never rejects: whoever waits for all tasks may then give the lock back. */
  async function settle(task: Task): Promise<Outcome> {
    const result = await reach(task)
    starts(task.id).settle(false)
    tell({ type: 'finished', task, at: options.now(), outcome: result })
    return faults.length > 0 ? failureOutcome(faults.splice(0)[0], []) : result
  }

  function tell(event: RunEvent): void {
    try {
      options.on(event)
    } catch (error) {
      faults.push(error)
      failed = true
    }
  }

  async function reach(task: Task): Promise<Outcome> {
    const needs = new Map<TaskId, ActionResult>()
    const dependencies = graph.dependencies(task.id)
    const settled = await Promise.all(dependencies.map(outcome))
    for (const [index, id] of dependencies.entries()) {
      const before = settled[index]
      if (before?.status === 'failed' || before?.status === 'canceled') return { status: 'canceled', by: rootCause(id, before) }
      if (before && task.needs.includes(id)) needs.set(id, before.result)
    }
    const kind = options.kinds.get(task.kind)
    if (!kind) return failureOutcome(new Error(`no kind is called ${task.kind}`), [])
    return poolOf(task, kind).use(async () => {
      if (options.signal.aborted) return { status: 'canceled', by: 'signal' }
      if (failed && options.onFailure === 'stop') return { status: 'canceled', by: 'stop' }
      return attempt(task, kind, needs)
    })
  }

  async function attempt(task: Task, kind: TaskKind, needs: ReadonlyMap<TaskId, ActionResult>): Promise<Outcome> {
    const output: string[] = []
    try {
      return await perform({ ...task, params: kind.params.parse(task.params) }, kind, needs, output)
    } catch (error) {
      return failureOutcome(error, output)
    }
  }

  /** The only place where an exception becomes an outcome. Noted at once, before the task's slot goes to one that waits for it. */
  function failureOutcome(error: unknown, output: readonly string[]): Outcome {
    failed = true
    const failure = failureOf(error, options.signal.aborted)
    return { status: 'failed', failure: redacted({ ...failure, output: failure.output ?? output }, options.redact) }
  }

  async function perform(task: Task, kind: TaskKind, needs: ReadonlyMap<TaskId, ActionResult>, output: string[]): Promise<Outcome> {
    const described = await describeAction(task, kind, needs, options)
    const context: TaskContext = {
      id: task.id,
      fingerprint: described.fingerprint,
      scope: options.scope,
      signal: options.signal,
      needs,
      ports: options.ports,
      log(line) {
        const clean = options.redact(line)
        output.push(clean)
        if (output.length > keptLines) output.shift()
        tell({ type: 'output', task, at: options.now(), line: clean })
      },
      hold: () => {
        throw new Error('services are not held yet')
      },
      guard: () => options.lock.verify(),
    }
    const because = await reasonToRun(task, kind, described, context)
    if ('status' in because) return because
    // Looking may have been answered from memory, and then nobody noticed.
    if (options.signal.aborted) return { status: 'canceled', by: 'signal' }
    if (!(await options.mayStart())) return { status: 'canceled', by: 'stop' }
    faultPoint(`before ${task.id}`)
    starts(task.id).settle(true)
    tell({ type: 'started', task, at: options.now(), because })
    const result = await kind.run(task.params, context)
    if (kind.freshness !== 'effect') await remember(task, kind, needs, described, result)
    await options.log.record(task.id, described.action)
    faultPoint(`after ${task.id}`)
    return { status: 'ran', result, because }
  }

  async function reasonToRun(task: Task, kind: TaskKind, described: Described, context: TaskContext): Promise<Explanation | Outcome> {
    const look = () => assess(task, kind, described, context, options)
    const forced = options.force(task.id)
    const wasLocked = options.lock.isHeld
    let assessment: Assessment = forced ? { fresh: false, because: { reason: 'forced', detail: 'forced' } } : await look()
    // What was seen before the lock was ours may have changed until it was.
    if (!assessment.fresh && kind.exclusive) {
      await options.lock.hold()
      if (!wasLocked && !forced) assessment = await look()
    }
    if (assessment.fresh === 'unless-changed') {
      const put = await putBack(task, kind, context, assessment)
      if ('reason' in put) return put
      assessment = { fresh: true, outcome: put }
    }
    if (!assessment.fresh) return assessment.because
    await options.log.record(task.id, described.action)
    return assessment.outcome
  }

  /** Content that lives in the project folder is fresh when it is there, and is put there when it is not. */
  async function putBack(
    task: Task,
    kind: TaskKind,
    context: TaskContext,
    { result, from }: { readonly result: ActionResult; readonly from: 'local' | 'remote' },
  ): Promise<Explanation | Extract<Outcome, { status: 'skipped' }>> {
    const restored = (await kind.restore?.(task.params, context, result)) ?? { state: 'intact' }
    if (restored.state === 'impossible') return { reason: 'output', detail: `its outputs ${restored.detail}` }
    const detail = restored.state === 'restored' ? { detail: `${restored.files} files restored` } : {}
    return { status: 'skipped', result, from, ...detail }
  }

  /** Stores the result, unless an input changed while the task ran: then nobody knows what it was made from. */
  async function remember(
    task: Task,
    kind: TaskKind,
    needs: ReadonlyMap<TaskId, ActionResult>,
    described: Described,
    result: ActionResult,
  ): Promise<void> {
    if (kind.always?.(task.params, needs) !== undefined) return
    const now = await describeAction(task, kind, needs, options)
    if (fingerprint(now.action) !== described.fingerprint) {
      tell({ type: 'output', task, at: options.now(), line: 'an input changed while it ran: the result is used, but not cached' })
      return
    }
    for (const cache of cachesOf(options.caches, kind, described.action)) await cache.actions.set(described.fingerprint, result)
  }

  function starts(id: TaskId) {
    const known = starting.get(id)
    if (known !== undefined) return known
    let settle: (runs: boolean) => void = () => {}
    const promise = new Promise<boolean>((resolve) => {
      settle = resolve
    })
    const entry = { promise, settle }
    starting.set(id, entry)
    return entry
  }

  /** The pool `host` is one per host: hosts do not wait for each other. */
  function poolOf(task: Task, kind: TaskKind): Pool {
    const name = kind.poolOf?.(task.params) ?? kind.pool ?? 'default'
    const key = name === 'host' ? `host ${hostOf(task)}` : name
    const known = pools.get(key)
    if (known !== undefined) return known
    const made = new Pool(options.pools[name] ?? options.pools['default'] ?? 4)
    pools.set(key, made)
    return made
  }

  return { outcome, starts: (id) => starts(id).promise }
}

function hostOf(task: Task): string {
  const host = (task.params as { readonly host?: unknown } | null)?.host
  return typeof host === 'string' ? host : ''
}

/** A chain of canceled tasks names the one that failed, not its neighbour. */
function rootCause(id: TaskId, outcome: Outcome): TaskId | 'signal' | 'stop' {
  return outcome.status === 'canceled' ? outcome.by : id
}

function failureOf(error: unknown, aborted: boolean): Failure {
  if (error instanceof TaskFailure) return aborted ? { ...error.failure, reason: 'interrupted' } : error.failure
  if (aborted) return { reason: 'interrupted', subject: 'stagecraft', message: 'interrupted' }
  const message = error instanceof Error ? error.message : String(error)
  const stack = error instanceof Error && error.stack ? { stack: error.stack } : {}
  return { reason: 'bug', subject: 'stagecraft', message, ...stack }
}

function redacted(failure: Failure, redact: (text: string) => string): Failure {
  return {
    ...failure,
    subject: redact(failure.subject),
    message: redact(failure.message),
    ...(failure.remedy === undefined ? {} : { remedy: redact(failure.remedy) }),
    ...(failure.output ? { output: failure.output.map(redact) } : {}),
    ...(failure.stack ? { stack: redact(failure.stack) } : {}),
  }
}
