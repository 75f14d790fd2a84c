import type { TaskGraph } from '../types.ts'
import { drawNodesAndEdges, type FormOptions } from './form.ts'

/** Graphviz's language (https://graphviz.org/doc/info/lang.html); arrows point from a task to what waits for it, dashed when order-only. */
export function drawDot(graph: TaskGraph, options: FormOptions = {}): string {
  const body = drawNodesAndEdges(
    graph,
    (id) => {
      const annotation = options.annotate?.(id)
      return annotation ? `${quote(id)} [label=${quote(`${id}\n${annotation}`)}]` : quote(id)
    },
    (from, to, orderOnly) => `${quote(from)} -> ${quote(to)}${orderOnly ? ' [style=dashed]' : ''}`,
  )
  return ['digraph stagecraft {', '  rankdir=LR', '  node [shape=box]', ...body.map((line) => `  ${line}`), '}', ''].join('\n')
}

function quote(text: string): string {
  return `"${text.replace(/[\\"]/g, '\\$&').replace(/\r?\n/g, '\\n')}"`
}
