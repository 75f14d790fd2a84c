import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { TaskGraph } from '../../graph/types.ts'
import type { Prediction } from '../../src/contracts.ts'
import { type PredictOptions, predict } from '../../src/predict.ts'
import { TaskFailure, type TaskKind } from '../../tasks/kind.ts'
import { rejects, within } from '../support/assertions.ts'
import { graphOf, id, kind, resultOf, rig, task } from '../support/fake-run.ts'

const test = suite('src/predict')

const effect = (name: string, parts: Partial<TaskKind> = {}): TaskKind =>
  kind(name, { freshness: 'effect', observe: async () => ({ fresh: false, because: { reason: 'drift', detail: 'd' } }), ...parts })

async function predicted(
  kinds: readonly TaskKind[],
  graph: TaskGraph,
  more: Partial<PredictOptions> = {},
): Promise<Readonly<Record<string, Prediction>>> {
  const all = await within(3000, predict(graph, { ...rig(kinds).options, online: true, ...more }))
  return Object.fromEntries([...all].map(([name, { prediction }]) => [name, prediction]))
}
const mustNotRun = () => Promise.reject(new Error('a plan must not run this'))

test('what never ran will run; what it needs is not known, so its dependents may', async () => {
  const graph = graphOf(task('build:a'), task('push:a', { needs: ['build:a'] }), task('roll:a', { needs: ['push:a'] }))
  const found = await predicted(
    [kind('build', { run: mustNotRun }), kind('push', { run: mustNotRun }), effect('roll', { run: mustNotRun })],
    graph,
  )
  assert.is(found['build:a']?.state, 'run')
  assert.equal(found['push:a'], { state: 'may-run', waitsFor: 'build:a' })
  assert.equal(found['roll:a'], { state: 'may-run', waitsFor: 'build:a' }, 'the one that really has to run first is named')
})

test('what is cached is fresh, and its result lets dependents be judged', async () => {
  const kinds = [kind('build'), effect('roll', { observe: async () => ({ fresh: true, result: resultOf(1), detail: '1 running' }) })]
  const graph = graphOf(task('build:a'), task('roll:a', { needs: ['build:a'] }))
  const r = rig(kinds)
  await r.run(graph)
  const all = await predict(graph, { ...r.options, online: true })
  assert.equal(
    [...all.values()].map(({ prediction }) => prediction),
    [
      { state: 'fresh', how: 'present', detail: 'unchanged (local)' },
      { state: 'fresh', how: 'present', detail: '1 running' },
    ],
  )
  assert.equal(
    [...all.values()].map(({ action }) => action?.kind),
    ['build', 'roll'],
  )
})

test('what only comes first does not keep a task from being judged', async () => {
  const graph = graphOf(task('build:a'), task('roll:a', { after: ['build:a'] }))
  assert.is((await predicted([kind('build'), effect('roll')], graph))['roll:a']?.state, 'run')
})

for (const force of [false, true]) {
  test(`a pure task${force ? ' that is forced' : ''} is computed, so that the plan sees further`, async () => {
    const graph = graphOf(task('render:h'), task('roll:a', { needs: ['render:h'] }))
    const found = await predicted([kind('render', { pure: true }), effect('roll')], graph, {
      force: (name) => force && name === 'render:h',
    })
    assert.is(found['render:h']?.state, 'run')
    assert.is(found['roll:a']?.state, 'run')
  })
}

test('a target that does not answer is unknown, redacted, and keeps nothing else from being judged', async () => {
  const observe = () => Promise.reject(new TaskFailure({ reason: 'unreachable', subject: 'h', message: 'h: no hunter2' }))
  const graph = graphOf(task('roll:a'), task('other:a'), task('after:a', { needs: ['roll:a'] }))
  const found = await predicted([effect('roll', { observe }), effect('other'), kind('after')], graph, {
    redact: (text) => text.replace('hunter2', '***'),
  })
  assert.equal(found['roll:a'], { state: 'unknown', message: 'h: no ***' })
  assert.is(found['other:a']?.state, 'run')
  assert.equal(found['after:a'], { state: 'may-run', waitsFor: 'roll:a' })
})

test('what looks at the work of others may run while some of that is still to be done, and is looked at once none is', async () => {
  const roll = (fresh: boolean) =>
    effect('roll', {
      observe: async () => (fresh ? { fresh: true, result: resultOf(1) } : { fresh: false, because: { reason: 'drift', detail: 'd' } }),
    })
  const health = effect('health', { looksAfterOthers: true })
  const graph = graphOf(task('roll:a'), task('health:a', { after: ['roll:a'] }))
  assert.equal((await predicted([roll(false), health], graph))['health:a'], { state: 'may-run', waitsFor: 'roll:a' })
  assert.is((await predicted([roll(true), health], graph))['health:a']?.state, 'run')
})

test('offline, nothing outside is asked', async () => {
  const observe = () => Promise.reject(new Error('must not ask'))
  const found = await predicted([effect('roll', { observe }), kind('build')], graphOf(task('roll:a'), task('build:a')), { online: false })
  assert.equal(found['roll:a'], { state: 'unknown', message: 'not asked (--offline)' })
  assert.is(found['build:a']?.state, 'run')
})

