/** From the words of a manifest to the ids of tasks. Pure. */
import type { Task, TaskId } from '../../graph/types.ts'
import { builtInTargets } from '../config/built-in-names.ts'
import type { Config } from '../config/config.ts'
import { own } from '../config/json-path.ts'
import { targetOf } from '../config/targets.ts'
import { comesWith } from './hook-tasks.ts'

/** Is it one of the tasks that a built-in target of these kinds stands for? */
export function isOf(task: Task, kinds: readonly string[]): boolean {
  return kinds.includes(task.kind) || comesWith(task, kinds)
}

type Parts = Pick<Config, 'tasks' | 'pipelines'>

/**
 * Ids behind a word: one task, or all of a pipeline or a built-in target. Ids of tasks that an environment does not have are ids all the same:
 * whoever makes the graph tells of them.
 * @param builtIn tasks of the environment; none when there is no environment.
 */
export function idsOfWords(config: Parts, builtIn: readonly Task[]): (word: string) => readonly TaskId[] {
  const known = new Map<string, readonly TaskId[]>()
  const idsOf = (word: string): readonly TaskId[] => {
    const found = known.get(word) ?? find(word)
    known.set(word, found)
    return found
  }
  const find = (word: string): readonly TaskId[] => {
    const target = targetOf(word, config)
    switch (target?.is) {
      case 'task':
        return [`exec:${target.name}` as TaskId]
      case 'pipeline':
        return [...new Set(own(config.pipelines, target.name)?.targets.flatMap(idsOf))]
      case 'built-in':
        return builtIn.filter((task) => isOf(task, own(builtInTargets, target.name) ?? [])).map(({ id }) => id)
      case 'built-in task':
        return [target.id as TaskId]
      case undefined:
        return []
    }
  }
  return idsOf
}

/** What is met on the way from some words to the tasks they stand for. */
export interface Reach {
  /** Lists of targets, inner ones first: those of pipelines, what built-in targets need, the words themselves. */
  readonly lists: readonly (readonly string[])[]
  /** Environments that pipelines ask for, and which does. */
  readonly environments: ReadonlyMap<string, string>
  /** A built-in target or a task of an environment is among it. */
  readonly isBuiltIn: boolean
}

export function reachOf(words: readonly string[], config: Parts): Reach {
  const lists: (readonly string[])[] = []
  const environments = new Map<string, string>()
  let isBuiltIn = false
  const met = new Set<string>()

  /** Entered and left, so that lists are noted from the inside out without recursion: chains of tasks may be long. */
  const open: { readonly word: string; readonly leaving: boolean }[] = []
  const enter = (next: readonly string[]) => {
    for (const word of [...next].reverse()) open.push({ word, leaving: false })
  }
  enter(words)
  for (let at = open.pop(); at !== undefined; at = open.pop()) {
    const { word, leaving } = at
    const target = targetOf(word, config)
    if (leaving) {
      if (target?.is === 'pipeline') lists.push(own(config.pipelines, target.name)?.targets ?? [])
      if (target?.is === 'built-in') for (const need of needsOf(target.name)) lists.push([need, word])
      continue
    }
    if (met.has(word) || target === undefined) continue
    met.add(word)
    if (target.is === 'built-in' || target.is === 'built-in task') isBuiltIn = true
    open.push({ word, leaving: true })
    if (target.is === 'task') {
      const task = own(config.tasks, target.name)
      enter([...(task?.needs ?? []), ...(task?.after ?? [])])
    } else if (target.is === 'pipeline') {
      const pipeline = own(config.pipelines, target.name)
      if (pipeline?.env !== undefined && !environments.has(pipeline.env)) environments.set(pipeline.env, target.name)
      enter(pipeline?.targets ?? [])
    } else if (target.is === 'built-in') enter(needsOf(target.name))
  }
  return { lists: [...lists, words], environments, isBuiltIn }

  function needsOf(builtIn: string): readonly string[] {
    return own(config.pipelines, builtIn)?.needs ?? []
  }
}
