/** What a person may name to `stagecraft run`: a built-in target, or a task by its id. */

import { nearest } from '../../graph/nearest.ts'
import type { Checked, TaskGraph, TaskId } from '../../graph/types.ts'

/** Built-in target → kinds it runs; all they depend on comes along. */
const builtIn: Readonly<Record<string, readonly string[]>> = {
  build: ['build'],
  push: ['push'],
  render: ['render'],
  migrate: ['migrate_pre'],
  deploy: ['build', 'push', 'render', 'upload', 'migrate_pre', 'rollout', 'health', 'finalize'],
}

export const builtInTargets = Object.keys(builtIn).sort()

/** The graph of the wanted targets and everything they depend on. */
export function targetGraph(
  words: readonly string[],
  graph: TaskGraph,
  pipelines: Readonly<Record<string, readonly string[]>> = {},
): Checked<TaskGraph> {
  const ids = new Set<TaskId>()
  const diagnostics = []
  for (const given of words.flatMap((word) => pipelines[word] ?? [word])) {
    const word = graph.order.includes(`exec:${given}` as TaskId) ? `exec:${given}` : given
    const kinds = Object.hasOwn(builtIn, word) ? builtIn[word] : undefined
    if (word === 'deploy' && !graph.order.some((id) => graph.task(id).kind === 'finalize')) diagnostics.push(nowhere)
    if (kinds) for (const id of graph.order) if (kinds.includes(graph.task(id).kind)) ids.add(id)
    if (!kinds && graph.order.includes(word as TaskId)) ids.add(word as TaskId)
    else if (!kinds) diagnostics.push(unknownTarget(word, graph))
  }
  if (diagnostics.length > 0) return { ok: false, diagnostics }
  return { ok: true, value: graph.only([...ids]) }
}

const nowhere = {
  code: 'SC3107',
  severity: 'error',
  message: 'this environment has no hosts to deploy to: give it `hosts` in the manifest, or use `stagecraft build`',
} as const

function unknownTarget(word: string, graph: TaskGraph) {
  const suggestion = nearest(word, [...builtInTargets, ...graph.order])
  return {
    code: 'SC3104',
    severity: 'error',
    message: `no target or task is called \`${word}\`: expected one of ${builtInTargets.join(', ')}, or a task id as \`stagecraft graph\` lists them`,
    ...(suggestion === undefined ? {} : { suggestion }),
  } as const
}

/** `*` matches any run of characters, `?` one: `build:*`, `rollout:web@node-?`. */
export function matchesGlob(glob: string, id: string): boolean {
  const pattern = glob
    .replace(/[.+^${}()|[\]\\]/g, '\\$&')
    .replaceAll('*', '.*')
    .replaceAll('?', '.')
  return new RegExp(`^${pattern}$`).test(id)
}
