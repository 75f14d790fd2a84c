import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { ActionResult, Outcome, TaskId } from '../../graph/types.ts'
import { startRun } from '../../src/executor.ts'
import { TaskFailure } from '../../tasks/kind.ts'
import { within } from '../support/assertions.ts'
import { graphOf, id, kind, resultOf, rig, task } from '../support/fake-run.ts'

const test = suite('src/executor')
const status = (outcomes: ReadonlyMap<TaskId, Outcome>, name: string) => outcomes.get(id(name))?.status

test('a content task runs once and is skipped afterwards', async () => {
  const r = rig([kind('build')])
  const graph = graphOf(task('build:api', { params: 1 }))
  assert.is(status(await r.run(graph), 'build:api'), 'ran')
  assert.is(status(await r.run(graph), 'build:api'), 'skipped')
  assert.equal(r.started(), [])
})

test('a changed parameter runs it again and the reason says so', async () => {
  const r = rig([kind('build')])
  await r.run(graphOf(task('build:api', { params: { target: 'a' } })))
  const outcome = (await r.run(graphOf(task('build:api', { params: { target: 'b' } })))).get(id('build:api'))
  assert.is(outcome?.status, 'ran')
  if (outcome?.status === 'ran') assert.is(outcome.because.reason, 'params')
})

// build:api ─▶ push:api
test('an identical rebuild stops there: what needs it is skipped (early cutoff)', async () => {
  const r = rig([kind('build', { run: async () => resultOf('same image') }), kind('push')])
  const graph = (source: string) => graphOf(task('build:api', { params: source }), task('push:api', { needs: ['build:api'] }))
  await r.run(graph('a'))
  await r.run(graph('b'))
  assert.equal(r.started(), ['build:api'])
})

test('only the selected part of a need matters', async () => {
  const render = kind('render', { run: async (params) => ({ files: {}, values: { mine: 1, other: params } }) })
  const roll = kind('roll', { select: (_params, _need, result) => result.values['mine'] ?? null })
  const r = rig([render, roll])
  const graph = (other: string) => graphOf(task('render:h', { params: other }), task('roll:web', { needs: ['render:h'] }))
  await r.run(graph('a'))
  await r.run(graph('b'))
  assert.equal(r.started(), ['render:h'])
})

test('deploying A, B, A, A rolls three times: no cache vouches for an effect', async () => {
  let live: unknown
  const roll = kind('roll', {
    freshness: 'effect',
    observe: async (params) =>
      live === params
        ? { fresh: true, result: resultOf(params) }
        : { fresh: false, because: { reason: 'drift', detail: 'another is live' } },
    run: async (params) => {
      live = params
      return resultOf(params)
    },
  })
  const r = rig([roll])
  const rolled: string[] = []
  for (const version of ['A', 'B', 'A', 'A']) {
    await r.run(graphOf(task('roll:web', { params: version })))
    rolled.push(...r.started().map(() => version))
  }
  assert.equal(rolled, ['A', 'B', 'A'])
})

test('what depends on a failure is canceled and names it; finished work is kept', async () => {
  let broken = true
  const build = kind('build', {
    run: async (params) => {
      if (params === 'bad' && broken) throw new TaskFailure({ reason: 'exit', subject: 'x', message: 'no' })
      return resultOf(params)
    },
  })
  const r = rig([build, kind('push')], { onFailure: 'continue' })
  const graph = graphOf(
    task('build:good', { params: 'good' }),
    task('build:bad', { params: 'bad' }),
    task('push:bad', { needs: ['build:bad'] }),
    task('push:later', { after: ['push:bad'] }),
  )
  const outcomes = await r.run(graph)
  assert.is(status(outcomes, 'build:good'), 'ran')
  assert.equal(outcomes.get(id('push:later')), { status: 'canceled', by: 'build:bad' })
  broken = false
  await r.run(graph)
  assert.equal(r.started().sort(), ['build:bad', 'push:bad', 'push:later'])
})

test('after a failure nothing new starts, unless told to continue', async () => {
  const fail = kind('fail', { run: () => Promise.reject(new TaskFailure({ reason: 'exit', subject: 'x', message: 'no' })) })
  const graph = graphOf(task('fail:a'), task('other:b'))
  const stopped = await rig([fail, kind('other')], { pools: { default: 1 } }).run(graph)
  assert.equal(stopped.get(id('other:b')), { status: 'canceled', by: 'stop' })
  const continued = await rig([fail, kind('other')], { pools: { default: 1 }, onFailure: 'continue' }).run(graph)
  assert.is(status(continued, 'other:b'), 'ran')
})

