import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { criticalPath } from '../../graph/critical-path.ts'
import { graphOf, release, task } from './tasks.ts'

const test = suite('graph/critical-path')

test('with equal weights it is the longest chain, order-only dependencies included', () => {
  const { ids, weight } = criticalPath(release(), () => 1)
  assert.equal(ids, ['build:api', 'push:api', 'render:node-1', 'upload:node-1', 'rollout:api@node-1', 'finalize:prod'])
  assert.is(weight, 6)
})

test('with durations it is the slowest chain, however few tasks it has', () => {
  const graph = graphOf(
    task('exec:a'),
    task('exec:b', { needs: ['exec:a'] }),
    task('exec:slow'),
    task('exec:z', { needs: ['exec:b'], after: ['exec:slow'] }),
  )
  const took: Readonly<Record<string, number>> = { 'exec:a': 10, 'exec:b': 10, 'exec:slow': 50, 'exec:z': 1 }
  assert.equal(
    criticalPath(graph, (id) => took[id] ?? 0),
    { ids: ['exec:slow', 'exec:z'], weight: 51 },
  )
})

test('of equal chains the one with more tasks is taken', () => {
  const graph = graphOf(task('exec:a'), task('exec:b', { needs: ['exec:a'] }))
  assert.equal(criticalPath(graph, () => 0).ids, ['exec:a', 'exec:b'])
})

test('an empty graph has none, and a long chain takes no recursion', () => {
  assert.equal(
    criticalPath(graphOf(), () => 1),
    { ids: [], weight: 0 },
  )
  const chain = Array.from({ length: 20_000 }, (_, index) => task(`exec:${index}`, { needs: index > 0 ? [`exec:${index - 1}`] : [] }))
  assert.is(criticalPath(graphOf(...chain), () => 1).weight, 20_000)
})

test.run()
