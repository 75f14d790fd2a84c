import type { TaskGraph } from '../types.ts'
import { drawNodesAndEdges, type FormOptions, stateColors, stateText } from './form.ts'

/** Graphviz's language (https://graphviz.org/doc/info/lang.html); arrows point from a task to what waits for it, dashed when order-only. */
export function drawDot(graph: TaskGraph, options: FormOptions = {}): string {
  const body = drawNodesAndEdges(
    graph,
    (id) => {
      const state = options.stateOf?.(id)
      if (!state) return quote(id)
      const { border, ground } = stateColors[state.name]
      return `${quote(id)} [label=${quote(`${id}\n${stateText(state)}`)} style=filled color=${quote(border)} fillcolor=${quote(ground)}]`
    },
    (from, to, orderOnly) => `${quote(from)} -> ${quote(to)}${orderOnly ? ' [style=dashed]' : ''}`,
  )
  return ['digraph stagecraft {', '  rankdir=LR', '  node [shape=box]', ...body.map((line) => `  ${line}`), '}', ''].join('\n')
}

function quote(text: string): string {
  return `"${text.replace(/[\\"]/g, '\\$&').replace(/\r?\n/g, '\\n')}"`
}
