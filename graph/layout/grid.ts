/** Step three of a layout: layers with very many tasks become grids, so that a wide graph is not a single endless column. */
import type { LayeredGraph } from './layers.ts'

export interface Measures {
  /** From the middle of one row of boxes to the next. */
  readonly rowHeight: number
  /** Room for an edge that passes a layer. */
  readonly bendHeight: number
  /** Between the columns of one layer, and the least between layers. */
  readonly columnGap: number
  readonly layerGap: number
  readonly margin: number
  /** Typical width of a box: layers are folded until a drawing is about this much wider than high. */
  readonly boxWidth: number
  readonly aspect: number
}

export interface Grid {
  readonly layers: readonly GridLayer[]
}

export interface GridLayer {
  /** From top to bottom: rows of tasks, and bends. */
  readonly items: readonly GridItem[]
  readonly tasks: readonly number[]
  readonly columns: number
  readonly edgesOut: number
}

export interface GridItem {
  /** Tasks side by side, or one bend. */
  readonly vertices: readonly number[]
  readonly height: number
}

/** Layers up to here are never folded: a person can take them in. */
const fewestRows = 12

export function gridOf(graph: LayeredGraph, order: readonly (readonly number[])[], measures: Measures): Grid {
  const isTask = (vertex: number) => vertex < graph.taskCount
  const counts = order.map((layer) => layer.filter(isTask).length)
  const rows = rowsWanted(counts, measures)
  return {
    layers: order.map((layer, index) => {
      const columns = Math.max(1, Math.ceil((counts[index] ?? 0) / rows))
      const edgesOut = layer.reduce((sum, vertex) => sum + (graph.after[vertex]?.length ?? 0), 0)
      return { items: itemsOf(layer, columns, isTask, measures), tasks: layer.filter(isTask), columns, edgesOut }
    }),
  }
}

/** The least number of rows that makes the drawing as high as its width asks for. */
function rowsWanted(counts: readonly number[], { rowHeight, columnGap, layerGap, boxWidth, aspect }: Measures): number {
  const most = counts.reduce((highest, count) => Math.max(highest, count), 1)
  let rows = Math.min(fewestRows, most)
  const widthAt = (limit: number) =>
    counts.reduce((sum, count) => sum + Math.max(1, Math.ceil(count / limit)) * (boxWidth + columnGap) + layerGap, 0)
  while (rows < most && widthAt(rows) > aspect * rows * rowHeight) rows = Math.ceil(rows * 1.15)
  return rows
}

/** Tasks fill rows in the order they have; bends met on the way pass below the row. */
function itemsOf(layer: readonly number[], columns: number, isTask: (vertex: number) => boolean, measures: Measures): GridItem[] {
  const items: GridItem[] = []
  let row: number[] = []
  let passing: number[] = []
  const close = (): void => {
    if (row.length > 0) items.push({ vertices: row, height: measures.rowHeight })
    for (const bend of passing) items.push({ vertices: [bend], height: measures.bendHeight })
    row = []
    passing = []
  }
  for (const vertex of layer) {
    if (isTask(vertex)) row.push(vertex)
    else passing.push(vertex)
    if (row.length === columns || (row.length === 0 && passing.length > 0)) close()
  }
  close()
  return items
}
