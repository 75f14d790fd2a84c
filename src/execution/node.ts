import type { ActionResult, Outcome, Task, TaskGraph, TaskId } from '../../graph/types.ts'
import type { TaskKind } from '../../tasks/kind.ts'
import { type Deferred, deferred } from './deferred.ts'
import type { Forerunner } from './forerunner.ts'
import type { Service } from './services.ts'
import type { Claim } from './slots.ts'
import { rankByUrgency } from './urgency.ts'

/** What dependents see, which may be read only when one of them looks. */
export interface Known {
  readonly result: ActionResult
}

/** Why a task has no result: the one that failed, or what cut the run short. */
export interface Blocked {
  readonly by: TaskId | 'signal' | 'stop'
}

/** A task, and how far a run is with it. */
export interface Node {
  readonly task: Task
  /** Who goes first: the lowest. */
  rank: number
  /** Sorted. */
  readonly dependencies: readonly TaskId[]
  readonly dependents: Node[]
  readonly starts: Deferred<boolean>
  readonly ended: Deferred<Outcome>
  /** Dependencies of which nothing is known yet. */
  waitsFor: number
  /** What its dependents go by. Of a service, known before it runs. */
  known?: Known | Blocked
  /** The slots it holds or waits for; a service takes none, and who has left its slots has none. */
  claim: Claim | undefined
  /** Its program has ended well: its result will be known in a moment. */
  isNearlyKnown: boolean
  service?: Service
  /** What runs before the first of its dependents that runs. */
  forerunner?: Forerunner
  /** How it ended. */
  outcome?: Outcome
}

export function nodesOf(graph: TaskGraph): ReadonlyMap<TaskId, Node> {
  const nodes = new Map<TaskId, Node>()
  for (const id of graph.order) {
    const dependencies = graph.dependencies(id)
    const place = {
      task: graph.task(id),
      rank: 0,
      dependencies,
      dependents: [],
      waitsFor: dependencies.length,
      claim: undefined,
      isNearlyKnown: false,
    }
    const node: Node = { ...place, starts: deferred(), ended: deferred() }
    nodes.set(id, node)
    for (const dependency of dependencies) nodes.get(dependency)?.dependents.push(node)
  }
  rankByUrgency(nodes)
  return nodes
}

/** What a task made, as far as that is known. */
export function resultOf(node: Node | undefined): ActionResult | undefined {
  const known = node?.known
  return known === undefined || 'by' in known ? undefined : known.result
}

/** Why a task cannot be had, if so. A chain of canceled tasks names the one that failed, not its neighbour. */
export function blockedBy(
  { task, dependencies }: Node,
  nodes: ReadonlyMap<TaskId, Node>,
  goesOnAfter?: (task: TaskId, failed: TaskId) => boolean,
): Blocked['by'] | undefined {
  for (const id of dependencies) {
    const known = nodes.get(id)?.known
    if (known !== undefined && 'by' in known && !goesOnAfter?.(task.id, id)) return known.by
  }
  return undefined
}

/** The pool `host` is one per host: hosts do not wait for each other. A pool of the user's comes on top of the kind's own. */
export function poolsOf(task: Task, kind: TaskKind): readonly string[] {
  const own = kind.pool === 'host' ? `host ${hostOf(task)}` : (kind.pool ?? 'default')
  const users = kind.poolOf?.(task.params)
  return users === undefined || users === own ? [own] : [own, users]
}

function hostOf(task: Task): string {
  const host = (task.params as { readonly host?: unknown } | null)?.host
  return typeof host === 'string' ? host : ''
}
