/** What a person may name to `stagecraft run`: a task or a pipeline of theirs, a built-in target, or any task by its id. */
import { nearest } from '../../graph/nearest.ts'
import { taskGraph } from '../../graph/task-graph.ts'
import type { Checked, Diagnostic, TaskGraph, TaskId } from '../../graph/types.ts'
import { builtInTargets as builtIn } from '../config/built-in-names.ts'
import { isOf } from '../pipelines/named-tasks.ts'
import { checkedValue } from './checked-value.ts'

export const builtInTargets = Object.keys(builtIn).sort()

/**
 * The graph of the wanted targets and everything they depend on.
 * @param pipelines and the targets of each, pipelines within it resolved.
 */
export function targetGraph(
  words: readonly string[],
  graph: TaskGraph,
  pipelines: Readonly<Record<string, readonly string[]>> = {},
): Checked<TaskGraph> {
  const present = new Set(graph.order)
  const ids = new Set<TaskId>()
  const diagnostics: Diagnostic[] = []
  for (const word of words.flatMap((given) => expanded(given, present, pipelines))) {
    const id = taskIdOf(word, present)
    if (id) {
      ids.add(id)
      continue
    }
    const kinds = Object.hasOwn(builtIn, word) ? builtIn[word] : undefined
    if (!kinds) diagnostics.push(unknownTarget(word, [...present, ...names(present), ...Object.keys(pipelines)]))
    else if (word === 'deploy' && !graph.order.some((one) => graph.task(one).kind === 'finalize')) diagnostics.push(nowhere)
    else for (const one of graph.order) if (isOf(graph.task(one), kinds)) ids.add(one)
  }
  if (diagnostics.length > 0) return { ok: false, diagnostics }
  return { ok: true, value: withoutDeployHook(graph.only([...ids]), ids) }
}

/** Nobody deploys who only builds, though every task of a deploy comes after the hook before it. */
function withoutDeployHook(graph: TaskGraph, wanted: ReadonlySet<TaskId>): TaskGraph {
  const hook = 'hook:before_deploy' as TaskId
  const tasks = graph.order.map((id) => graph.task(id))
  if (wanted.has(hook) || !graph.order.includes(hook) || tasks.some(({ kind }) => kind === 'finalize')) return graph
  const others = tasks.filter(({ id }) => id !== hook).map((task) => ({ ...task, after: task.after.filter((other) => other !== hook) }))
  return checkedValue(taskGraph(others)).only([...wanted])
}

/** Tasks that are wanted by their own name, in a pipeline or on the command line: not because others need them. */
export function namedTasks(
  words: readonly string[],
  graph: TaskGraph,
  pipelines: Readonly<Record<string, readonly string[]>>,
): ReadonlySet<TaskId> {
  const present = new Set(graph.order)
  const ids = words.flatMap((word) => expanded(word, present, pipelines)).map((word) => taskIdOf(word, present))
  return new Set(ids.filter((id) => id !== undefined))
}

/** The one task a word names: a task of the user's by its name, any by its id. */
export function taskIdOf(word: string, present: ReadonlySet<TaskId>): TaskId | undefined {
  return [`exec:${word}` as TaskId, word as TaskId].find((id) => present.has(id))
}

function expanded(word: string, present: ReadonlySet<TaskId>, pipelines: Readonly<Record<string, readonly string[]>>): readonly string[] {
  if (taskIdOf(word, present) || Object.hasOwn(builtIn, word)) return [word]
  if (Object.hasOwn(pipelines, word)) return pipelines[word] ?? []
  const everywhere = idsOnHosts(word, present)
  return everywhere.length > 0 ? everywhere : [word]
}

/**
 * What a service's task is without a host: `rollout:web` is `rollout:web@node-1` and all others, and `push:web` is how the image of `web`
 * gets to where it is wanted, also when it is sent to each host.
 */
function idsOnHosts(word: string, present: ReadonlySet<TaskId>): readonly TaskId[] {
  const colon = word.indexOf(':')
  if (colon === -1) return []
  const kind = word.slice(0, colon)
  // A deploy of one service is `deploy --services web`: a release is more than its tasks.
  if (kind === 'deploy') return []
  const kinds = Object.hasOwn(builtIn, kind) ? (builtIn[kind] ?? []) : [kind]
  const starts = kinds.map((one) => `${one}${word.slice(colon)}`)
  return [...present].filter((id) => starts.some((start) => id === start || id.startsWith(`${start}@`)))
}

/** Tasks of the user's as people call them. */
function names(present: ReadonlySet<TaskId>): string[] {
  return [...present].filter((id) => id.startsWith('exec:')).map((id) => id.slice('exec:'.length))
}

const nowhere = {
  code: 'SC3107',
  severity: 'error',
  message: 'this environment has no hosts to deploy to: give it `hosts` in the manifest, or use `stagecraft build`',
} as const

/**
 * @param known all words that could have been meant, beside built-in targets.
 * @param hasEnvironments built-in targets are tasks of an environment: without any, none of them can be meant.
 */
export function unknownTarget(word: string, known: readonly string[], hasEnvironments = true): Diagnostic {
  const suggestion = nearest(word, new Set([...known, ...(hasEnvironments ? builtInTargets : [])]))
  return {
    code: 'SC3104',
    severity: 'error',
    message: hasEnvironments
      ? `no target or task is called \`${word}\`: expected ${allWords(known)}`
      : `no task or pipeline is called \`${word}\`: ${ownWords(known)}`,
    ...(suggestion === undefined ? {} : { suggestion }),
  }
}

function allWords(known: readonly string[]): string {
  const own = known.some((name) => !name.includes(':')) ? 'a task or pipeline of the manifest, ' : ''
  return `${own}one of ${builtInTargets.join(', ')}, or a task id as \`stagecraft graph\` lists them`
}

/** Names listed before the rest is only counted. */
const listed = 12

function ownWords(known: readonly string[]): string {
  if (known.length === 0) return 'the manifest has no tasks yet; write one under `tasks`'
  const more = known.length > listed ? `, and ${known.length - listed} more` : ''
  return `expected one of ${[...known].sort().slice(0, listed).join(', ')}${more}`
}

/** `*` matches any run of characters, `?` one: `build:*`, `rollout:web@node-?`. */
export function matchesGlob(glob: string, id: string): boolean {
  const pattern = glob
    .replace(/[.+^${}()|[\]\\]/g, '\\$&')
    .replaceAll('*', '.*')
    .replaceAll('?', '.')
  return new RegExp(`^${pattern}$`).test(id)
}
