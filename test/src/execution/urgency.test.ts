import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { startRun } from '../../../src/executor.ts'
import { within } from '../../support/assertions.ts'
import { graphOf, kind, resultOf, rig, task } from '../../support/fake-run.ts'

const test = suite('src/execution/urgency')

// a ─▶ b ─▶ c     x     y
test('of tasks that could start, the one with the longest chain of dependents goes first', async () => {
  const r = rig([kind('t', { run: async (params) => resultOf(params) })], { pools: { default: 1 } })
  const graph = graphOf(
    task('t:x', { params: 'x' }),
    task('t:a'),
    task('t:y', { params: 'y' }),
    task('t:b', { needs: ['t:a'] }),
    task('t:c', { needs: ['t:b'] }),
  )
  const run = startRun(graph, r.options)
  await Promise.all(graph.order.map((id) => run.outcome(id)))
  assert.equal(r.started(), ['t:a', 't:b', 't:c', 't:x', 't:y'])
})

test('a task in a pool of the user counts against the run, and does not keep its slot from others while it waits', async () => {
  let running = 0
  let most = 0
  const work = kind('work', {
    pool: 'exec',
    poolOf: (params) => (Number(params) < 3 ? 'db' : undefined),
    run: async (params) => {
      running += 1
      most = Math.max(most, running)
      for (let turn = 0; turn < 3; turn++) await new Promise((resolve) => setImmediate(resolve))
      running -= 1
      return resultOf(params)
    },
  })
  const r = rig([work], { pools: { default: 8, exec: 2, db: 1 } })
  const tasks = [0, 1, 2, 3, 4, 5].map((n) => task(`work:${n}`, { params: n }))
  const run = startRun(graphOf(...tasks), r.options)
  const outcomes = await within(2000, Promise.all(tasks.map(({ id }) => run.outcome(id))))
  assert.ok(outcomes.every(({ status }) => status === 'ran'))
  assert.is(most, 2)
  assert.equal(r.started().slice(0, 2), ['work:0', 'work:3'], 'two of one pool never fill the run')
})

for (const shape of ['chain', 'wide'] as const) {
  test(`20,000 tasks in a ${shape} run to the end, and a failure at its root cancels them all`, async () => {
    const size = 20_000
    const tasks = Array.from({ length: size }, (_, n) => {
      const before = shape === 'chain' ? n - 1 : 0
      return task(`t:${n}`, { params: n, needs: n === 0 ? [] : [`t:${before}`] })
    })
    const graph = graphOf(...tasks)
    const good = startRun(graph, rig([kind('t')]).options)
    const last = tasks.at(-1)?.id ?? tasks[0]?.id
    if (last === undefined) throw new Error('no tasks')
    assert.is((await within(20_000, good.outcome(last))).status, 'ran')
    const bad = startRun(graph, rig([kind('t', { run: () => Promise.reject(new Error('no')) })], { onFailure: 'continue' }).options)
    assert.equal(await within(20_000, bad.outcome(last)), { status: 'canceled', by: 't:0' })
  })
}

test.run()
