/** Step one of a layout: every task gets a layer, and every edge that crosses layers gets bends in those it crosses. */
import { dependenciesOf } from '../forms/form.ts'
import type { TaskGraph } from '../types.ts'

/** A graph whose edges, but for a few, join neighbouring layers. Vertices below `taskCount` are tasks in graph order, the others bends. */
export interface LayeredGraph {
  readonly taskCount: number
  readonly edges: readonly LayeredEdge[]
  /** Vertices of each layer, tasks in graph order, then bends. */
  readonly layers: readonly (readonly number[])[]
  readonly layerOf: readonly number[]
  /** Neighbours of each vertex in the layer before, and in the layer after. */
  readonly before: readonly (readonly number[])[]
  readonly after: readonly (readonly number[])[]
}

export interface LayeredEdge {
  /** What is waited for, and what waits, as indices into the graph's order. */
  readonly from: number
  readonly to: number
  readonly orderOnly: boolean
  /** The bends it passes, from left to right. Edges from one task share theirs, like wires in one duct. */
  readonly bends: readonly number[]
}

/** Bends a drawing may have; 4 for each task where that is more. Edges that would need too many go straight across. */
const fewestBends = 20_000

/** A task's layer is the length of the longest chain below it, so the tasks of one layer can run side by side. */
export function layerGraph(graph: TaskGraph): LayeredGraph {
  const taskCount = graph.order.length
  const indexOf = new Map(graph.order.map((id, index) => [id, index]))
  const edges: LayeredEdge[] = []
  const layerOf: number[] = []
  for (const [to, id] of graph.order.entries()) {
    let layer = 0
    for (const dependency of dependenciesOf(graph.task(id))) {
      const from = indexOf.get(dependency.id) ?? 0
      layer = Math.max(layer, (layerOf[from] ?? 0) + 1)
      edges.push({ from, to, orderOnly: dependency.orderOnly, bends: [] })
    }
    layerOf.push(layer)
  }
  const longest = longestBentSpan(edges, layerOf, taskCount)
  const before: number[][] = graph.order.map(() => [])
  const after: number[][] = graph.order.map(() => [])
  const join = (left: number, right: number): void => {
    after[left]?.push(right)
    before[right]?.push(left)
  }
  /** Bends of the edges out of each task, by how many layers right of it. */
  const ducts = new Map<number, number[]>()
  const bent = edges.map((edge): LayeredEdge => {
    const span = spanOf(edge, layerOf)
    if (span > longest) return edge
    const duct = ducts.get(edge.from) ?? []
    ducts.set(edge.from, duct)
    while (duct.length < span - 1) {
      const bend = layerOf.length
      layerOf.push((layerOf[edge.from] ?? 0) + duct.length + 1)
      before.push([])
      after.push([])
      join(duct.at(-1) ?? edge.from, bend)
      duct.push(bend)
    }
    const bends = duct.slice(0, span - 1)
    join(bends.at(-1) ?? edge.from, edge.to)
    return { ...edge, bends }
  })
  const layers: number[][] = Array.from({ length: layerOf.reduce((count, layer) => Math.max(count, layer + 1), 0) }, () => [])
  for (const [vertex, layer] of layerOf.entries()) layers[layer]?.push(vertex)
  return { taskCount, edges: bent, layers, layerOf, before, after }
}

function spanOf({ from, to }: LayeredEdge, layerOf: readonly number[]): number {
  return (layerOf[to] ?? 0) - (layerOf[from] ?? 0)
}

/** How many layers an edge may cross with bends, so that all bends together stay within their limit. */
function longestBentSpan(edges: readonly LayeredEdge[], layerOf: readonly number[], taskCount: number): number {
  const limit = Math.max(fewestBends, 4 * taskCount)
  const spans = [...new Set(edges.map((edge) => spanOf(edge, layerOf)))].sort((a, b) => a - b)
  // More layers never need fewer bends, so the largest span that fits is found by halving.
  let [fits, fails] = [-1, spans.length]
  while (fails - fits > 1) {
    const middle = (fits + fails) >> 1
    if (bendsNeeded(edges, layerOf, spans[middle] ?? 0) <= limit) fits = middle
    else fails = middle
  }
  return spans[fits] ?? 1
}

function bendsNeeded(edges: readonly LayeredEdge[], layerOf: readonly number[], longest: number): number {
  const ducts = new Map<number, number>()
  for (const edge of edges) {
    const span = spanOf(edge, layerOf)
    if (span <= longest) ducts.set(edge.from, Math.max(ducts.get(edge.from) ?? 0, span - 1))
  }
  return [...ducts.values()].reduce((sum, length) => sum + length, 0)
}
