/** Pages of graphs made up for tests: as large, and as hostile, as a test wants them. */
import type { Comparison } from '../../graph/explain.ts'
import type { TaskState } from '../../graph/forms/form.ts'
import type { Task, TaskGraph, TaskId } from '../../graph/types.ts'
import { pageAssets } from '../../src/ui/html/assets.ts'
import { type GraphPageInput, graphPage } from '../../src/ui/html/graph-page.ts'
import { renderPage } from '../../src/ui/html/render-page.ts'
import { graphOf } from '../graph/tasks.ts'

/** A graph of a monorepo's sort: layers of tasks, each needing a few of those before, now and then one far back. */
export function layeredGraph(count: number, perLayer: number): TaskGraph {
  const chance = randomly(count)
  const kinds = ['build', 'exec', 'exec', 'exec', 'push', 'render']
  const ids = Array.from(
    { length: count },
    (_, index) => `${kinds[index % kinds.length]}:${names[index % names.length]}-${index}` as TaskId,
  )
  return graphOf(
    ...ids.map((id, index): Task => {
      const layer = Math.floor(index / perLayer)
      const pick = (from: number) => ids[Math.min(count - 1, from * perLayer + Math.floor(chance() * perLayer))] as TaskId
      const needs = layer === 0 ? [] : [pick(layer - 1), pick(layer - 1)]
      const after = layer > 1 && chance() < 0.15 ? [pick(Math.floor(chance() * (layer - 1)))] : []
      const host = id.startsWith('render') ? `node-${1 + (index % 3)}` : undefined
      return { id, kind: id.split(':')[0] ?? '', params: host ? { host } : {}, needs: [...new Set(needs)], after }
    }),
  )
}

const names = ['api', 'web', 'shared', 'worker', 'billing', 'search-index', 'mail', 'admin-panel', 'codegen', 'lint']
const states: readonly TaskState[] = [
  { name: 'fresh', detail: 'unchanged (local)' },
  { name: 'fresh', detail: 'unchanged (local)' },
  { name: 'run', detail: 'src/server.ts changed (+2 more)' },
  { name: 'may-run', detail: 'waits for exec:web-1' },
  { name: 'unknown', detail: 'its target was not asked' },
]
const parts: readonly Comparison[] = [
  { part: 'kind', name: 'exec', change: 'same' },
  { part: 'params', name: 'command[0]', change: 'same' },
  { part: 'env', name: 'NODE_ENV', change: 'changed' },
  { part: 'secret', name: 'NPM_TOKEN', change: 'same' },
  { part: 'file', name: 'src/server.ts', change: 'changed' },
  ...Array.from({ length: 40 }, (_, index) => ({ part: 'file', name: `src/part-${index}.ts`, change: 'same' }) as const),
]

/** Every task has a state, parts and a timing, by its place in the graph. */
export function samplePage(graph: TaskGraph, changes: Partial<GraphPageInput> = {}): string {
  const finishedAt = '2026-11-23T10:52:07.113Z'
  const timings = graph.order.map((id, index) => {
    const ranMs = ((index * 7919) % 4000) + 20
    const status = index % 17 === 16 ? 'failed' : 'ran'
    return [id, { status, startMs: index * 10, durationMs: ranMs, ranMs, because: 'src/server.ts changed', finishedAt }] as const
  })
  const place = new Map(graph.order.map((id, index) => [id, index]))
  const data = graphPage({
    title: 'shop · prod',
    graph,
    hasStates: true,
    lastRun: { finishedAt, tasks: new Map(timings) },
    redact: (text) => text,
    aboutTask: (task) => ({
      title: `${task.kind} ${task.id.split(':')[1]}`,
      hosts: hostOf(task),
      freshBy: 'its fingerprint',
      state: states[(place.get(task.id) ?? 0) % states.length] as TaskState,
      fingerprint: 'f00d'.repeat(16),
      ranBefore: true,
      parts,
    }),
    ...changes,
  })
  return renderPage(data, pageAssets())
}

function hostOf({ params }: Task): readonly string[] {
  const { host } = params as { readonly host?: string }
  return host === undefined ? [] : [host]
}

/** The same numbers for the same seed (Park, Miller 1988). */
function randomly(seed: number): () => number {
  let state = seed
  return () => {
    state = (state * 48_271) % 2_147_483_647
    return state / 2_147_483_647
  }
}
