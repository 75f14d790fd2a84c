/** What stands around other tasks: when it runs, in which order, and what a failure of it means. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { Json, Outcome } from '../../../graph/types.ts'
import { predict } from '../../../src/predict.ts'
import type { Around, Look } from '../../../tasks/kind.ts'
import { TaskFailure } from '../../../tasks/kind.ts'
import { graphOf, id, kind, type Rig, resultOf, rig, task } from '../../support/fake-run.ts'

const test = suite('src/execution/forerunner')

interface World {
  readonly rig: Rig
  readonly lines: string[]
  /** Tasks that are fresh, that fail, or are owed. */
  readonly fresh: Set<string>
  readonly broken: Set<string>
  readonly owed: Set<string>
}

function world(): World {
  const lines: string[] = []
  const [fresh, broken, owed] = [new Set<string>(), new Set<string>(), new Set<string>()]
  let isHeld = false
  const run = async (_: Json, { id: name }: { readonly id: string }) => {
    lines.push(isHeld ? `${name} locked` : name)
    if (broken.has(name)) throw new TaskFailure({ reason: 'exit', subject: name, message: 'exited with code 1' })
    return resultOf(null)
  }
  const look = (isFresh: boolean): Look =>
    isFresh ? { fresh: true, result: resultOf(null) } : { fresh: false, because: { reason: 'drift', detail: 'drifted' } }
  const work = kind('work', { freshness: 'effect', observe: async (_, context) => look(fresh.has(context.id)), run })
  const hook = kind('hook', {
    freshness: 'effect',
    around: (params) => params as unknown as Around,
    observe: async (_, context) => look(!owed.has(context.id)),
    run,
  })
  const lock = {
    get isHeld() {
      return isHeld
    },
    hold: async () => {
      isHeld = true
    },
    verify: async () => {},
  }
  return { rig: rig([work, hook], { lock }), lines, fresh, broken, owed }
}

const before = (name: string, exclusive = false, after: string[] = []) => task(`hook:${name}`, { params: { exclusive }, after })
const after = (name: string, ids: string[], exclusive = false) =>
  task(`hook:${name}`, { params: { exclusive, after: ids } as Json, after: ids })
const statuses = (outcomes: ReadonlyMap<string, Outcome>) => Object.fromEntries([...outcomes].map(([name, { status }]) => [name, status]))

//  before ─▶ a, b ─▶ after ─▶ last
const graph = graphOf(
  before('before'),
  task('work:a', { after: ['hook:before'] }),
  task('work:b', { after: ['hook:before', 'work:a'] }),
  after('after', ['work:a', 'work:b']),
  task('work:last', { after: ['hook:after'] }),
)

test('they run around what runs, once', async () => {
  const { rig, lines } = world()
  const outcomes = await rig.run(graph)
  assert.equal(lines, ['hook:before', 'work:a', 'work:b', 'hook:after', 'work:last'])
  assert.is(new Set([...outcomes.values()].map(({ status }) => status)).size, 1)
})

test('the first that runs starts what comes before; what is fresh does not', async () => {
  const { rig, lines, fresh } = world()
  fresh.add('work:a')
  await rig.run(graph)
  assert.equal(lines, ['hook:before', 'work:b', 'hook:after', 'work:last'])
})

test('around what is fresh nothing runs, though something else does; the plan says the same', async () => {
  const { rig, lines, fresh } = world()
  for (const name of ['work:a', 'work:b']) fresh.add(name)
  const outcomes = await rig.run(graph)
  assert.equal(lines, ['work:last'])
  assert.is(statuses(outcomes)['hook:before'], 'skipped')
  assert.is(statuses(outcomes)['hook:after'], 'skipped')
  const states = async () =>
    [...(await predict(graph, { ...rig.options, online: true }))].map(([name, { prediction }]) => `${name} ${prediction.state}`)
  assert.equal(await states(), ['hook:before fresh', 'work:a fresh', 'work:b fresh', 'hook:after fresh', 'work:last run'])
  fresh.delete('work:b')
  assert.equal(await states(), ['hook:before run', 'work:a fresh', 'work:b run', 'hook:after run', 'work:last run'])
})

test('one that is owed from an earlier run runs though nothing before it did, and what follows waits for it', async () => {
  const { rig, lines, fresh, owed } = world()
  for (const name of ['work:a', 'work:b']) fresh.add(name)
  owed.add('hook:after')
  await rig.run(graph)
  assert.equal(lines, ['hook:after', 'work:last'])
})

test('when it fails, what it comes before does not run; with `continue` the rest does', async () => {
  for (const onFailure of ['stop', 'continue'] as const) {
    const { rig, lines, broken } = world()
    broken.add('hook:before')
    const outcomes = await rig.run(
      graphOf(...graph.order.map((one) => graph.task(one)), task('work:other', { after: ['work:z'] }), task('work:z')),
      {
        onFailure,
      },
    )
    assert.equal(
      lines.filter((line) => !/other|z$/.test(line)),
      ['hook:before'],
    )
    assert.is(statuses(outcomes)['hook:before'], 'failed')
    assert.equal(outcomes.get(id('work:b')), { status: 'canceled', by: 'hook:before' })
    assert.is(statuses(outcomes)['hook:after'], 'canceled')
    if (onFailure === 'continue') assert.is(statuses(outcomes)['work:other'], 'ran')
  }
})

test('what comes after does not run when what it follows failed, and its own failure stops what follows it', async () => {
  const first = world()
  first.broken.add('work:b')
  assert.is(statuses(await first.rig.run(graph))['hook:after'], 'canceled')
  const second = world()
  second.broken.add('hook:after')
  const outcomes = await second.rig.run(graph)
  assert.equal(second.lines, ['hook:before', 'work:a', 'work:b', 'hook:after'])
  assert.equal(outcomes.get(id('work:last')), { status: 'canceled', by: 'hook:after' })
})

test('one within another starts it first; one under the lock takes it', async () => {
  const { rig, lines } = world()
  await rig.run(
    graphOf(
      before('outer'),
      before('inner', true, ['hook:outer']),
      task('work:a', { after: ['hook:outer', 'hook:inner'] }),
      after('end', ['work:a'], true),
    ),
  )
  assert.equal(lines, ['hook:outer', 'hook:inner locked', 'work:a locked', 'hook:end locked'])
})

test('asked for by itself it runs', async () => {
  const { rig, lines } = world()
  await rig.run(graphOf(before('alone')))
  assert.equal(lines, ['hook:alone'])
})

test.run()
