import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { closeAll } from '../../../src/session/close-all.ts'
import { environmentLock, type LockableHost } from '../../../src/session/environment-lock.ts'
import { TaskFailure } from '../../../tasks/kind.ts'
import { rejects, within } from '../../support/assertions.ts'

const test = suite('src/session/environment-lock')

type Fault = { readonly lock?: Error; readonly verify?: Error; readonly release?: Error; readonly wait?: Promise<void> }

/** Hosts by name that note what is asked of them. */
function hosts(names: readonly string[], faults: Readonly<Record<string, Fault>> = {}) {
  const calls: string[] = []
  const fail = (error: Error | undefined) => (error ? Promise.reject(error) : Promise.resolve())
  const made = names.map(
    (name): LockableHost => ({
      name,
      async lock() {
        calls.push(`lock ${name}`)
        await faults[name]?.wait
        await fail(faults[name]?.lock)
        return {
          verify: () => fail(faults[name]?.verify),
          release: () => {
            calls.push(`release ${name}`)
            return fail(faults[name]?.release)
          },
        }
      },
      changed: () => void calls.push(`changed ${name}`),
    }),
  )
  return { made, calls }
}
const failure = (reason: TaskFailure['failure']['reason'], message: string) => new TaskFailure({ reason, subject: 'h', message })

test('it is taken once, the first host before all others, each host looked at anew, and then told', async () => {
  const { made, calls } = hosts(['a', 'b', 'c'])
  const lock = environmentLock(made, async () => void calls.push('taken'))
  assert.not.ok(lock.isHeld)
  await Promise.all([lock.hold(), lock.hold()])
  assert.ok(lock.isHeld)
  await lock.verify()
  await lock.release()
  assert.not.ok(lock.isHeld)
  assert.equal(calls.slice(0, 2), ['lock a', 'changed a'])
  assert.equal(calls.slice(2, 6).sort(), ['changed b', 'changed c', 'lock b', 'lock c'])
  assert.equal(calls.slice(6), ['taken', 'release a', 'release b', 'release c'])
})

test('a host held by another gives back the rest, and every task gets the same answer', async () => {
  const { made, calls } = hosts(['a', 'b'], { b: { lock: failure('lock-held', 'anna has b') }, a: { release: new Error('gone') } })
  const lock = environmentLock(made, async () => {})
  for (let ask = 0; ask < 2; ask++) await rejects(lock.hold(), /anna has b/)
  assert.not.ok(lock.isHeld)
  assert.equal(calls, ['lock a', 'changed a', 'lock b', 'release a'])
})

test('when what must happen first fails, nothing is held', async () => {
  const { made, calls } = hosts(['a'])
  const lock = environmentLock(made, () => Promise.reject(new Error('history damaged')))
  await rejects(lock.hold(), /history damaged/)
  assert.not.ok(lock.isHeld)
  assert.equal(calls, ['lock a', 'changed a', 'release a'])
  await lock.release()
  assert.is(calls.length, 3, 'nothing is given back twice')
})

test('writing without it is found out: before, and after it was given back', async () => {
  const lock = environmentLock(hosts(['a']).made, async () => {})
  await rejects(lock.verify(), /without the lock/)
  await lock.hold()
  await lock.release()
  await rejects(lock.verify(), /without the lock/)
})

test('a lost lock says more than a host that does not answer, wherever it comes', async () => {
  const gone = failure('unreachable', 'a is gone')
  const both = environmentLock(
    hosts(['a', 'b'], { a: { verify: gone }, b: { verify: failure('lock-lost', 'lost b') } }).made,
    async () => {},
  )
  await both.hold()
  await rejects(both.verify(), /lost b/)
  const one = environmentLock(hosts(['a', 'b'], { a: { verify: gone } }).made, async () => {})
  await one.hold()
  await rejects(one.verify(), /a is gone/)
})

test('every host is given back though one refuses, and that is told', async () => {
  const { made, calls } = hosts(['a', 'b'], { a: { release: new Error('no answer') } })
  const lock = environmentLock(made, async () => {})
  await lock.hold()
  await rejects(lock.release(), /no answer/)
  assert.ok(calls.includes('release b'))
})

test('one that is being taken when the run ends is given back, and none is taken afterwards', async () => {
  let go: () => void = () => {}
  const wait = new Promise<void>((resolve) => {
    go = resolve
  })
  const { made, calls } = hosts(['a'], { a: { wait } })
  const lock = environmentLock(made, async () => {})
  const holding = lock.hold()
  const releasing = lock.release()
  go()
  await within(1000, Promise.all([holding, releasing]))
  assert.equal(calls, ['lock a', 'changed a', 'release a'])
  assert.not.ok(lock.isHeld)
  const late = environmentLock(made, async () => {})
  await late.release()
  await rejects(late.hold(), /given back for good/)
})

test('closing does every step; what the world refuses is a warning, a bug is thrown at the end', async () => {
  const done: string[] = []
  const warnings: string[] = []
  const steps = [
    ['one', () => Promise.reject(failure('unreachable', 'h is gone'))],
    ['two', () => Promise.reject(new TypeError('oops'))],
    ['three', async () => void done.push('three')],
  ] as const
  await rejects(
    closeAll(steps, (message) => warnings.push(message)),
    /oops/,
  )
  assert.equal([warnings, done], [['one: h is gone'], ['three']])
})

test.run()
