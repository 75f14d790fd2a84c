import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { type Claim, Slots } from '../../../src/execution/slots.ts'
import { within } from '../../support/assertions.ts'

const test = suite('src/execution/slots')

test('of those that wait, the first by rank goes first, whoever asked first', async () => {
  const slots = new Slots(() => 1)
  const order: number[] = []
  const claims = [3, 1, 2].map((rank): Claim => ({ pools: ['default'], rank }))
  await Promise.all(
    claims.map(async (claim) => {
      await slots.acquire(claim)
      order.push(claim.rank)
      slots.release(claim)
    }),
  )
  assert.equal(order, [1, 2, 3])
})

test('who cannot have all its slots keeps none from others', async () => {
  const slots = new Slots((pool) => (pool === 'db' ? 1 : 2))
  const [first, second]: Claim[] = [0, 1].map((rank) => ({ pools: ['run', 'db'], rank }))
  const free: Claim = { pools: ['run'], rank: 2 }
  if (!first || !second) throw new Error('no claims')
  await slots.acquire(first)
  let isGranted = false
  const waits = slots.acquire(second).then(() => {
    isGranted = true
  })
  await within(1000, slots.acquire(free))
  assert.not(isGranted)
  slots.release(first)
  await within(1000, waits)
})

test('a width below 1 is a bug', async () => {
  const slots = new Slots(() => 0)
  let problem: unknown
  process.once('uncaughtException', (error) => {
    problem = error
  })
  void slots.acquire({ pools: ['none'], rank: 0 })
  await new Promise((resolve) => setImmediate(resolve))
  assert.match(String(problem), /width of at least 1/)
})

test('whatever is asked for, everybody gets in, and no pool is ever fuller than it is wide', async () => {
  const widths: Readonly<Record<string, number>> = { a: 1, b: 2, c: 3 }
  const pools = fc.array(fc.subarray(['a', 'b', 'c'], { minLength: 1 }), { maxLength: 40 })
  await fc.assert(
    fc.asyncProperty(pools, async (wanted) => {
      const slots = new Slots((pool) => widths[pool] ?? 1)
      const taken: Record<string, number> = { a: 0, b: 0, c: 0 }
      const work = wanted.map(async (claimed, rank) => {
        const claim = { pools: claimed, rank }
        await slots.acquire(claim)
        for (const pool of claimed) taken[pool] = (taken[pool] ?? 0) + 1
        for (const pool of claimed) assert.ok((taken[pool] ?? 0) <= (widths[pool] ?? 0))
        await new Promise((resolve) => setImmediate(resolve))
        for (const pool of claimed) taken[pool] = (taken[pool] ?? 0) - 1
        slots.release(claim)
      })
      await within(5000, Promise.all(work))
    }),
    { numRuns: 50 },
  )
})

test.run()
