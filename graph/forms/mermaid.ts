import type { TaskGraph } from '../types.ts'
import { drawNodesAndEdges, type FormOptions } from './form.ts'

/** A Mermaid flowchart (https://mermaid.js.org/syntax/flowchart.html); arrows point from a task to what waits for it, dotted when order-only. */
export function drawMermaid(graph: TaskGraph, options: FormOptions = {}): string {
  // Mermaid's own names cannot hold colons, so ids live in labels and nodes are numbered in graph order.
  const names = new Map(graph.order.map((id, index) => [id, `t${index}`]))
  const body = drawNodesAndEdges(
    graph,
    (id) => {
      const annotation = options.annotate?.(id)
      return `${names.get(id)}["${label(annotation ? `${id}\n${annotation}` : id)}"]`
    },
    (from, to, orderOnly) => `${names.get(from)} ${orderOnly ? '-.->' : '-->'} ${names.get(to)}`,
  )
  return ['flowchart LR', ...body.map((line) => `  ${line}`), ''].join('\n')
}

/** Labels are HTML in which `#` begins an entity and a backtick begins Markdown. */
function label(text: string): string {
  return text.replace(/["#&<>`]/g, (character) => `#${character.charCodeAt(0)};`).replace(/\r?\n/g, '<br>')
}
