/** Last step of a layout: the points an edge is drawn through. */
import type { Measures } from './grid.ts'
import type { LayeredGraph } from './layers.ts'
import type { Box } from './layout.ts'

export interface Route {
  /** Indices into the graph's order. */
  readonly from: number
  readonly to: number
  readonly orderOnly: boolean
  /** Whole numbers: x and y of each point in turn, between the boxes; often there are none. A line is level at every point. */
  readonly points: readonly number[]
}

export interface Placed {
  readonly boxes: readonly Box[]
  /** Of all vertices. */
  readonly heights: readonly number[]
  /** Edges of each layer. */
  readonly lefts: readonly number[]
  readonly rights: readonly number[]
  /** Width of a column of each layer. */
  readonly columns: readonly number[]
  readonly measures: Measures
}

/**
 * An edge leaves its task to the right and meets the other from the left. Where a layer is a grid it runs in the gap between two rows;
 * layers it merely crosses it passes at the height of its bend.
 */
export function routeEdges({ edges, layerOf }: LayeredGraph, placed: Placed): Route[] {
  const { boxes, heights, lefts, rights, columns, measures } = placed
  const laneOffset = Math.round(measures.rowHeight / 2)
  return edges.map(({ from, to, orderOnly, bends }) => {
    const points: number[] = []
    const [source, target] = [boxes[from], boxes[to]]
    const [sourceLayer, targetLayer] = [layerOf[from] ?? 0, layerOf[to] ?? 0]
    if (source && source.x + (columns[sourceLayer] ?? 0) < (rights[sourceLayer] ?? 0)) {
      const lane = source.y + laneOffset
      points.push(source.x + source.width + Math.round(measures.columnGap / 2), lane, rights[sourceLayer] ?? 0, lane)
    }
    for (const bend of bends) {
      const [layer, y] = [layerOf[bend] ?? 0, heights[bend] ?? 0]
      points.push(lefts[layer] ?? 0, y, rights[layer] ?? 0, y)
    }
    if (target && target.x > (lefts[targetLayer] ?? 0)) {
      const lane = target.y - laneOffset
      points.push(lefts[targetLayer] ?? 0, lane, target.x - Math.round(measures.columnGap / 2), lane)
    }
    return { from, to, orderOnly, points }
  })
}
