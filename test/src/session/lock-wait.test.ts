import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { InputError } from '../../../src/contracts.ts'
import { type LockWait, waitingForLock, waitLimit } from '../../../src/session/lock-wait.ts'
import { TaskFailure } from '../../../tasks/kind.ts'
import { rejects } from '../../support/assertions.ts'

const test = suite('src/session/lock-wait')

const held = (by: string, silentSeconds: number) =>
  new TaskFailure({
    reason: 'lock-held',
    subject: 'node-1',
    message: `prod on node-1 is locked by ${by} since noon; its last sign of life was ${silentSeconds} s ago`,
    remedy: 'wait',
  })

/** A clock that only pauses move, and what was told. */
function rig(limitMs: number, signal = new AbortController().signal) {
  const told: string[] = []
  let at = 0
  const wait: LockWait = {
    ...{ limitMs, signal, notice: (line: string) => told.push(line), now: () => at },
    pause: async (ms) => {
      signal.throwIfAborted()
      at += ms
    },
  }
  return { told, waiting: waitingForLock(wait), now: () => at, pass: (ms: number) => (at += ms) }
}

test('a lock that is free is had at once, and nothing is said', async () => {
  const { told, waiting } = rig(1000)
  assert.is(await waiting(async () => 'mine'), 'mine')
  assert.equal(told, [])
})

test('a lock that is held is asked for until it is free; each holder is told once, and again every minute', async () => {
  const { told, waiting, now } = rig(600_000)
  const take = async () => {
    if (now() < 70_000) throw held('anna', now() / 1000)
    if (now() < 80_000) throw held('ben', 1)
    return 'mine'
  }
  assert.is(await waiting(take), 'mine')
  assert.equal(
    told.map((line) => /locked by (\w+) since noon; its last sign of life was (\d+)/.exec(line)?.slice(1)),
    [
      ['anna', '0'],
      ['anna', '60'],
      ['ben', '1'],
    ],
  )
  assert.match(told[0] ?? '', /^waiting for the lock: prod on node-1/)
})

test('the time is for all hosts together, and when it is up the last holder is named', async () => {
  const { waiting, pass, now } = rig(5_000)
  let asked = 0
  await waiting(async () => {
    if (++asked < 2) throw held('anna', 0)
  })
  pass(1_000)
  const error = (await rejects(waiting(() => Promise.reject(held('ben', 2))))) as TaskFailure
  assert.is(error.failure.reason, 'lock-held')
  assert.match(error.failure.message, /locked by ben .*; waited 5 s for it$/)
  assert.is(error.failure.remedy, 'wait')
  assert.is(now(), 5_000)
})

test('anything else ends the wait as it is', async () => {
  const { waiting } = rig(5_000)
  await rejects(
    waiting(() => Promise.reject(new TypeError('oops'))),
    /oops/,
  )
  const gone = new TaskFailure({ reason: 'unreachable', subject: 'node-1', message: 'node-1 is gone' })
  await rejects(
    waiting(() => Promise.reject(gone)),
    /node-1 is gone/,
  )
})

test('an interruption ends the wait, and is one', async () => {
  const stop = new AbortController()
  const { waiting } = rig(60_000, stop.signal)
  const error = (await rejects(
    waiting(() => {
      stop.abort()
      return Promise.reject(held('anna', 0))
    }),
  )) as TaskFailure
  assert.is(error.failure.reason, 'interrupted')
  assert.match(error.failure.message, /locked by anna/)
})

for (const [given, limitMs] of [
  [undefined, undefined],
  [false, undefined],
  [true, 900_000],
  ['90s', 90_000],
  ['1h30m', 5_400_000],
] as const) {
  test(`--wait ${given} is ${limitMs} ms`, () => assert.is(waitLimit(given), limitMs))
}

for (const given of ['soon', '0', '-1s', '10', '']) {
  test(`--wait=${given} is no duration`, () => {
    assert.throws(
      () => waitLimit(given),
      (error: unknown) => error instanceof InputError && error.diagnostics[0]?.code === 'SC3004',
    )
  })
}

test.run()
