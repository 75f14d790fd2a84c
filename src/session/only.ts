/**
 * `--only glob`: a part of the graph runs, and the rest is taken as it is. What a task needs of the rest is its last result here, which the
 * action log and the cache still know; a stand-in task hands it out.
 */

import { z } from 'zod'
import type { ActionLog, Cache } from '../../cache/cache.ts'
import { fingerprint } from '../../graph/fingerprint.ts'
import { taskGraph } from '../../graph/task-graph.ts'
import type { ActionResult, Diagnostic, Task, TaskGraph, TaskId } from '../../graph/types.ts'
import { kinds } from '../../tasks/index.ts'
import { defineTask, type TaskKind } from '../../tasks/kind.ts'
import type { Assessor } from '../assess.ts'
import { InputError } from '../contracts.ts'
import { shortName } from '../ui/task-name.ts'
import { matching, nothingMatches } from './task-globs.ts'

const standInName = 'assumed'

export interface TaskSelection {
  /** What the executor gets: the tasks that run, and a stand-in for each task whose result is assumed. */
  readonly graph: TaskGraph
  /** The tasks that run: what people see. */
  readonly shown: TaskGraph
  /** Tasks that do not run, and whose results are needed. */
  readonly assumed: readonly Task[]
}

export function wholeGraph(graph: TaskGraph): TaskSelection {
  return { graph, shown: graph, assumed: [] }
}

/**
 * The part of a graph a glob speaks of. A service that one of its tasks depends on runs too: there is no last result of what has to be
 * running. @throws InputError when the glob speaks of no task.
 */
export function partOf(graph: TaskGraph, glob: string): TaskSelection {
  const runs = new Set(matching(graph, glob))
  if (runs.size === 0) throw new InputError([nothingMatches('--only', glob, graph)])
  for (const id of runs) for (const need of graph.dependencies(id)) if (isService(graph.task(need))) runs.add(need)
  const tasks = [...runs].map((id) => graph.task(id))
  const needed = new Set(tasks.flatMap(({ needs }) => needs).filter((id) => !runs.has(id)))
  const standIns = [...needed].map((id) => ({ id, kind: standInName, params: null, needs: [], after: [] }))
  const within = (ids: readonly TaskId[], ...sets: ReadonlySet<TaskId>[]) => ids.filter((id) => sets.some((set) => set.has(id)))
  return {
    graph: checkedGraph([...tasks.map((task) => ({ ...task, after: within(task.after, runs, needed) })), ...standIns]),
    shown: checkedGraph(tasks.map((task) => ({ ...task, needs: within(task.needs, runs), after: within(task.after, runs) }))),
    assumed: [...needed].sort().map((id) => graph.task(id)),
  }
}

function isService({ kind, params }: Task): boolean {
  return kinds.get(kind)?.isService?.(params) ?? false
}

function checkedGraph(tasks: readonly Task[]): TaskGraph {
  const checked = taskGraph(tasks)
  if (checked.ok) return checked.value
  throw new Error(`a part of a graph is no graph: ${checked.diagnostics.map(({ message }) => message).join('; ')}`)
}

/**
 * What the executor needs to take stand-ins for what they stand for: a kind that hands out last results, and an action log they leave no
 * trace in. @throws InputError naming every task whose last result is not known here.
 */
export async function takeLastResults(
  { assumed }: TaskSelection,
  { log, caches, results: kept }: Pick<Assessor, 'log' | 'caches' | 'results'>,
): Promise<{ readonly kinds: ReadonlyMap<string, TaskKind>; readonly log: ActionLog }> {
  if (assumed.length === 0) return { kinds, log }
  const results = new Map<TaskId, ActionResult>()
  const missing: TaskId[] = []
  for (const task of assumed) {
    const action = await log.last(task.id)
    const result = action && (kept?.result(fingerprint(action)) ?? (await resultOf(action, caches)) ?? unknownResult(task))
    if (result) results.set(task.id, result)
    else missing.push(task.id)
  }
  if (missing.length > 0) throw new InputError(missing.map(neverRan))
  return {
    kinds: new Map([...kinds, [standInName, standInKind(results)]]),
    log: { last: (id) => log.last(id), record: async (id, action) => (results.has(id) ? undefined : log.record(id, action)) },
  }
}

/** Nobody keeps what a task makes that always runs. That it has run is all there is to know, and dependents are not skipped on its word. */
function unknownResult({ kind, params }: Task): ActionResult | undefined {
  return kinds.get(kind)?.always?.(params, new Map()) === undefined ? undefined : { files: {}, values: { untracked: true } }
}

async function resultOf(action: Parameters<typeof fingerprint>[0], caches: readonly Cache[]): Promise<ActionResult | undefined> {
  for (const cache of caches) {
    const result = await cache.actions.get(fingerprint(action))
    if (result) return result
  }
  return undefined
}

/** Always fresh, with the result that was looked up. */
function standInKind(results: ReadonlyMap<TaskId, ActionResult>): TaskKind {
  const resultFor = (id: TaskId): ActionResult => {
    const result = results.get(id)
    if (!result) throw new Error(`nothing is known of ${id}`)
    return result
  }
  return defineTask<null>({
    name: standInName,
    version: 1,
    summary: 'stands in for a task that does not run',
    freshness: 'effect',
    params: z.null(),
    title: () => standInName,
    observe: async (_, { id }) => ({ fresh: true, result: resultFor(id), detail: 'as it was left' }),
    run: async (_, { id }) => resultFor(id),
  })
}

function neverRan(id: TaskId): Diagnostic {
  const name = shortName(id)
  const message = `\`--only\` leaves out \`${name}\`, whose result is needed and not known here: run it first (\`stagecraft run ${name}\`), or let the glob match it`
  return { code: 'SC3121', severity: 'error', message }
}
