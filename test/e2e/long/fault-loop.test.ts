/** Killed at every fault point that a deploy of a next version meets, and around every kind of task: the next plain deploy converges, and traffic notices nothing. */
import * as assert from 'uvu/assert'
import { kills, kinds } from '../../support/fault-cases.ts'
import { FaultFleet } from '../../support/fault-fleet.ts'
import { chosen, strike, textOf } from '../../support/fault-loop.ts'
import { labSuite } from '../../support/lab-suite.ts'

const suite = await labSuite('e2e/long/fault-loop', 2)
const { test } = suite
let fleet: FaultFleet

test.before(async () => {
  fleet = await FaultFleet.open(suite.lab())
})
test.after(() => fleet.remove())

for (const fault of chosen(kills)) test(`killed at ${textOf(fault)}`, () => strike(fleet, fault))

test('there is no other kind of task in such a deploy', async () => {
  fleet.next({ image: true })
  const { code, stdout, stderr, ran } = await fleet.deploy()
  assert.is(code, 0, stdout + stderr)
  const kindOf = (id: string) => id.split(':')[0]
  assert.equal([...new Set(ran.map(kindOf))].sort(), [...new Set(kinds.map(kindOf))].sort())
})

suite.run()
