import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { countCrossings, reduceCrossings } from '../../../graph/layout/crossings.ts'
import type { Measures } from '../../../graph/layout/grid.ts'
import { layerGraph } from '../../../graph/layout/layers.ts'
import { layOut } from '../../../graph/layout/layout.ts'
import { spread } from '../../../graph/layout/spread.ts'
import type { TaskGraph } from '../../../graph/types.ts'
import { graphOf, release, task } from '../tasks.ts'

const test = suite('graph/layout')

const measures: Measures = { rowHeight: 60, bendHeight: 10, columnGap: 30, layerGap: 70, margin: 40, boxWidth: 100, aspect: 1.7 }
const place = (graph: TaskGraph) =>
  layOut(
    graph,
    graph.order.map(() => 100),
    measures,
  )

/** Graphs of up to 40 tasks, each depending on some of those before it. */
const graphs = fc.array(fc.array(fc.nat(), { maxLength: 4 }), { minLength: 1, maxLength: 40 }).map((lists) =>
  graphOf(
    ...lists.map((list, index) => {
      const before = index === 0 ? [] : [...new Set(list.map((pick) => `exec:t${pick % index}`))]
      return task(`exec:t${index}`, { needs: before.slice(0, 2), after: before.slice(2) })
    }),
  ),
)

test('a task stands right of all it waits for, and no two boxes overlap', () => {
  fc.assert(
    fc.property(graphs, (graph) => {
      const { boxes, routes, width, height } = place(graph)
      for (const { from, to } of routes) assert.ok((boxes[from]?.x ?? 0) + 100 < (boxes[to]?.x ?? 0))
      for (const [index, one] of boxes.entries()) {
        assert.ok(one.x >= 40 && one.x + one.width <= width - 40 && one.y >= 40 && one.y <= height - 40, 'within the drawing')
        for (const other of boxes.slice(index + 1)) {
          assert.ok(Math.abs(one.x - other.x) >= 100 || Math.abs(one.y - other.y) >= measures.rowHeight - 1, 'apart')
        }
      }
    }),
  )
})

test('the same graph is laid out the same, however its tasks are listed', () => {
  const { order } = release()
  const turned = graphOf(...[...order].reverse().map((id) => release().task(id)))
  assert.equal(place(turned), place(release()))
})

test('sweeps never add crossings, and undo those of two crossed pairs', () => {
  fc.assert(
    fc.property(graphs, (graph) => {
      const layered = layerGraph(graph)
      const before = countCrossings(layered, layered.layers)
      assert.ok(countCrossings(layered, reduceCrossings(layered)) <= before)
    }),
  )
  const crossed = layerGraph(
    graphOf(task('exec:a'), task('exec:b'), task('exec:y', { needs: ['exec:b'] }), task('exec:z', { needs: ['exec:a'] })),
  )
  assert.is(
    countCrossings(
      crossed,
      [
        [0, 1],
        [2, 3],
      ].map((layer) => layer),
    ),
    countCrossings(crossed, crossed.layers),
  )
  assert.is(countCrossings(crossed, reduceCrossings(crossed)), 0)
})

test('crossings are counted as by comparing every two edges', () => {
  fc.assert(
    fc.property(graphs, (graph) => {
      const layered = layerGraph(graph)
      let slow = 0
      for (const [index, layer] of layered.layers.entries()) {
        const next = layered.layers[index + 1] ?? []
        const edges = layer.flatMap((vertex, rank) => (layered.after[vertex] ?? []).map((right) => [rank, next.indexOf(right)] as const))
        for (const [a, b] of edges) for (const [c, d] of edges) if (a < c && b > d) slow++
      }
      assert.is(countCrossings(layered, layered.layers), slow)
    }),
  )
})

test('an edge across layers passes each at one height; edges of one task share their way', () => {
  const chain = ['a', 'b', 'c', 'd'].map((name, index, all) => task(`exec:${name}`, { needs: index > 0 ? [`exec:${all[index - 1]}`] : [] }))
  const graph = graphOf(
    ...chain.slice(0, 3),
    task('exec:d', { needs: ['exec:c', 'exec:a'] }),
    task('exec:e', { needs: ['exec:c'], after: ['exec:a'] }),
  )
  const { routes } = place(graph)
  const far = routes.filter(({ points }) => points.length > 0)
  assert.equal(
    far.map(({ from, to, orderOnly }) => [from, to, orderOnly]),
    [
      [0, 3, false],
      [0, 4, true],
    ],
  )
  assert.equal(far[0]?.points, far[1]?.points)
  assert.is(far[0]?.points.length, 8, 'into and out of two layers')
})

test('a very wide layer becomes a grid, and edges run between its rows', () => {
  const sources = Array.from({ length: 400 }, (_, index) => task(`exec:s${index}`))
  const sink = task('exec:z', { needs: sources.map(({ id }) => id) })
  const graph = graphOf(...sources, sink)
  const { boxes, width, height, routes } = place(graph)
  assert.ok(width / height > 0.5 && width / height < 4, `${width} × ${height}`)
  const rows = new Set(boxes.map(({ y }) => y))
  for (const { points } of routes)
    for (let index = 1; index < points.length; index += 2) assert.not.ok(rows.has(points[index] ?? 0), 'through a box')
})

test('edges that would need too many bends go straight', () => {
  const chain = Array.from({ length: 600 }, (_, index) => {
    const needs = index === 0 ? [] : [...new Set([index - 1, Math.max(0, index - 400), 0])].map((other) => `exec:${other}`)
    return task(`exec:${index}`, { needs })
  })
  const layered = layerGraph(graphOf(...chain))
  assert.ok(layered.layerOf.length < 600 + 20_000)
  assert.ok(layered.edges.some(({ bends }) => bends.length > 0))
})

test('nothing is laid out as nothing', () => {
  assert.equal(place(graphOf()), { width: 0, height: 0, boxes: [], routes: [] })
})

test('spread keeps order and distance, and moves as little as it must', () => {
  for (const [wanted, distances, expected] of [
    [
      [0, 10, 20],
      [0, 5, 5],
      [0, 10, 20],
    ],
    [
      [5, 5],
      [0, 4],
      [3, 7],
    ],
    [
      [10, 0],
      [0, 2],
      [4, 6],
    ],
    [
      [0, 0, 0, 100],
      [0, 3, 3, 3],
      [-3, 0, 3, 100],
    ],
  ] as const) {
    assert.equal(spread(wanted, distances), expected)
  }
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.integer({ min: -99, max: 99 }), fc.nat(20))), (pairs) => {
      const positions = spread(
        pairs.map(([wanted]) => wanted),
        pairs.map(([, distance]) => distance),
      )
      for (const [index, [, distance]] of pairs.entries()) {
        if (index > 0) assert.ok((positions[index] ?? 0) - (positions[index - 1] ?? 0) >= distance - 1e-9)
      }
    }),
  )
})

test.run()
