/** Step two of a layout: the order of the vertices within each layer, such that few edges cross. */
import type { LayeredGraph } from './layers.ts'

/** Passes over all layers, to and fro; more than these hardly change anything. */
const sweeps = 12

/**
 * Barycentre heuristic (Sugiyama, Tagawa, Toda 1981): each layer is sorted by where its vertices' neighbours lie on average, from left
 * to right and back. The best order met is kept, so the result never has more crossings than the given one.
 */
export function reduceCrossings(graph: LayeredGraph): readonly (readonly number[])[] {
  const layers = graph.layers.map((layer) => [...layer])
  const places = new Float64Array(graph.layerOf.length)
  for (const layer of layers) place(layer, places)
  let best = layers.map((layer) => [...layer])
  let fewest = countCrossings(graph, best)
  for (let sweep = 0; sweep < sweeps && fewest > 0; sweep++) {
    const forward = sweep % 2 === 0
    const neighbours = forward ? graph.before : graph.after
    for (let step = 1; step < layers.length; step++) {
      const layer = layers[forward ? step : layers.length - 1 - step] ?? []
      sortByNeighbours(layer, neighbours, places)
      place(layer, places)
    }
    const crossings = countCrossings(graph, layers)
    if (crossings >= fewest) continue
    fewest = crossings
    best = layers.map((layer) => [...layer])
  }
  return best
}

/** How often edges between neighbouring layers cross when vertices are ordered as given. O(edges × log vertices). */
export function countCrossings(graph: LayeredGraph, layers: readonly (readonly number[])[]): number {
  const ranks = new Int32Array(graph.layerOf.length)
  for (const layer of layers) for (const [rank, vertex] of layer.entries()) ranks[vertex] = rank
  let crossings = 0
  for (const [index, layer] of layers.entries()) {
    // Edges are visited from the top of the left side: each crosses those before it that end further down.
    const ends = new Counter(layers[index + 1]?.length ?? 0)
    for (const vertex of layer) {
      const reached = (graph.after[vertex] ?? []).map((right) => ranks[right] ?? 0)
      for (const rank of reached) crossings += ends.above(rank)
      for (const rank of reached) ends.add(rank)
    }
  }
  return crossings
}

/** Places are shares of the layer's height, so that layers of different length can be compared. */
function place(layer: readonly number[], places: Float64Array): void {
  for (const [rank, vertex] of layer.entries()) places[vertex] = (rank + 0.5) / layer.length
}

/** A vertex without neighbours on that side keeps its place. Equal ones keep their order: sorting is stable. */
function sortByNeighbours(layer: number[], neighbours: LayeredGraph['before'], places: Float64Array): void {
  const wanted = new Map(
    layer.map((vertex) => {
      const beside = neighbours[vertex] ?? []
      const sum = beside.reduce((total, neighbour) => total + (places[neighbour] ?? 0), 0)
      return [vertex, beside.length === 0 ? (places[vertex] ?? 0) : sum / beside.length]
    }),
  )
  layer.sort((a, b) => (wanted.get(a) ?? 0) - (wanted.get(b) ?? 0))
}

/** Counts of ranks, and sums of them in logarithmic time (a Fenwick tree). */
class Counter {
  readonly #sums: Int32Array
  #total = 0

  constructor(size: number) {
    this.#sums = new Int32Array(size + 1)
  }

  add(rank: number): void {
    this.#total++
    for (let index = rank + 1; index < this.#sums.length; index += index & -index) this.#sums[index] = (this.#sums[index] ?? 0) + 1
  }

  /** How many were added that are greater than `rank`. */
  above(rank: number): number {
    let upTo = 0
    for (let index = rank + 1; index > 0; index -= index & -index) upTo += this.#sums[index] ?? 0
    return this.#total - upTo
  }
}
