/**
 * Killed at every fault point that needs more than a next version to be met; and told to stop, or cut off from its hosts, where that differs from a
 * kill: where there is something to put in order. `STAGECRAFT_FAULT_LOOP=all` runs every point of the hosts in every way (docs/reliability.md).
 */
import { scenes } from '../../support/fault-cases.ts'
import { FaultFleet } from '../../support/fault-fleet.ts'
import { chosen, strike, textOf } from '../../support/fault-loop.ts'
import { labSuite } from '../../support/lab-suite.ts'

const suite = await labSuite('e2e/long/fault-scenes', 2)
const { test } = suite
let fleet: FaultFleet

test.before(async () => {
  fleet = await FaultFleet.open(suite.lab())
})
test.after(() => fleet.remove())

for (const fault of chosen(scenes)) test(`ended at ${textOf(fault)}`, () => strike(fleet, fault))

suite.run()
