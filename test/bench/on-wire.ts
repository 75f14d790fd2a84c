/** Measures what goes over a wire to a host: times, connections, and round trips. */

import type { Lab, LabHost } from '../lab/lab.ts'
import { openWire, type Wire } from '../support/wire.ts'
import { type Program, runOnce, timesOf } from './measure.ts'
import type { Row } from './report.ts'

const roundTripsMs = [0, 50] as const

/** Runs `work` with a wire of each length. */
export async function onWires(
  lab: Lab,
  host: LabHost,
  work: (wire: Wire, roundTripMs: number) => Promise<readonly Row[]>,
): Promise<readonly Row[]> {
  const rows: Row[] = []
  for (const roundTripMs of roundTripsMs) {
    const wire = await openWire(lab, host, roundTripMs)
    try {
      rows.push(...(await work(wire, roundTripMs)))
    } finally {
      await wire.proxy.close()
    }
  }
  return rows
}

/**
 * Connections are the most of any run; round trips, which can only be told on a wire that has some, the fewest.
 * @param change called before each run: what makes it have something to do.
 */
export async function measureOnWire(
  what: string,
  program: Program,
  wire: Wire,
  roundTripMs: number,
  runs: number,
  change: () => void = () => {},
): Promise<Row> {
  change()
  await runOnce(program)
  const times: number[] = []
  let [connections, trips] = [0, Number.POSITIVE_INFINITY]
  for (let run = 0; run < runs; run++) {
    change()
    const [before, mark] = [wire.proxy.stats().connections, wire.proxy.mark()]
    times.push((await runOnce(program)).ms)
    connections = Math.max(connections, wire.proxy.stats().connections - before)
    trips = Math.min(trips, wire.roundTripsSince(mark))
  }
  return { what, times: timesOf(times), more: [`${roundTripMs} ms`, String(connections), roundTripMs === 0 ? '' : String(trips)] }
}