test('what waits for the slot of a task that fails does not start either', async () => {
  const fail = kind('fail', { run: () => Promise.reject(new TaskFailure({ reason: 'exit', subject: 'x', message: 'no' })) })
  const r = rig([fail, kind('other')], { pools: { default: 1 } })
  const run = startRun(graphOf(task('fail:a'), task('other:b'), task('other:c')), r.options)
  await Promise.all(['fail:a', 'other:b', 'other:c'].map((name) => run.outcome(id(name))))
  assert.equal(r.started(), ['fail:a'])
})

test('a listener that throws cuts no task off: the task ends, the run stops, and the bug is told', async () => {
  const done: unknown[] = []
  const work = kind('work', {
    run: async (params, context) => {
      context.log('half-way')
      done.push(params)
      return resultOf(params)
    },
  })
  const r = rig([work], { pools: { default: 1 } })
  const on = () => {
    throw new Error('the view broke')
  }
  const outcomes = await r.run(graphOf(task('work:a', { params: 1 }), task('work:b', { params: 2, after: ['work:a'] })), { on })
  const first = outcomes.get(id('work:a'))
  assert.equal(done, [1])
  assert.ok(first?.status === 'failed' && first.failure.reason === 'bug' && first.failure.message === 'the view broke')
  assert.is.not(status(outcomes, 'work:b'), 'ran')
})

test('a task of a kind that nobody knows is a bug like any other, and the others end', async () => {
  const r = rig([kind('build')], { onFailure: 'continue' })
  const outcomes = await r.run(graphOf(task('ghost:a'), task('build:b')))
  const ghost = outcomes.get(id('ghost:a'))
  assert.ok(ghost?.status === 'failed' && ghost.failure.message === 'no kind is called ghost')
  assert.is(status(outcomes, 'build:b'), 'ran')
})

test('an interrupt while a task is looked at keeps it from starting', async () => {
  const roll = kind('roll', {
    freshness: 'effect',
    observe: async () => {
      r.controller.abort()
      return { fresh: false, because: { reason: 'drift', detail: 'd' } }
    },
  })
  const r = rig([roll])
  assert.equal((await r.run(graphOf(task('roll:a')))).get(id('roll:a')), { status: 'canceled', by: 'signal' })
  assert.equal(r.started(), [])
})

test('a lock that another run holds fails what would write; what is fresh is still skipped', async () => {
  const held = () => Promise.reject(new TaskFailure({ reason: 'lock-held', subject: 'h', message: 'anna has it' }))
  const parts = { freshness: 'effect', exclusive: true } as const
  const stale = kind('stale', { ...parts, observe: async () => ({ fresh: false, because: { reason: 'drift', detail: 'd' } }) })
  const fresh = kind('fresh', { ...parts, observe: async () => ({ fresh: true, result: resultOf(1) }) })
  const lock = { isHeld: false, hold: held, verify: async () => {} }
  const outcomes = await rig([stale, fresh], { lock, onFailure: 'continue' }).run(graphOf(task('fresh:b'), task('stale:a')))
  const failed = outcomes.get(id('stale:a'))
  assert.ok(failed?.status === 'failed' && failed.failure.reason === 'lock-held')
  assert.is(status(outcomes, 'fresh:b'), 'skipped')
})

test('every part of a failure is redacted', async () => {
  const failure = { reason: 'refused', subject: 'hunter2', message: 'hunter2', remedy: 'log in as hunter2', output: ['hunter2'] } as const
  const r = rig([kind('x', { run: () => Promise.reject(new TaskFailure(failure)) })], {
    redact: (text) => text.replaceAll('hunter2', '***'),
  })
  assert.not.match(JSON.stringify([...(await r.run(graphOf(task('x:a'))))]), 'hunter2')
})

test('hosts do not wait for each other: the pool `host` is one per host', async () => {
  let running = 0
  let most = 0
  const roll = kind('roll', {
    pool: 'host',
    run: async (params) => {
      running += 1
      most = Math.max(most, running)
      for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve))
      running -= 1
      return resultOf(params)
    },
  })
  const r = rig([roll], { pools: { default: 8, host: 1 } })
  const tasks = ['h1', 'h1', 'h2', 'h2'].map((host, n) => task(`roll:${n}`, { params: { host, n } }))
  const run = startRun(graphOf(...tasks), r.options)
  await Promise.all(tasks.map((one) => run.outcome(one.id)))
  assert.is(most, 2)
})

test('an unexpected exception is our bug and carries its stack', async () => {
  const r = rig([kind('odd', { run: () => Promise.reject(new Error('oops')) })])
  const outcome = (await r.run(graphOf(task('odd:x')))).get(id('odd:x'))
  assert.is(outcome?.status, 'failed')
  if (outcome?.status === 'failed') {
    assert.is(outcome.failure.reason, 'bug')
    assert.match(outcome.failure.stack ?? '', 'executor.test')
  }
})

