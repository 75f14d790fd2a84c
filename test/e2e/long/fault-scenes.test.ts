/**
 * Killed at every fault point that needs more than a next version to be met; and told to stop, or cut off from its hosts, where that differs from a
 * kill: where there is something to put in order. `STAGECRAFT_FAULT_LOOP=all` runs every point of the hosts in every way (docs/reliability.md).
 */

import type { FaultPoint } from '../../../tasks/fault-points.ts'
import { FaultFleet } from '../../support/fault-fleet.ts'
import { chosen, type FaultCase, isAll, pointsOf, strike, textOf } from '../../support/fault-loop.ts'
import { labSuite } from '../../support/lab-suite.ts'

const suite = await labSuite('e2e/long/fault-scenes', 2)
const { test } = suite
let fleet: FaultFleet

test.before(async () => {
  fleet = await FaultFleet.open(suite.lab())
})
test.after(() => fleet.remove())

const others = pointsOf('route', 'fewer', 'gone', 'undo', 'rollback', 'maintenance', 'first')

/** A run that lives on has something of its own to take back at these. */
const interrupted: readonly FaultPoint[] = [
  ...(['lock-partly-taken', 'migrate-applying', 'hook-running', 'compose-running', 'container-started'] as const),
  ...(['trial-published', 'container-routed', 'container-stopped'] as const),
]
const cut: readonly FaultPoint[] = [
  ...(['lock-taken', 'upload-begun', 'hook-running', 'compose-running', 'container-created', 'container-settled'] as const),
  ...(['set-written', 'container-stopped', 'finalize-history'] as const),
]
const everywhere = [...pointsOf('deploy'), ...others]

const cases: readonly FaultCase[] = [
  ...others.map((point) => ({ point, mode: 'SIGKILL' as const })),
  ...(isAll ? everywhere : interrupted).map((point) => ({ point, mode: 'SIGINT' as const })),
  ...(isAll ? everywhere : (['container-gated'] as const)).map((point) => ({ point, mode: 'SIGTERM' as const })),
  ...(isAll ? everywhere : cut).map((point) => ({ point, mode: 'cut' as const })),
]

for (const fault of chosen(cases)) test(`ended at ${textOf(fault)}`, () => strike(fleet, fault))

suite.run()
