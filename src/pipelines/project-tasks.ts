/** One graph of built-in and user's tasks: who waits for whom across the two. Pure. */
import type { Task, TaskId } from '../../graph/types.ts'
import { kinds } from '../../tasks/index.ts'
import type { LoadedConfig } from '../config/config.ts'
import { own } from '../config/json-path.ts'
import { idsOfWords, reachOf } from './named-tasks.ts'
import { closure, withOutwardOrder } from './outward-order.ts'
import { userTasks } from './user-tasks.ts'

/**
 * All tasks of an environment and of the user.
 * @param builtIn what a deploy of the environment consists of.
 * @param words targets that are wanted: they decide which lists have an order.
 */
export function projectTasks(
  loaded: Pick<LoadedConfig, 'config' | 'locateKey'>,
  builtIn: readonly Task[],
  words: readonly string[],
): Task[] {
  const { config } = loaded
  const idsOf = idsOfWords(config, builtIn)
  const waiting = builtIn.map((task) => withServiceNeeds(task, loaded, idsOf))
  const tasks = [...waiting, ...userTasks(loaded, idsOf)]
  const lists = reachOf(words, config).lists.map((list) => list.map(idsOf))
  return withOutwardOrder(withoutStrays(tasks, [...waiting.map(({ id }) => id), ...words.flatMap(idsOf)]), lists, isOutward)
}

/** Whatever is not made on this machine alone, from content alone. Hooks keep to what they stand around. */
function isOutward({ kind }: Task): boolean {
  return kind !== 'build' && kind !== 'hook' && kinds.get(kind)?.freshness !== 'content'
}

/** Order only: files that a task writes into the context enter the fingerprint of the build by themselves. */
function withServiceNeeds(task: Task, { config }: Pick<LoadedConfig, 'config'>, idsOf: (word: string) => readonly TaskId[]): Task {
  const [kind = '', service = ''] = task.id.split(':')
  const needs = kind === 'build' ? (own(config.services, service)?.needs ?? []) : []
  return needs.length === 0 ? task : { ...task, after: [...new Set([...task.after, ...needs.flatMap(idsOf)])].sort() }
}

/** Tasks that name what this environment does not have are only wrong when somebody wants them. */
function withoutStrays(tasks: readonly Task[], wanted: readonly TaskId[]): Task[] {
  const known = new Map(tasks.map((task) => [task.id, task]))
  const dependents = new Map<TaskId, TaskId[]>()
  const open: TaskId[] = []
  for (const { id, needs, after } of tasks) {
    for (const dependency of [...needs, ...after]) {
      if (!known.has(dependency)) open.push(id)
      const others = dependents.get(dependency)
      if (others) others.push(id)
      else dependents.set(dependency, [id])
    }
  }
  if (open.length === 0) return [...tasks]
  const strays = new Set<TaskId>()
  for (let id = open.pop(); id !== undefined; id = open.pop()) {
    if (strays.has(id)) continue
    strays.add(id)
    open.push(...(dependents.get(id) ?? []))
  }
  const reached = closure(wanted, known)
  return tasks.filter(({ id }) => !strays.has(id) || reached.has(id))
}
