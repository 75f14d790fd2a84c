/**
 * Some of the fault points, in every run of the tests: a few always, and others each day, so that all come within two weeks. `STAGECRAFT_FAULT_DAY`
 * (days since 1970, told when a run begins) repeats those of another day. All of them at once: `long/fault-loop.test.ts` and `long/fault-scenes.test.ts`.
 */
import { scenes as ended, kills, turnOf } from '../support/fault-cases.ts'
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

const always: readonly FaultCase[] = [
  { point: 'lock-taken', mode: 'SIGKILL' },
  { point: 'upload-placed', mode: 'SIGKILL' },
  { point: 'migrate-applying', mode: 'SIGKILL' },
  { point: 'container-created', mode: 'SIGKILL' },
  { point: 'container-gated', mode: 'SIGKILL' },
  { point: 'after-task', about: 'rollout:web@node-1', mode: 'SIGKILL' },
  { point: 'container-started', mode: 'SIGINT' },
]
const inTurn = [...kills, ...ended].filter((fault) => !always.some((each) => textOf(each) === textOf(fault)))
const day = Number(process.env['STAGECRAFT_FAULT_DAY'] ?? Math.floor(Date.now() / 86_400_000))
const today = turnOf(day, 6, inTurn)
process.stdout.write(`e2e/fault-points: ${today.map(textOf).join(', ')} (STAGECRAFT_FAULT_DAY=${day})\n`)

for (const fault of [...always, ...today]) test(`ended at ${textOf(fault)}`, () => strike(fleet, fault))

suite.run()
