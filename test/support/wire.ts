/** A lab host reached through a long wire on which round trips can be counted. */
import { readFileSync } from 'node:fs'
import { type DelayProxy, type Mark, startDelayProxy } from '../lab/delay-proxy.ts'
import type { Lab, LabHost } from '../lab/lab.ts'

export interface Wire {
  readonly port: number
  readonly proxy: DelayProxy
  /** Line for known_hosts(5): the host's key under the wire's address. */
  readonly knownHost: string
  /** How often the client waited for an answer since then. */
  roundTripsSince(mark: Mark): number
}

export async function openWire(lab: Lab, host: LabHost, roundTripMs: number): Promise<Wire> {
  const proxy = await startDelayProxy({ target: { host: host.address, port: host.port }, delayMs: roundTripMs / 2 })
  const known = readFileSync(lab.knownHostsFile, 'utf8')
    .split('\n')
    .find((line) => line.split(' ')[0]?.split(',').includes(host.address))
  if (known === undefined) throw new Error(`${host.name} has no known key`)
  return {
    port: proxy.port,
    proxy,
    knownHost: `[127.0.0.1]:${proxy.port} ${known.split(' ').slice(1).join(' ')}\n`,
    roundTripsSince: (mark) => roundTrips(proxy.flightTimesSince(mark), roundTripMs),
  }
}

/** Conversations in several channels go on side by side: what is sent within one round trip waits for the same one. */
export function roundTrips(flightTimes: readonly number[], roundTripMs: number): number {
  let count = 0
  let began = Number.NEGATIVE_INFINITY
  for (const time of flightTimes) {
    if (time - began < roundTripMs * 0.8) continue
    count += 1
    began = time
  }
  return count
}
