/** Killed at every fault point that a deploy of a next version meets, and around every kind of task: the next plain deploy converges, and traffic notices nothing. */
import * as assert from 'uvu/assert'
import { FaultFleet } from '../../support/fault-fleet.ts'
import { chosen, type FaultCase, pointsOf, strike, textOf } from '../../support/fault-loop.ts'
import { labSuite } from '../../support/lab-suite.ts'

const suite = await labSuite('e2e/long/fault-loop', 2)
const { test } = suite
let fleet: FaultFleet

test.before(async () => {
  fleet = await FaultFleet.open(suite.lab())
})
test.after(() => fleet.remove())

/** One of each kind that acts when there is a next version; the others are in `fault-scenes.test.ts`. */
const kinds = [
  ...['build:web', 'push:web', 'render:node-1', 'upload:node-2', 'migrate_pre:main', 'hook:before_rollout'],
  ...['rollout:web@node-1', 'finalize:prod'],
]
/** Points that are met more than once, where it matters at which. */
const abouts: Readonly<Partial<Record<string, readonly string[]>>> = {
  'before-task': kinds,
  'after-task': kinds,
  'file-written': ['releases.json', '.history'],
  'upload-begun': ['upload:node-2'],
}

const cases = pointsOf('deploy', 'kinds').flatMap((point) =>
  (abouts[point] ?? [undefined]).map((about): FaultCase => ({ point, mode: 'SIGKILL', ...(about === undefined ? {} : { about }) })),
)

for (const fault of chosen(cases)) test(`killed at ${textOf(fault)}`, () => strike(fleet, fault))

test('there is no other kind of task in such a deploy', async () => {
  fleet.next({ image: true })
  const { code, stdout, stderr, ran } = await fleet.deploy()
  assert.is(code, 0, stdout + stderr)
  const kindOf = (id: string) => id.split(':')[0]
  assert.equal([...new Set(ran.map(kindOf))].sort(), [...new Set(kinds.map(kindOf))].sort())
})

suite.run()
