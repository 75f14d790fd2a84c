/** Walks a graph as the executor would, looking but never touching: what `plan`, `--dry-run` and `graph --state` show. */
import type { Action, ActionResult, Failure, Task, TaskGraph, TaskId } from '../graph/types.ts'
import { type TaskContext, TaskFailure, type TaskKind } from '../tasks/kind.ts'
import { assess, describeAction } from './assess.ts'
import type { Prediction } from './contracts.ts'
import type { RunOptions } from './execution/run-options.ts'
import { notNeeded as notNeededText } from './execution/services.ts'
import { readsAny, writersNear } from './future-files.ts'
import { Pool } from './pool.ts'
import { shortName } from './ui/task-name.ts'

export type PredictOptions = Omit<RunOptions, 'lock' | 'on' | 'onFailure' | 'pools' | 'mayStart'> & {
  /** False: no host, registry or database is asked; their tasks are `unknown`. */
  readonly online: boolean
}

/** Looks at a time: each is a round trip or the reading of files. */
const looksAtOnce = 16

export interface Predicted {
  readonly prediction: Prediction
  /** What the task is made from; undefined while a need's result is unknown. */
  readonly action?: Action
}

/**
 * Predicts every task. A fresh task's result lets its dependents be assessed; after a task that must run, a dependent
 * that needs its result can only be `may-run`, unless the result can be computed without touching anything (`pure`).
 */
