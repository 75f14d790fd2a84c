/**
 * Where the tasks of a graph stand and how its edges run, for a drawing read from left to right: a task stands right of all it waits for.
 * Pure, and the same for the same graph. Layers by longest path, fewer crossings by barycentre sweeps, then heights that keep edges straight.
 */
import type { TaskGraph } from '../types.ts'
import { reduceCrossings } from './crossings.ts'
import { type Grid, gridOf, type Measures } from './grid.ts'
import { type LayeredGraph, layerGraph } from './layers.ts'
import { type Route, routeEdges } from './routes.ts'
import { spread } from './spread.ts'

export interface GraphLayout {
  readonly width: number
  readonly height: number
  /** In graph order: left edge, middle of the height, width. Whole numbers. */
  readonly boxes: readonly Box[]
  readonly routes: readonly Route[]
}

export interface Box {
  readonly x: number
  readonly y: number
  readonly width: number
}

/** Passes that pull vertices towards their neighbours' heights, from left to right and back. */
const passes = 8

/** @param widths of the boxes, in graph order and in the same unit as `measures`. */
export function layOut(graph: TaskGraph, widths: readonly number[], measures: Measures): GraphLayout {
  const layered = layerGraph(graph)
  const grid = gridOf(layered, reduceCrossings(layered), measures)
  const heights = straighten(layered, grid)
  const top = grid.layers.flatMap(({ items }) => items.map((item) => (heights[item.vertices[0] ?? 0] ?? 0) - item.height / 2))
  const shift = measures.margin - top.reduce((least, value) => Math.min(least, value), Number.POSITIVE_INFINITY)
  const boxes: Box[] = []
  const lefts: number[] = []
  const rights: number[] = []
  const columns: number[] = []
  let x = measures.margin
  let bottom = 0
  for (const layer of grid.layers) {
    lefts.push(x)
    const column = layer.tasks.reduce((widest, vertex) => Math.max(widest, widths[vertex] ?? 0), 0)
    for (const item of layer.items) {
      for (const [index, vertex] of item.vertices.entries()) {
        const y = Math.round((heights[vertex] ?? 0) + shift)
        heights[vertex] = y
        bottom = Math.max(bottom, y + item.height / 2)
        if (vertex < layered.taskCount) boxes[vertex] = { x: x + index * (column + measures.columnGap), y, width: widths[vertex] ?? 0 }
      }
    }
    columns.push(column)
    x += layer.columns * column + (layer.columns - 1) * measures.columnGap
    rights.push(x)
    x += measures.layerGap + Math.min(measures.layerGap, Math.round(4 * Math.sqrt(layer.edgesOut)))
  }
  const width = grid.layers.length === 0 ? 0 : (rights.at(-1) ?? 0) + measures.margin
  const height = grid.layers.length === 0 ? 0 : Math.round(bottom + measures.margin)
  return { width, height, boxes, routes: routeEdges(layered, { boxes, heights, lefts, rights, columns, measures }) }
}

/** Heights of all vertices: items keep their order and their distances and are otherwise as near as can be to their neighbours. */
function straighten(graph: LayeredGraph, { layers }: Grid): number[] {
  const heights: number[] = Array.from({ length: graph.layerOf.length }, () => 0)
  const distancesOf = layers.map(({ items }) => items.map((item, index) => (item.height + (items[index - 1]?.height ?? 0)) / 2))
  const put = (index: number, wanted: readonly number[]): void => {
    const positions = spread(wanted, distancesOf[index] ?? [])
    for (const [rank, item] of (layers[index]?.items ?? []).entries())
      for (const vertex of item.vertices) heights[vertex] = positions[rank] ?? 0
  }
  // To begin with, every layer is a stack around the same middle.
  for (const [index, layer] of layers.entries())
    put(
      index,
      layer.items.map(() => 0),
    )
  for (let pass = 0; pass < passes; pass++) {
    const isLast = pass === passes - 1
    const forward = pass % 2 === 0
    for (let step = 0; step < layers.length; step++) {
      const index = forward ? step : layers.length - 1 - step
      const wanted = (layers[index]?.items ?? []).map(({ vertices }) => {
        const sides = isLast ? [graph.before, graph.after] : [forward ? graph.before : graph.after]
        const beside = vertices.flatMap((vertex) => sides.flatMap((side) => side[vertex] ?? []))
        if (beside.length === 0) return heights[vertices[0] ?? 0] ?? 0
        return beside.reduce((sum, neighbour) => sum + (heights[neighbour] ?? 0), 0) / beside.length
      })
      put(index, wanted)
    }
  }
  return heights
}
