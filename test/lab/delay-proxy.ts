import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { DelayLink } from './delay-link.ts'

export interface DelayProxyOptions {
  readonly target: { readonly host: string; readonly port: number }
  /** One way: a round trip takes twice as long. */
  readonly delayMs: number
}

export interface DelayProxyStats {
  readonly connections: number
  readonly bytesUp: number
  readonly bytesDown: number
  /** How often a client began to send after it had received: about the round trips it waited for. TCP's own handshake is not in it. */
  readonly flights: number
}

/** A moment, for `flightsSince`. */
export type Mark = number & { readonly __brand: 'Mark' }

/** A long, thin wire to a server on this machine. */
export interface DelayProxy {
  /** On 127.0.0.1. */
  readonly port: number
  stats(): DelayProxyStats
  mark(): Mark
  flightsSince(mark: Mark): number
  /** When each flight began, in milliseconds of `performance.now()`. */
  flightTimesSince(mark: Mark): readonly number[]
  /** Resets every open connection; new ones are accepted. */
  cut(): void
  /** Delivers nothing any more, in either direction, and closes nothing: what a dead link looks like. New connections hang too. */
  pause(): void
  /** Ends a pause; what was under way arrives. */
  resume(): void
  close(): Promise<void>
}

/** Starts a TCP proxy that delays both directions, and the first byte of a connection by its handshake too. */
export async function startDelayProxy({ target, delayMs }: DelayProxyOptions): Promise<DelayProxy> {
  const links = new Set<DelayLink>()
  const flightTimes: number[] = []
  const count = { connections: 0, up: 0, down: 0 }
  let isPaused = false

  const server = createServer({ allowHalfOpen: true, noDelay: true }, (client) => {
    count.connections++
    const link = new DelayLink(client, target, delayMs, {
      up: (bytes) => {
        count.up += bytes
      },
      down: (bytes) => {
        count.down += bytes
      },
      flight: () => flightTimes.push(performance.now()),
      end: () => links.delete(link),
    })
    links.add(link)
    if (isPaused) link.pause()
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')

  const cut = () => {
    for (const link of [...links]) link.cut()
  }
  return {
    port: (server.address() as AddressInfo).port,
    stats: () => ({ connections: count.connections, bytesUp: count.up, bytesDown: count.down, flights: flightTimes.length }),
    mark: () => performance.now() as Mark,
    flightTimesSince: (mark) => flightTimes.filter((time) => time >= mark),
    flightsSince: (mark) => flightTimes.filter((time) => time >= mark).length,
    cut,
    pause() {
      isPaused = true
      for (const link of links) link.pause()
    },
    resume() {
      isPaused = false
      for (const link of links) link.resume()
    },
    async close() {
      const closed = once(server, 'close')
      server.close()
      cut()
      await closed
    },
  }
}
