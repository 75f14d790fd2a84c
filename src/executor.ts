/**
 * Runs a task graph: each task is described, assessed, and then skipped or run, once everything it depends on has settled.
 * One scheduler, no phases: barriers are order-only edges. It begins when somebody first asks for an outcome; asking twice runs once.
 */
import type { ActionResult, Explanation, Outcome, Task, TaskGraph, TaskId } from '../graph/types.ts'
import { type HeldService, TaskFailure, type TaskKind } from '../tasks/kind.ts'
import { describeAction } from './assess.ts'
import type { Run, RunEvent } from './contracts.ts'
import { dueAfter, forerunnersOf, goBefore } from './execution/around.ts'
import { deferred } from './execution/deferred.ts'
import { endOfKeeping } from './execution/end-of-keeping.ts'
import { failureFrom } from './execution/failure.ts'
import { holdService } from './execution/hold-service.ts'
import { awayFromSlots, leaveSlot } from './execution/leave-slot.ts'
import { type Blocked, blockedBy, type Known, type Node, nodesOf, poolsOf, resultOf } from './execution/node.ts'
import type { RunOptions } from './execution/run-options.ts'
import { seenUnlocked } from './execution/seen-unlocked.ts'
import { keptOutcome, notNeeded, Service } from './execution/services.ts'
import { Slots } from './execution/slots.ts'
import { runTask, type TaskAttempt, type TaskSurroundings } from './execution/task-run.ts'
import { shortName } from './ui/task-name.ts'