test('a failure keeps the last lines of output, redacted like everything else', async () => {
  const chatty = kind('chatty', {
    run: async (_params, context) => {
      for (let line = 0; line < 30; line++) context.log(`line ${line} hunter2`)
      throw new TaskFailure({ reason: 'exit', subject: 'x', message: 'password hunter2 refused' })
    },
  })
  const r = rig([chatty], { redact: (text) => text.replaceAll('hunter2', '***') })
  const outcome = (await r.run(graphOf(task('chatty:x')))).get(id('chatty:x'))
  if (outcome?.status !== 'failed') throw new Error('it did not fail')
  assert.is(outcome.failure.message, 'password *** refused')
  assert.is(outcome.failure.output?.length, 20)
  assert.is(outcome.failure.output?.at(-1), 'line 29 ***')
  assert.not.match(JSON.stringify(r.events), 'hunter2')
})

test('an input that changes while the task runs: its result is used, but not cached', async () => {
  let content = 'before'
  const build = kind('build', {
    inputs: () => ({ files: [{ root: '.' }] }),
    run: async () => {
      content = content === 'before' ? 'after' : content
      return resultOf('built')
    },
  })
  const r = rig([build], { files: { states: async () => ({ 'a.txt': content }) } })
  const graph = graphOf(task('build:api'))
  await r.run(graph)
  content = 'before'
  await r.run(graph)
  assert.equal(r.started(), ['build:api'], 'the first result must not be served for either content')
})

test('the lock is taken by the first task that writes, once, and the target is looked at again under it', async () => {
  let looks = 0
  let holds = 0
  let held = false
  const roll = kind('roll', {
    freshness: 'effect',
    exclusive: true,
    observe: async () => {
      looks += 1
      return held ? { fresh: true, result: resultOf('other run did it') } : { fresh: false, because: { reason: 'drift', detail: 'd' } }
    },
  })
  const lock = {
    get isHeld() {
      return held
    },
    hold: async () => {
      holds += 1
      held = true
    },
    verify: async () => {},
  }
  const r = rig([roll], { lock })
  const outcomes = await r.run(graphOf(task('roll:web')))
  assert.is(status(outcomes, 'roll:web'), 'skipped')
  assert.equal([looks, holds], [2, 1])
})

test('a run in which everything is fresh takes no lock', async () => {
  const roll = kind('roll', { freshness: 'effect', exclusive: true, observe: async () => ({ fresh: true, result: resultOf(1) }) })
  const r = rig([roll], { lock: { isHeld: false, hold: () => Promise.reject(new Error('must not lock')), verify: async () => {} } })
  assert.is(status(await r.run(graphOf(task('roll:web'))), 'roll:web'), 'skipped')
})

test('forcing runs a fresh task', async () => {
  const r = rig([kind('build')])
  const graph = graphOf(task('build:api'))
  await r.run(graph)
  await r.run(graph, { force: (name) => name === 'build:api' })
  assert.equal(r.started(), ['build:api'])
})

test('an interrupt reaches the running task; what waits is canceled', async () => {
  const slow = kind('slow', {
    run: (_params, { signal }) =>
      new Promise<ActionResult>((_, reject) => {
        signal.addEventListener('abort', () => reject(new Error('aborted')), { once: true })
        queueMicrotask(() => r.controller.abort())
      }),
  })
  const r = rig([slow, kind('next')])
  const outcomes = await within(2000, r.run(graphOf(task('slow:a'), task('next:b', { after: ['slow:a'] }), task('next:c'))))
  const first = outcomes.get(id('slow:a'))
  assert.ok(first?.status === 'failed' && first.failure.reason === 'interrupted')
  assert.is(status(outcomes, 'next:b'), 'canceled')
})

test('starts() settles before the outcome: true for what runs, false for what is skipped', async () => {
  const r = rig([kind('build')])
  const graph = graphOf(task('build:api'))
  const first = startRun(graph, r.options)
  const [ran] = await Promise.all([first.starts(id('build:api')), first.outcome(id('build:api'))])
  const second = startRun(graph, r.options)
  const [skipped] = await Promise.all([second.starts(id('build:api')), second.outcome(id('build:api'))])
  assert.equal([ran, skipped], [true, false])
})

test('a named pool bounds how many of its tasks run at once', async () => {
  let running = 0
  let most = 0
  const db = kind('db', {
    pool: 'database',
    run: async (params) => {
      running += 1
      most = Math.max(most, running)
      await new Promise((resolve) => setImmediate(resolve))
      running -= 1
      return resultOf(params)
    },
  })
  const r = rig([db], { pools: { default: 8, database: 2 } })
  const run = startRun(graphOf(...[1, 2, 3, 4, 5, 6].map((n) => task(`db:${n}`, { params: n }))), r.options)
  await Promise.all([1, 2, 3, 4, 5, 6].map((n) => run.outcome(id(`db:${n}`))))
  assert.is(most, 2)
})