test('nothing is recorded or cached, and a pure kind that tries to write is found out', async () => {
  const r = rig([kind('render', { pure: true })])
  const graph = graphOf(task('render:h'))
  await predict(graph, { ...r.options, online: true })
  assert.is(r.log.size, 0)
  assert.is((await predict(graph, { ...r.options, online: true })).get(id('render:h'))?.prediction.state, 'run')
  const writing = kind('render', { pure: true, run: async (_params, context) => context.guard().then(() => resultOf(1)) })
  await rejects(predicted([writing], graph), /a plan must not write: render:h/)
})

test('a bug in one look is thrown, when all looks have ended', async () => {
  let ended = 0
  const slow = effect('slow', {
    observe: async () => {
      await new Promise((resolve) => setImmediate(resolve))
      ended += 1
      return { fresh: true, result: resultOf(1) }
    },
  })
  const broken = effect('broken', { observe: () => Promise.reject(new TypeError('oops')) })
  await rejects(predicted([slow, broken], graphOf(task('broken:a'), task('slow:b'), task('slow:c'))), /oops/)
  assert.is(ended, 2)
  await rejects(predicted([], graphOf(task('nobody:a'))), /no kind is called nobody/)
})

test('hosts are looked at together, not one after the other', async () => {
  let waiting = 0
  let open: () => void = () => {}
  const all = new Promise<void>((resolve) => {
    open = resolve
  })
  const observe: TaskKind['observe'] = async () => {
    waiting += 1
    if (waiting === 3) open()
    await all
    return { fresh: true, result: resultOf(1) }
  }
  await predicted([effect('roll', { observe })], graphOf(task('roll:a'), task('roll:b'), task('roll:c')))
})

test('a forced task says so', async () => {
  const found = await predicted([kind('build')], graphOf(task('build:a')), { force: () => true })
  assert.equal(found['build:a'], { state: 'run', because: { reason: 'forced', detail: 'forced' } })
})

// db ─▶ api ─▶ test
test('a service is planned when something that needs it runs, and not needed when all of that is fresh', async () => {
  const service = kind('service', { isService: () => true, promise: () => resultOf('known'), run: mustNotRun })
  const graph = graphOf(task('service:db'), task('service:api', { needs: ['service:db'] }), task('test:a', { needs: ['service:api'] }))
  const kinds = [service, kind('test')]
  const cold = await predicted(kinds, graph)
  assert.equal(cold['service:api'], { state: 'run', because: { reason: 'need', detail: 'test:a needs it' } })
  assert.equal(cold['service:db'], { state: 'run', because: { reason: 'need', detail: 'service:api needs it' } })
  const fresh = rig([kind('service', { run: async () => resultOf('known') }), kind('test')])
  await fresh.run(graph)
  const { caches, log } = fresh.options
  const warm = await predicted(kinds, graph, { caches, log })
  assert.equal(
    Object.values(warm).map(({ state }) => state),
    ['fresh', 'fresh', 'fresh'],
  )
  const asked = await predicted(kinds, graphOf(task('service:db')))
  assert.equal(asked['service:db'], { state: 'run', because: { reason: 'need', detail: 'it was asked for' } })
})

test('what reads files that a task before it is still to write can only be judged afterwards', async () => {
  const writer = kind('gen', { writes: () => ['app/dist/**'], run: mustNotRun })
  const reader = kind('build', { inputs: () => ({ files: [{ root: 'app' }] }) })
  const other = kind('other', { inputs: () => ({ files: [{ root: 'web' }] }) })
  const graph = graphOf(
    task('gen:a'),
    task('lint:a', { after: ['gen:a'] }),
    task('build:a', { after: ['lint:a'] }),
    task('other:a', { after: ['gen:a'] }),
    task('push:a', { needs: ['build:a'] }),
  )
  const found = await predicted([writer, reader, other, kind('lint'), kind('push')], graph)
  assert.equal(found['build:a'], { state: 'may-run', waitsFor: 'gen:a' })
  assert.equal(found['push:a'], { state: 'may-run', waitsFor: 'gen:a' })
  assert.is(found['other:a']?.state, 'run')
})

test('a long line of tasks that only come one after the other is not walked once for each of them', async () => {
  const count = 1000
  let asked = 0
  const writes = (params: unknown) => {
    asked++
    return [`out/${(params as { n: number }).n}-*`]
  }
  const inputs = (params: unknown) => ({ files: [{ root: '.', include: [`in/${(params as { n: number }).n}`] }] })
  const line = Array.from({ length: count }, (_, n) => task(`build:t${n}`, { params: { n }, after: n === 0 ? [] : [`build:t${n - 1}`] }))
  const found = await predicted([kind('build', { writes, inputs })], graphOf(...line))
  assert.ok(Object.values(found).every(({ state }) => state === 'run'))
  assert.ok(asked <= 2 * count, `${asked} questions about ${count} tasks`)
})

test.run()
