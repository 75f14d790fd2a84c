/**
 * Takes back what the tasks of a failed run did: the last first, side by side where the graph allows it. Knows tasks and kinds, not hosts:
 * what taking back means is each kind's own (`undo`).
 */
import { digestOf, fingerprint } from '../../graph/fingerprint.ts'
import type { ActionResult, Failure, Fingerprint, Outcome, Task, TaskGraph, TaskId } from '../../graph/types.ts'
import { faultPoint } from '../../tasks/fault-point.ts'
import { TaskFailure, type TaskKind } from '../../tasks/kind.ts'
import type { HostPicture } from '../../tasks/ports.ts'
import { type Assessor, describeAction } from '../assess.ts'
import { failureFrom } from './failure.ts'
import { journaled } from './run-journal.ts'
import type { RunOptions } from './run-options.ts'
import { type ContextSurroundings, contextOf } from './task-run.ts'

export interface TakenBack {
  /** As it was before the run. */
  readonly undone: ReadonlySet<TaskId>
  /** Still as the run left it, and why. */
  readonly failed: ReadonlyMap<TaskId, Failure>
}

export type TakeBackOptions = Assessor &
  Omit<ContextSurroundings, 'told'> &
  Pick<RunOptions, 'kinds' | 'signal' | 'journal'> & {
    /** Hosts that a run before this one changed and left so, as they were before it: further back than what this run found. */
    readonly before?: ReadonlyMap<string, HostPicture>
    /** A line for a person. */
    readonly say: (line: string, task: TaskId) => void
  }

type Outcomes = ReadonlyMap<TaskId, Outcome>

/**
 * Tasks that did something in this run which their kind can take back, and those whose place an earlier run left changed; none when one that
 * cannot be gone behind has begun.
 */
export function takable(
  graph: TaskGraph,
  outcomes: Outcomes,
  kinds: ReadonlyMap<string, TaskKind>,
  before: NonNullable<TakeBackOptions['before']> = new Map(),
): readonly TaskId[] {
  const kindOf = (id: TaskId) => kinds.get(graph.task(id).kind)
  const isCommitted = (id: TaskId) => kindOf(id)?.commits === true && ['ran', 'failed'].includes(outcomes.get(id)?.status ?? '')
  if (graph.order.some(isCommitted)) return []
  const isUndone = (id: TaskId) => outcomes.get(id)?.status === 'ran' && kindOf(id)?.undo !== undefined
  const isPutBack = (id: TaskId) => kindOf(id)?.putBack !== undefined && pictureFor(graph.task(id), before) !== undefined
  return graph.order.filter((id) => isUndone(id) || isPutBack(id))
}

function pictureFor({ params }: Task, before: TakeBackOptions['before']): HostPicture | undefined {
  const host = (params as { readonly host?: unknown } | null)?.host
  return typeof host === 'string' ? before?.get(host) : undefined
}

/** Every one is tried, whatever becomes of the others, until somebody interrupts. Never rejects for what the world refuses. */
export async function takeBack(ids: readonly TaskId[], graph: TaskGraph, outcomes: Outcomes, options: TakeBackOptions): Promise<TakenBack> {
  const wanted = new Set(ids)
  const undone = new Set<TaskId>()
  const failed = new Map<TaskId, Failure>()
  const ends = new Map<TaskId, Promise<void>>()

  /** When all that came after a task is taken back, it is its turn. */
  function end(id: TaskId): Promise<void> {
    const known = ends.get(id)
    if (known !== undefined) return known
    const made = Promise.all(graph.dependents(id).map(end)).then(() => (wanted.has(id) ? undo(id) : undefined))
    ends.set(id, made)
    return made
  }

  async function undo(id: TaskId): Promise<void> {
    const output: string[] = []
    try {
      if (options.signal.aborted)
        throw new TaskFailure({ reason: 'interrupted', subject: id, message: 'interrupted before it was taken back' })
      faultPoint('before-undo', id)
      await undoTask(id, output)
      undone.add(id)
      faultPoint('after-undo', id)
    } catch (error) {
      const failure = failureFrom(error, { aborted: options.signal.aborted, output, redact: options.redact })
      failed.set(id, failure)
      options.say(`not taken back: ${failure.message}`, id)
    }
  }

  async function undoTask(id: TaskId, output: string[]): Promise<void> {
    const given = graph.task(id)
    const kind = options.kinds.get(given.kind)
    const task = kind && { ...given, params: kind.params.parse(given.params) }
    const told: ContextSurroundings['told'] = ({ line }) => options.say(line, id)
    const context = (needs: ReadonlyMap<TaskId, ActionResult>, key: Fingerprint) =>
      contextOf({ task: task ?? given, needs, signal: options.signal, output }, { fingerprint: key }, { ...options, told })
    const picture = pictureFor(given, options.before)
    if (task && kind?.putBack && picture) {
      // Whatever became of what it needs: this is not about what it was to be.
      const nothing = context(new Map(), digestOf(id) as string as Fingerprint)
      await journaled(options.journal, task, kind, 'undo', async () => kind.putBack?.(task.params, nothing, picture))
      return
    }
    const outcome = outcomes.get(id)
    if (!task || !kind?.undo || outcome?.status !== 'ran') throw new Error(`${id} has nothing to take back`)
    const needs = new Map(given.needs.map((need) => [need, resultOf(outcomes.get(need), need)]))
    const { action } = await describeAction(task, kind, needs, options)
    const known = context(needs, fingerprint(action))
    await journaled(options.journal, task, kind, 'undo', async () => kind.undo?.(task.params, known, outcome.result))
  }

  await Promise.all(graph.order.map(end))
  return { undone, failed }
}

function resultOf(outcome: Outcome | undefined, id: TaskId): ActionResult {
  if (outcome && 'result' in outcome) return outcome.result
  throw new Error(`${id} has no result`)
}
