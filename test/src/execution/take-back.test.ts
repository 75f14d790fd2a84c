import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { Outcome, TaskId } from '../../../graph/types.ts'
import { type HostEffect, journaled } from '../../../src/execution/run-journal.ts'
import { takable, takeBack } from '../../../src/execution/take-back.ts'
import { TaskFailure, type TaskKind } from '../../../tasks/kind.ts'
import { rejects } from '../../support/assertions.ts'
import { graphOf, id, kind, resultOf, rig, task } from '../../support/fake-run.ts'

const test = suite('execution/take-back')

const ran: Outcome = { status: 'ran', result: resultOf('x'), because: { reason: 'drift', detail: '' } }
const fresh: Outcome = { status: 'skipped', result: resultOf('x'), from: 'target' }
const failed: Outcome = { status: 'failed', failure: { reason: 'unhealthy', subject: 's', message: 'm' } }
const outcomes = (given: Readonly<Record<string, Outcome>>) => new Map(Object.entries(given) as [TaskId, Outcome][])

/** a → b → d, and c by itself; e ends the release. */
const graph = graphOf(
  ...[task('roll:a', { params: { host: 'h1' } }), task('roll:b', { after: ['roll:a'] }), task('mid:m', { after: ['roll:b'] })],
  ...[task('roll:c'), task('roll:d', { after: ['mid:m'], needs: ['roll:b'] }), task('end:e', { after: ['roll:d', 'roll:c'] })],
)

function setting(undo: NonNullable<TaskKind['undo']>) {
  const roll = kind('roll', { freshness: 'effect', exclusive: true, undo })
  const { options, controller } = rig([roll, kind('mid'), kind('end', { commits: true })])
  const said: string[] = []
  return {
    options: { ...options, say: (line: string, of: TaskId) => void said.push(`${of} ${line}`) },
    said,
    controller,
    kinds: options.kinds,
  }
}

test('only what ran and can be undone is taken back, and nothing once the release is being finished', () => {
  const { kinds } = setting(async () => {})
  const before = { 'roll:a': ran, 'roll:b': fresh, 'mid:m': ran, 'roll:c': ran, 'roll:d': failed }
  assert.equal(takable(graph, outcomes(before), kinds), ['roll:a', 'roll:c'])
  assert.equal(takable(graph, outcomes({ ...before, 'end:e': { status: 'canceled', by: id('roll:d') } }), kinds), ['roll:a', 'roll:c'])
  for (const end of [ran, failed]) assert.equal(takable(graph, outcomes({ ...before, 'end:e': end }), kinds), [])
})

test('the last goes first, also across tasks in between that have nothing to undo; its result and its needs are at hand', async () => {
  const order: string[] = []
  const { options } = setting(async (_params, context, result) => {
    order.push(`${context.id} ${result.values['value']} ${[...context.needs.keys()]}`)
  })
  const all = outcomes({ 'roll:a': ran, 'roll:b': ran, 'mid:m': fresh, 'roll:d': ran })
  const { undone, failed: stuck } = await takeBack(['roll:a', 'roll:b', 'roll:d'].map(id), graph, all, options)
  assert.equal(order, ['roll:d x roll:b', 'roll:b x ', 'roll:a x '])
  assert.is(undone.size, 3)
  assert.is(stuck.size, 0)
})

test('one that cannot be taken back keeps none of the others, and is told', async () => {
  const { options, said } = setting(async (_params, context) => {
    if (context.id === id('roll:b')) throw new TaskFailure({ reason: 'unreachable', subject: 'h1', message: 'h1 is gone' })
  })
  const all = outcomes({ 'roll:a': ran, 'roll:b': ran, 'roll:c': ran })
  const { undone, failed: stuck } = await takeBack(['roll:a', 'roll:b', 'roll:c'].map(id), graph, all, options)
  assert.equal([...undone].sort(), ['roll:a', 'roll:c'])
  assert.equal([...stuck.keys()], ['roll:b'])
  assert.equal(said, ['roll:b not taken back: h1 is gone'])
})

test('an interrupt ends it: what has not begun is left, and named', async () => {
  const { options, controller } = setting(async () => controller.abort())
  const all = outcomes({ 'roll:a': ran, 'roll:b': ran })
  const { undone, failed: stuck } = await takeBack(['roll:a', 'roll:b'].map(id), graph, all, options)
  assert.equal([...undone], ['roll:b'])
  assert.is(stuck.get(id('roll:a'))?.reason, 'interrupted')
})

test('a journal is told before and after each effect on a host', async () => {
  const lines: string[] = []
  const told = (how: string, { task: of, host, what }: HostEffect) => void lines.push(`${how} ${what} ${of} ${host}`)
  const journal = {
    intent: async (effect: HostEffect) => told('intent', effect),
    ended: (effect: HostEffect, how: string) => told(how, effect),
  }
  const { options } = setting(async () => {
    lines.push('undo')
  })
  await takeBack([id('roll:a')], graph, outcomes({ 'roll:a': ran }), { ...options, journal })
  assert.equal(lines, ['intent undo roll:a h1', 'undo', 'done undo roll:a h1'])
})

test('what an earlier run left is put back, also where this run did nothing, failed, or did more', async () => {
  const order: string[] = []
  const picture = { containers: [], down: [] }
  const { options, kinds } = setting(async (_params, { id }) => void order.push(`undo ${id}`))
  const roll = kinds.get('roll')
  if (!roll) throw new Error('no kind')
  const putBack: NonNullable<TaskKind['putBack']> = async (_params, { id, needs }, before) => {
    order.push(`put back ${id} ${needs.size} ${before === picture}`)
    return true
  }
  const all = new Map([...kinds, ['roll', { ...roll, putBack }]])
  const before = new Map([['h1', picture]])
  for (const own of [ran, fresh, failed]) {
    order.length = 0
    const ended = outcomes({ 'roll:a': own, 'roll:c': ran, 'roll:d': failed })
    const ids = takable(graph, ended, all, before)
    assert.equal(ids, ['roll:a', 'roll:c'])
    const { undone } = await takeBack(ids, graph, ended, { ...options, kinds: all, before })
    assert.equal([...undone].sort(), ['roll:a', 'roll:c'])
    assert.equal(order.sort(), ['put back roll:a 0 true', 'undo roll:c'])
  }
  assert.equal(takable(graph, outcomes({ 'roll:a': ran, 'end:e': failed }), all, before), [])
})

test('what cannot be put on record is not begun, and kinds that write to no host are not on record', async () => {
  const journal = { intent: () => Promise.reject(new Error('the disk is full')), ended: () => assert.unreachable() }
  const effect = { id: id('roll:a'), params: { host: 'h1' } }
  await rejects(
    journaled(journal, effect, { exclusive: true }, 'run', async () => assert.unreachable()),
    /disk is full/,
  )
  assert.is(await journaled(journal, effect, {}, 'run', async () => 7), 7)
})

test.run()