export function startRun(graph: TaskGraph, options: RunOptions): Run {
  const nodes = nodesOf(graph)
  const slots = new Slots((pool) => options.pools[pool.split(' ')[0] ?? ''] ?? options.pools['default'] ?? 4)
  const around: TaskSurroundings = {
    ...options,
    told: (event, task) => tell({ ...event, task, at: options.now() }),
    notNow: whyNotNow,
    unlocked: seenUnlocked(options.lock),
    starts,
    servicesFor,
    leaveSlot: (task) => leaveSlot(nodes.get(task.id), nodes, slots),
    away,
  }
  options.services?.listen(tell)
  const firstFailure = deferred<void>()
  let failed = false
  let isBegun = false
  /** What a listener threw. It must not cut a task off half-way, so it is reported as the outcome of the next one that ends. */
  const faults: unknown[] = []

  function begin(): void {
    if (isBegun) return
    isBegun = true
    // Picked before the first is entered: one that ends at once makes others ready, and those are entered for that.
    for (const node of [...nodes.values()].filter(({ waitsFor }) => waitsFor === 0)) void enter(node)
  }

  function tell(event: RunEvent): void {
    try {
      options.on(event)
    } catch (error) {
      faults.push(error)
      fail()
    }
  }

  /** Noted at once, before the slot of what failed goes to one that waits for it. */
  function fail(): void {
    failed = true
    firstFailure.settle()
  }

  function failure(error: unknown, output: readonly string[]): Outcome {
    fail()
    return { status: 'failed', failure: failureFrom(error, { aborted: options.signal.aborted, output, redact: options.redact }) }
  }

  /** All that a task depends on is known. Never rejects. */
  async function enter(node: Node): Promise<void> {
    const blocked = blockedBy(node, nodes, options.goesOnAfter)
    if (blocked !== undefined) return end(node, { status: 'canceled', by: blocked })
    const { task } = node
    const vouched = options.force(task.id) ? undefined : options.vouching?.outcomeOf(task, (need) => resultOf(nodes.get(need)))
    if (vouched) return end(node, whyNotNow() ?? vouched)
    const kind = options.kinds.get(task.kind)
    if (!kind) return end(node, failure(new Error(`no kind is called ${task.kind}`), []))
    if (kind.isService?.(task.params)) return serve(node, kind)
    const place = kind.around?.(task.params)
    if (place && place.after === undefined) return before(node, kind, place.exclusive)
    node.claim = { pools: poolsOf(task, kind), rank: node.rank }
    try {
      await slots.acquire(node.claim)
    } catch (error) {
      return end(node, failure(error, []))
    }
    end(node, await attempt(node, kind))
    // After its dependents have lined up for it.
    if (node.claim) slots.release(node.claim)
  }

  async function attempt(node: Node, kind: TaskKind): Promise<Outcome> {
    const notNow = whyNotNow()
    if (notNow) return notNow
    const services = servicesOf(node)
    const signal = services.length === 0 ? options.signal : AbortSignal.any([options.signal, ...services.map(({ lost }) => lost)])
    const output: string[] = []
    try {
      return await runTask({ ...attemptOf(node, kind, signal, output), ...dueAfter(node, kind, nodes) }, around)
    } catch (error) {
      const lost = node.dependencies.find((id) => nodes.get(id)?.service?.lost.aborted)
      // Not its fault: what it used is gone.
      if (lost !== undefined && !options.signal.aborted) return { status: 'canceled', by: lost }
      return failure(error, output)
    }
  }

  function attemptOf({ task, dependencies }: Node, kind: TaskKind, signal: AbortSignal, output: string[]): TaskAttempt {
    const needs = new Map<TaskId, ActionResult>()
    for (const id of dependencies) {
      const result = task.needs.includes(id) ? resultOf(nodes.get(id)) : undefined
      if (result !== undefined) needs.set(id, result)
    }
    return { task: { ...task, params: kind.params.parse(task.params) }, kind, needs, signal, output }
  }

  function whyNotNow(): Outcome | undefined {
    if (options.signal.aborted) return { status: 'canceled', by: 'signal' }
    if (failed && options.onFailure === 'stop') return { status: 'canceled', by: 'stop' }
    return undefined
  }

  // --- what stands around others ------------------------------------------------------------------------------------

  /** Its dependents are looked at first; it runs before the first of them that runs. It takes no slot. */
  async function before(node: Node, kind: TaskKind, exclusive: boolean): Promise<void> {
    const output: string[] = []
    const run = async (detail: string): Promise<Outcome> => {
      try {
        const given = attemptOf(node, kind, options.signal, output)
        const refused = whyNotNow() ?? (await servicesFor(node.task))
        return refused ?? (await runTask({ ...given, due: { because: { reason: 'need', detail }, exclusive } }, around))
      } catch (error) {
        return failure(error, output)
      }
    }
    end(node, await goBefore(node, run, () => makeKnown(node, { result: { files: {}, values: {} } })))
  }

  // --- services -----------------------------------------------------------------------------------------------------

  /** Its dependents learn its result at once; it runs only if one of them does, or it was asked for itself. It takes no slot. */
  async function serve(node: Node, kind: TaskKind): Promise<void> {
    const output: string[] = []
    try {
      const notNow = whyNotNow()
      if (notNow) return end(node, notNow)
      const given = attemptOf(node, kind, options.signal, output)
      const described = await describeAction(given.task, kind, given.needs, options)
      const result = kind.promise?.(given.task.params, { ...described, needs: given.needs }) ?? { files: {}, values: {} }
      const start = async (because: string): Promise<HeldService | Outcome> => {
        const refused = whyNotNow() ?? (await servicesFor(given.task))
        if (refused) return refused
        try {
          return await holdService(given, described, because, { ...around, begun: (why) => (service.startedFor = why) })
        } catch (error) {
          return failure(error, output)
        }
      }
      const service = new Service(node.task.id, start)
      node.service = service
      makeKnown(node, { result })
      end(node, await serviceOutcome(node, service, result, output))
    } catch (error) {
      end(node, failure(error, output))
    }
  }

  async function serviceOutcome(node: Node, service: Service, result: ActionResult, output: readonly string[]): Promise<Outcome> {
    const { id } = node.task
    const isKept = options.services !== undefined
    const isTarget = options.targets?.has(id) ?? node.dependents.length === 0
    if (isTarget || options.services?.isWanted(id)) {
      const refused = await service.require(isTarget ? 'it was asked for' : 'it ran before')
      if (refused === undefined && !isKept) options.notice?.(`${shortName(id)} is running: press Ctrl-C to stop it`)
    }
    const users = Promise.all(node.dependents.map((user) => user.ended.promise))
    const unused = isTarget && !isKept ? Promise.all([users, endOfKeeping(nodes, options, firstFailure.promise)]) : users
    const over = await service.over(unused, users)
    switch (over.state) {
      case 'stopped': {
        const because: Explanation = { reason: 'need', detail: isTarget ? 'it was asked for' : 'it was needed' }
        return isKept ? keptOutcome(result, service.startedFor) : { status: 'ran', result, because }
      }
      case 'not-had':
        return over.outcome
      case 'died':
        return failure(new TaskFailure(over.failure), output)
      case 'not-needed': {
        const canceled = (await users).find(({ status }) => status === 'canceled')
        return canceled ?? { status: 'skipped', result, from: 'local', how: 'not-needed', detail: notNeeded }
      }
    }
  }

  function servicesOf({ dependencies }: Node): readonly Service[] {
    return dependencies.flatMap((id) => nodes.get(id)?.service ?? [])
  }

  /** Side by side; each starts those that it needs itself. Nobody else's slot is taken meanwhile. */
  async function servicesFor(task: Task): Promise<Outcome | undefined> {
    const user = nodes.get(task.id)
    const first = user === undefined ? [] : [...forerunnersOf(user, nodes), ...servicesOf(user)]
    if (first.length === 0) return undefined
    const refused = await away(task, () => Promise.all(first.map((one) => one.require(`${shortName(task.id)} needs it`))))
    return refused.find((outcome) => outcome !== undefined) ?? whyNotNow()
  }

  async function away<T>(task: Task, work: () => Promise<T>): Promise<T> {
    return awayFromSlots(nodes.get(task.id)?.claim, slots, work)
  }

  // --- ends ---------------------------------------------------------------------------------------------------------

  function starts(task: Task, because: Explanation): void {
    nodes.get(task.id)?.starts.settle(true)
    tell({ type: 'started', task, at: options.now(), because })
  }

  /** No outcome rejects: whoever waits for all tasks may then give the lock back. */
  function end(node: Node, outcome: Outcome): void {
    node.starts.settle(false)
    tell({ type: 'finished', task: node.task, at: options.now(), outcome })
    const told = faults.length > 0 ? failure(faults.splice(0)[0], []) : outcome
    node.outcome = told
    node.ended.settle(told)
    makeKnown(node, 'result' in told ? told : { by: told.status === 'canceled' ? told.by : node.task.id })
  }

  function makeKnown(node: Node, known: Known | Blocked): void {
    const isNew = node.known === undefined
    node.known = known
    if (!isNew) return
    for (const dependent of node.dependents) {
      dependent.waitsFor -= 1
      if (dependent.waitsFor === 0) queueMicrotask(() => void enter(dependent))
    }
  }

  function node(id: TaskId): Node {
    const found = nodes.get(id)
    if (!found) throw new RangeError(`no task \`${id}\` in this run`)
    begin()
    return found
  }

  return { outcome: (id) => node(id).ended.promise, starts: (id) => node(id).starts.promise }
}
