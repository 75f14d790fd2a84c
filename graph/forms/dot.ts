import type { TaskGraph } from '../types.ts'
import { drawNodesAndEdges, type FormOptions, stateColors, stateText } from './form.ts'

/** Graphviz's language (https://graphviz.org/doc/info/lang.html); arrows point from a task to what waits for it, dashed when order-only. */
export function drawDot(graph: TaskGraph, options: FormOptions = {}): string {
  const { nameOf = (id) => id } = options
  const body = drawNodesAndEdges(
    graph,
    (id) => {
      const [name, state] = [nameOf(id), options.stateOf?.(id)]
      if (!state) return quote(name)
      const { border, ground } = stateColors[state.name]
      return `${quote(name)} [label=${quote(`${name}\n${stateText(state)}`)} style=filled color=${quote(border)} fillcolor=${quote(ground)}]`
    },
    (from, to, orderOnly) => `${quote(nameOf(from))} -> ${quote(nameOf(to))}${orderOnly ? ' [style=dashed]' : ''}`,
  )
  return ['digraph stagecraft {', '  rankdir=LR', '  node [shape=box]', ...body.map((line) => `  ${line}`), '}', ''].join('\n')
}

function quote(text: string): string {
  return `"${text.replace(/[\\"]/g, '\\$&').replace(/\r?\n/g, '\\n')}"`
}
