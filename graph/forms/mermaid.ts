import type { TaskGraph } from '../types.ts'
import { drawNodesAndEdges, type FormOptions, stateColors, stateText, type TaskState } from './form.ts'

/** A Mermaid flowchart (https://mermaid.js.org/syntax/flowchart.html); arrows point from a task to what waits for it, dotted when order-only. */
export function drawMermaid(graph: TaskGraph, options: FormOptions = {}): string {
  // Mermaid's own names cannot hold colons, so ids live in labels and nodes are numbered in graph order.
  const names = new Map(graph.order.map((id, index) => [id, `t${index}`]))
  const { nameOf = (id) => id } = options
  const met = new Set<TaskState['name']>()
  const body = drawNodesAndEdges(
    graph,
    (id) => {
      const state = options.stateOf?.(id)
      if (!state) return `${names.get(id)}["${label(nameOf(id))}"]`
      met.add(state.name)
      return `${names.get(id)}["${label(`${nameOf(id)}\n${stateText(state)}`)}"]:::${className(state.name)}`
    },
    (from, to, orderOnly) => `${names.get(from)} ${orderOnly ? '-.->' : '-->'} ${names.get(to)}`,
  )
  const classes = [...met].sort().map((name) => {
    const { border, ground } = stateColors[name]
    return `classDef ${className(name)} fill:${ground},stroke:${border},color:#111827`
  })
  return ['flowchart LR', ...[...classes, ...body].map((line) => `  ${line}`), ''].join('\n')
}

/** Mermaid's parser takes a hyphen in a class for the beginning of an arrow. */
function className(state: TaskState['name']): string {
  return state.replaceAll('-', '_')
}

/** Labels are HTML in which `#` begins an entity and a backtick begins Markdown. */
function label(text: string): string {
  return text.replace(/["#&<>`]/g, (character) => `#${character.charCodeAt(0)};`).replace(/\r?\n/g, '<br>')
}