/** Counts programs and what is stored of them; both take a few turns. `storing` overlaps with a program when slots are left early. */
function slotRig(parts: { readonly poolOf?: () => string; readonly pools: Readonly<Record<string, number>> }) {
  const turns = async (count: number) => {
    for (let turn = 0; turn < count; turn++) await new Promise((resolve) => setImmediate(resolve))
  }
  const seen = { running: 0, most: 0, storing: 0, overlaps: 0 }
  const work = kind('work', {
    ...(parts.poolOf ? { poolOf: parts.poolOf } : {}),
    run: async (params, context) => {
      seen.running += 1
      seen.most = Math.max(seen.most, seen.running)
      if (seen.storing > 0) seen.overlaps += 1
      await turns(3)
      seen.running -= 1
      seen.storing += 1
      context.leaveSlot?.()
      await turns(3)
      seen.storing -= 1
      return resultOf(params)
    },
  })
  const ids = [1, 2, 3, 4, 5, 6].map((n) => `work:${n}`)
  const graph = graphOf(...ids.map((name) => task(name, { params: name })))
  return { seen, run: () => rig([work], { pools: parts.pools }).run(graph) }
}

test('in a pool of one of the user, no two programs run at once, while a result is stored beside the next', async () => {
  const { seen, run } = slotRig({ poolOf: () => 'db', pools: { default: 4, db: 1 } })
  const outcomes = await run()
  assert.ok([...outcomes.values()].every((outcome) => outcome.status === 'ran'))
  assert.is(seen.most, 1)
  assert.ok(seen.overlaps > 0)
})

test('slots that are left early are never taken by more programs than there are slots', async () => {
  const { seen, run } = slotRig({ pools: { default: 2 } })
  await run()
  assert.is(seen.most, 2)
  assert.ok(seen.overlaps > 0)
})

test('one at a time is one at a time, to the end of each: what a result shows may stop the next', async () => {
  const { seen, run } = slotRig({ pools: { default: 1 } })
  await run()
  assert.is(seen.most, 1)
  assert.is(seen.overlaps, 0)
})

test('a slot is kept for a dependent that is more urgent than all that wait', async () => {
  const order: string[] = []
  const work = kind('work', {
    poolOf: () => 'db',
    run: async (params, context) => {
      order.push(String(params))
      context.leaveSlot?.()
      await new Promise((resolve) => setImmediate(resolve))
      return resultOf(params)
    },
  })
  const chain = [task('work:a', { params: 'a' }), task('work:b', { params: 'b', needs: ['work:a'] })]
  const last = task('work:c', { params: 'c', needs: ['work:b'] })
  const filler = task('work:x', { params: 'x' })
  await rig([work], { pools: { default: 4, db: 1 } }).run(graphOf(...chain, last, filler))
  assert.equal(order.slice(0, 2), ['a', 'b'])
})

test('a run after a run does nothing, and no task starts before what it depends on has ended', async () => {
  const edges = fc.array(fc.tuple(fc.nat(11), fc.nat(11), fc.boolean()), { maxLength: 30 })
  await fc.assert(
    fc.asyncProperty(edges, fc.integer({ min: 1, max: 4 }), async (pairs, width) => {
      const before = pairs.filter(([a, b]) => a < b)
      const tasks = Array.from({ length: 12 }, (_, n) => {
        const on = (needed: boolean) => before.filter(([, b, need]) => b === n && need === needed).map(([a]) => `t:${a}`)
        return task(`t:${n}`, { needs: [...new Set(on(true))], after: [...new Set(on(false))], params: n })
      })
      const r = rig([kind('t')], { pools: { default: width } })
      const graph = graphOf(...tasks)
      await r.run(graph)
      const seen: string[] = []
      for (const event of r.events) {
        if (event.type === 'finished') seen.push(event.task.id)
        if (event.type === 'started') for (const earlier of graph.dependencies(event.task.id)) assert.ok(seen.includes(earlier))
      }
      assert.is(r.started().length, 12)
      await r.run(graph)
      assert.equal(r.started(), [])
    }),
    { numRuns: 40 },
  )
})

test('what becomes ready while the first are entered is entered once', async () => {
  const ran: string[] = []
  const { run } = rig([kind('a'), kind('b', { run: async () => resultOf(ran.push('b')) })])
  const result = resultOf('as it was')
  const outcomes = await run(graphOf(task('a:x'), task('b:y', { needs: ['a:x'] })), {
    vouching: { outcomeOf: ({ kind: name }) => (name === 'a' ? { status: 'skipped', result, from: 'local', how: 'present' } : undefined) },
  })
  assert.equal(ran, ['b'])
  assert.equal(
    [...outcomes.values()].map(({ status }) => status),
    ['skipped', 'ran'],
  )
})

test.run()
