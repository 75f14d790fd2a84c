/** Some of the fault points, in every run of the tests; all of them are in `long/fault-loop.test.ts` and `long/fault-scenes.test.ts`. */
import { FaultFleet } from '../support/fault-fleet.ts'
import { type FaultCase, strike, textOf } from '../support/fault-loop.ts'
import { labSuite } from '../support/lab-suite.ts'

const suite = await labSuite('e2e/fault-points', 2)
const { test } = suite
let fleet: FaultFleet

test.before(async () => {
  fleet = await FaultFleet.open(suite.lab())
})
test.after(() => fleet.remove())

const cases: readonly FaultCase[] = [
  { point: 'lock-taken', mode: 'SIGKILL' },
  { point: 'upload-placed', mode: 'SIGKILL' },
  { point: 'migrate-applying', mode: 'SIGKILL' },
  { point: 'container-created', mode: 'SIGKILL' },
  { point: 'container-gated', mode: 'SIGKILL' },
  { point: 'after-task', about: 'rollout:web@node-1', mode: 'SIGKILL' },
  { point: 'container-started', mode: 'SIGINT' },
]

for (const fault of cases) test(`ended at ${textOf(fault)}`, () => strike(fleet, fault))

suite.run()
