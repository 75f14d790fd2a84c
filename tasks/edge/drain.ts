/** Waits until the proxy has no connection left to a container that gets no new requests. */
import type { ProxyContainer } from '../ports/edge.ts'
import { runningProxy, type Site } from './site.ts'

const pauseMs = 250
/** Linux's word for an open connection in `/proc/net/tcp`. */
const established = '01'

/** Resolves when nothing is in flight, after the route's `drain_seconds`, or when somebody ends the wait. @returns connections that were left. */
export async function drain(site: Site, container: string, end?: AbortSignal): Promise<number> {
  const { host, route, context } = site
  if (route.drainSeconds === 0) return 0
  const [proxy, { addresses }] = await Promise.all([runningProxy(site), host.engine.inspect(container)])
  const deadline = Date.now() + route.drainSeconds * 1000
  for (;;) {
    const open = await connectionsTo(site, proxy, addresses)
    if (open === 0 || Date.now() >= deadline || context.signal.aborted || end?.aborted) return open
    await new Promise((resolve) => setTimeout(resolve, pauseMs))
  }
}

/** A proxy that cannot tell has to be given all the time there is. */
async function connectionsTo({ host }: Site, proxy: ProxyContainer, addresses: readonly string[]): Promise<number> {
  const exit = await host.engine.exec(proxy.id, ['cat', '/proc/net/tcp', '/proc/net/tcp6'])
  return openConnections(exit.stdout, addresses) ?? Number.POSITIVE_INFINITY
}

/** Pure. Undefined for a text that is no table of connections. */
export function openConnections(table: string, addresses: readonly string[]): number | undefined {
  if (!table.includes('rem_address')) return undefined
  const wanted = new Set(addresses.map(littleEndian))
  return table.split('\n').filter((line) => {
    const [, , remote = '', state] = line.trim().split(/\s+/)
    return state === established && wanted.has(remote.split(':')[0]?.slice(-8) ?? '')
  }).length
}

/** As the kernel writes an address: its bytes in reverse, in hexadecimal. An address of IPv6 that holds one of IPv4 ends the same way. */
function littleEndian(address: string): string {
  const bytes = address.split('.').map((part) => Number(part).toString(16).padStart(2, '0'))
  return bytes.reverse().join('').toUpperCase()
}