export async function predict(graph: TaskGraph, options: PredictOptions): Promise<ReadonlyMap<TaskId, Predicted>> {
  const results = new Map<TaskId, ActionResult>()
  const predictions = new Map<TaskId, Promise<Prediction>>()
  const actions = new Map<TaskId, Action>()
  /** Tasks that are to write into the project, or wait for one that is. */
  const unsettled = new Set<TaskId>()
  let writers: ReturnType<typeof writersNear> | undefined
  const pool = new Pool(looksAtOnce)

  async function predictTask(id: TaskId): Promise<Prediction> {
    const given = graph.task(id)
    await Promise.all(graph.dependencies(id).map(of))
    const waitsFor = given.needs.find((need) => !results.has(need))
    if (waitsFor !== undefined) return (await hostTrouble(given)) ?? { state: 'may-run', waitsFor: await firstUnknown(waitsFor) }
    const kind = options.kinds.get(given.kind)
    if (!kind) throw new Error(`no kind is called ${given.kind}`)
    const around = kind.around?.(given.params)
    const follows = around?.after && (await afterThese(around.after))
    if (follows) return follows
    const acting = kind.looksAfterOthers ? await actingBefore(id) : undefined
    if (acting !== undefined) return { state: 'may-run', waitsFor: await firstUnknown(acting) }
    const task = { ...given, params: kind.params.parse(given.params) }
    const writer = kind.freshness === 'effect' ? undefined : await writerOfInputs(task, kind)
    if (writer !== undefined) return { state: 'may-run', waitsFor: await firstUnknown(writer) }
    const needs = new Map<TaskId, ActionResult>()
    for (const need of task.needs) {
      const result = results.get(need)
      if (result) needs.set(need, result)
    }
    return pool.use(() => look(task, kind, needs))
  }

  /** What stands after others runs when one of them does; if none does, it is looked at. */
  async function afterThese(ids: readonly TaskId[]): Promise<Prediction | undefined> {
    let found: Prediction | undefined
    for (const id of ids.filter((one) => graph.order.includes(one))) {
      const prediction = await of(id)
      if (prediction.state === 'run' && prediction.restoredFrom === undefined)
        return { state: 'run', because: { reason: 'need', detail: `${shortName(id)} runs` } }
      if (prediction.state !== 'fresh')
        found ??= prediction.state === 'unknown' ? prediction : { state: 'may-run', waitsFor: await firstUnknown(id) }
    }
    return found
  }

  /** What comes directly before a task and is to change something. */
  async function actingBefore(id: TaskId): Promise<TaskId | undefined> {
    for (const before of graph.dependencies(id)) {
      const isEffect = options.kinds.get(graph.task(before).kind)?.freshness === 'effect'
      if (isEffect && isPending(await of(before))) return before
    }
    return undefined
  }

  /** A task before it that is still to write what it reads: what lies there now says nothing. */
  async function writerOfInputs(task: Task, kind: TaskKind): Promise<TaskId | undefined> {
    const sets = kind.inputs?.(task.params).files ?? []
    if (sets.length === 0) return undefined
    const pending = new Set(pendingOf(task.id))
    if (pending.size === 0) return undefined
    // All that comes before it may be most of a large project: that is only walked for those who might write what it reads.
    writers ??= writersNear(new Map(graph.order.map((id) => [id, outputsOf(id)])))
    const near = writers(sets)
    near.delete(task.id)
    if (near.size === 0) return undefined
    // A set is walked in the order in which it grows, from near to far.
    for (const before of pending) {
      if (near.has(before) && isPending(await of(before)) && readsAny(sets, outputsOf(before), options.ports.projectDirectory))
        return before
      for (const id of pendingOf(before)) pending.add(id)
    }
    return undefined
  }

  function outputsOf(id: TaskId): readonly string[] {
    const { kind, params } = graph.task(id)
    return options.kinds.get(kind)?.writes?.(params) ?? []
  }

  /** Of what comes directly before a task: what is to write, or comes after something that is. */
  function pendingOf(id: TaskId): TaskId[] {
    return graph.dependencies(id).filter((dependency) => unsettled.has(dependency))
  }

  /** A host that cannot be looked at is told now, not after everything was built for it. */
  async function hostTrouble(task: Task): Promise<Prediction | undefined> {
    const host = (task.params as { readonly host?: unknown } | null)?.host
    if (!options.online || typeof host !== 'string') return undefined
    try {
      await options.ports.host(host).observe()
      return undefined
    } catch (error) {
      if (!(error instanceof TaskFailure)) throw error
      return { state: 'unknown', message: options.redact(troubleText(error.failure)) }
    }
  }

  async function look(task: Task, kind: TaskKind, needs: ReadonlyMap<TaskId, ActionResult>): Promise<Prediction> {
    const { id } = task
    try {
      const described = await describeAction(task, kind, needs, options)
      actions.set(id, described.action)
      const around = kind.around?.(task.params)
      if (around && around.after === undefined) {
        results.set(id, { files: {}, values: {} })
        return notNeeded
      }
      if (kind.isService?.(task.params)) {
        results.set(id, kind.promise?.(task.params, { ...described, needs }) ?? { files: {}, values: {} })
        return notNeeded
      }
      const context: TaskContext = {
        id,
        fingerprint: described.fingerprint,
        scope: options.scope,
        signal: options.signal,
        needs,
        ports: options.ports,
        log: () => {},
        hold: () => {
          throw new Error(`a plan must not start anything: ${id}`)
        },
        guard: () => Promise.reject(new Error(`a plan must not write: ${id}`)),
      }
      if (options.force(id)) {
        if (kind.pure) results.set(id, await kind.run(task.params, context))
        return { state: 'run', because: { reason: 'forced', detail: 'forced' } }
      }
      if (kind.freshness !== 'content' && !options.online) return { state: 'unknown', message: 'not asked (--offline)' }
      const assessment = await assess(task, kind, described, context, options)
      if (assessment.fresh === 'unless-changed') {
        results.set(id, assessment.result)
        const isIntact = (await kind.isIntact?.(task.params, context, assessment.result)) ?? true
        if (isIntact) return { state: 'fresh', how: 'present', detail: `unchanged (${assessment.from})` }
        const detail = `its outputs are put back from the ${assessment.from} cache`
        return { state: 'run', because: { reason: 'output', detail }, restoredFrom: assessment.from }
      }
      if (assessment.fresh) {
        results.set(id, assessment.outcome.result)
        return { state: 'fresh', how: 'present', detail: assessment.outcome.detail ?? `unchanged (${assessment.outcome.from})` }
      }
      if (kind.pure) results.set(id, await kind.run(task.params, context))
      return { state: 'run', because: assessment.because }
    } catch (error) {
      if (!(error instanceof TaskFailure)) throw error
      return { state: 'unknown', message: options.redact(troubleText(error.failure)) }
    }
  }

  /** Names the task that really has to run first, not a neighbour that waits itself. */
  async function firstUnknown(id: TaskId): Promise<TaskId> {
    const prediction = await of(id)
    return prediction.state === 'may-run' ? prediction.waitsFor : id
  }

  function of(id: TaskId): Promise<Prediction> {
    const known = predictions.get(id)
    if (known !== undefined) return known
    const promise = predictTask(id).then((prediction) => {
      if (isPending(prediction) || graph.dependencies(id).some((dependency) => unsettled.has(dependency))) unsettled.add(id)
      return prediction
    })
    predictions.set(id, promise)
    return promise
  }

  /** A service starts for the first of its dependents that runs; one that nothing depends on was asked for. */
  async function serviceNeed(id: TaskId): Promise<Prediction> {
    const users = graph.dependents(id)
    if (users.length === 0) return { state: 'run', because: { reason: 'need', detail: 'it was asked for' } }
    let need: Prediction = notNeeded
    for (const user of users) {
      const own = await of(user)
      const prediction = own === notNeeded ? await serviceNeed(user) : own
      if (prediction.state === 'run') return { state: 'run', because: { reason: 'need', detail: `${shortName(user)} needs it` } }
      if (prediction.state !== 'fresh') need = prediction
    }
    return need
  }

  const settled = await Promise.allSettled(graph.order.map(of))
  const all = new Map<TaskId, Predicted>()
  for (const [index, id] of graph.order.entries()) {
    const outcome = settled[index]
    if (outcome?.status !== 'fulfilled') throw outcome?.reason
    const prediction = outcome.value === notNeeded ? await serviceNeed(id) : outcome.value
    const action = actions.get(id)
    all.set(id, { prediction, ...(action ? { action } : {}) })
  }
  return all
}

const notNeeded: Prediction = { state: 'fresh', how: 'not-needed', detail: notNeededText }

/** It runs, or is put back, or may be. */
function isPending({ state }: Prediction): boolean {
  return state === 'run' || state === 'may-run'
}

function troubleText({ message, remedy }: Failure): string {
  return remedy === undefined ? message : `${message}; try: ${remedy}`
}
