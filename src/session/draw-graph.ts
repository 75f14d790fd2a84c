/** `stagecraft graph`: a graph in the form that was asked for, with what can be told of its tasks. */
import { relative, resolve } from 'node:path'
import { drawDot } from '../../graph/forms/dot.ts'
import type { FormOptions, TaskState } from '../../graph/forms/form.ts'
import { graphJson } from '../../graph/forms/json.ts'
import { drawMermaid } from '../../graph/forms/mermaid.ts'
import { drawTree } from '../../graph/forms/tree.ts'
import type { Phase, Task, TaskGraph, TaskId } from '../../graph/types.ts'
import { kinds } from '../../tasks/index.ts'
import type { Freshness } from '../../tasks/kind.ts'
import type { App } from '../contracts.ts'
import { shortName, withShortNames } from '../ui/task-name.ts'
import { readLastRun } from './last-run.ts'
import type { Project } from './open-project.ts'
import { type Foretold, foretell } from './task-states.ts'

export type GraphForm = 'tree' | 'dot' | 'mermaid' | 'json' | 'html'

export interface DrawOptions {
  readonly form: GraphForm
  /** Predict every task. */
  readonly states: boolean
  /** Ask hosts, registries and databases. */
  readonly online: boolean
}

/** @returns the whole text, with a line break at its end, and whether something that was asked did not answer. */
export async function drawGraph(
  graph: TaskGraph,
  project: Project,
  { form, states, online }: DrawOptions,
  app: App,
): Promise<{ readonly text: string; readonly isBlind: boolean }> {
  const foretold = states ? await foretell(graph, project, online, app) : undefined
  const isBlind = online && [...(foretold?.tasks.values() ?? [])].some(({ state }) => state.name === 'unknown')
  if (form === 'html') return { text: await page(graph, project, foretold, app), isBlind }
  const stateOf = (id: TaskId): TaskState | undefined => foretold?.tasks.get(id)?.state
  // Programs get ids, people the names they gave.
  const text = textForms[form](graph, form === 'json' ? { stateOf } : { stateOf: named(stateOf), nameOf: shortName }).trimEnd()
  return { text: `${foretold ? foretold.redact(text) : text}\n`, isBlind }
}

function named(stateOf: (id: TaskId) => TaskState | undefined): typeof stateOf {
  return (id) => {
    const state = stateOf(id)
    return state && { ...state, detail: withShortNames(state.detail) }
  }
}

const textForms: Readonly<Record<Exclude<GraphForm, 'html'>, (graph: TaskGraph, options: FormOptions) => string>> = {
  tree: drawTree,
  dot: drawDot,
  mermaid: drawMermaid,
  json: (graph, options) => JSON.stringify(graphJson(graph, { ...options, phaseOf }), null, 2),
}

/** Its own script and style must stay as they are, so what is secret is struck out of the data, not of the page. */
async function page(graph: TaskGraph, { deployment, directory }: Project, foretold: Foretold | undefined, app: App): Promise<string> {
  const { graphPage } = await import('../ui/html/graph-page.ts')
  const { pageAssets } = await import('../ui/html/assets.ts')
  const { renderPage } = await import('../ui/html/render-page.ts')
  const data = graphPage({
    title: [deployment.project, deployment.environment].filter((part) => part !== '').join(' · '),
    graph,
    hasStates: foretold !== undefined,
    lastRun: readLastRun(directory),
    redact: foretold?.redact ?? ((text) => text),
    aboutTask: (task) => ({
      title: kindOf(task).title(task.params),
      hosts: hostsOf(task),
      freshBy: freshBy[kindOf(task).freshness],
      ...(task.origin ? { origin: `${relative(directory, resolve(app.cwd, task.origin.file))}:${task.origin.line}` } : {}),
      ranBefore: false,
      parts: [],
      ...foretold?.tasks.get(task.id),
    }),
  })
  return renderPage(data, pageAssets())
}

const freshBy: Readonly<Record<Freshness, string>> = {
  content: 'its fingerprint',
  verified: 'its fingerprint, and a look whether its artifact is there',
  effect: 'a look at its target',
}

function hostsOf({ params }: Task): readonly string[] {
  const { host, hosts } = (params ?? {}) as { readonly host?: unknown; readonly hosts?: unknown }
  const named = typeof host === 'string' ? [host] : Array.isArray(hosts) ? hosts : []
  return named.filter((name) => typeof name === 'string').sort()
}

function phaseOf(task: Task): Phase | null {
  return kindOf(task).phase ?? null
}

function kindOf(task: Task) {
  const kind = kinds.get(task.kind)
  if (!kind) throw new Error(`no kind is called ${task.kind}`)
  return kind
}
