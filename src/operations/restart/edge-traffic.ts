/** Takes a container out of what the edge on its machine sends requests to, and puts it back. */
import { drain } from '../../../tasks/edge/drain.ts'
import { publish } from '../../../tasks/edge/publish.ts'
import { edgeState, type Site } from '../../../tasks/edge/site.ts'
import { upstreamsOf } from '../../../tasks/edge/upstreams.ts'
import type { Container, Ports } from '../../../tasks/ports.ts'
import { routeOn } from '../../pipelines/edge-tasks.ts'
import type { Replica } from '../exec/replica.ts'
import type { Fleet } from '../fleet.ts'
import { serves } from './order.ts'

/** Does nothing without a route, or when nobody else on the machine could take the requests. */
export interface Traffic {
  /** New requests go elsewhere, and those in flight are finished, or their time is up. */
  leave(replica: Replica): Promise<void>
  join(replica: Replica): Promise<void>
  /** After a failure: puts it back if it serves. @returns whether it gets no requests now, though it did before. */
  abandon(replica: Replica): Promise<boolean>
}

export interface TrafficContext {
  guard(): Promise<void>
  log(line: string): void
}

/** Only Caddy: Traefik's file holds passwords, which a restart does not read. */
export function edgeTraffic(fleet: Fleet, { guard, log }: TrafficContext): Traffic {
  const left = new Set<string>()
  const siteOf = ({ host, container }: Replica): Site | undefined => {
    const service = fleet.deployment.services.find(({ name }) => name === container.service)
    const route = service && routeOn(host, service, fleet.deployment)
    if (route?.provider !== 'caddy') return undefined
    // A swap of containers is a rename on the machine: it asks nothing but the lock.
    const context = { guard, log, signal: new AbortController().signal, ports: noPorts }
    return { host: fleet.host(host), route, context }
  }
  return {
    async leave(replica) {
      const site = siteOf(replica)
      if (site === undefined || (await edgeState(site)).routes[site.route.key]?.live === undefined) return
      const others = (await serving(site, replica)).filter(({ id }) => id !== replica.container.id)
      if (upstreamsOf(others).length === 0) return
      // Noted first: a swap that seems to fail may have worked.
      left.add(replica.container.id)
      await publish(site, upstreamsOf(others))
      await drain(site, replica.container.id)
    },
    async join(replica) {
      const site = siteOf(replica)
      if (site === undefined || !left.has(replica.container.id)) return
      await publish(site, upstreamsOf(await serving(site, replica)))
      left.delete(replica.container.id)
    },
    async abandon(replica) {
      const site = siteOf(replica)
      if (site === undefined || !left.has(replica.container.id)) return false
      try {
        const isBack = (await serving(site, replica)).some(({ id }) => id === replica.container.id)
        if (isBack) await this.join(replica)
        return !isBack
      } catch {
        // What went wrong before is what is told, and with it that this one may be out.
        return true
      }
    },
  }
}

async function serving({ host }: Site, { container }: Replica): Promise<readonly Container[]> {
  host.changed()
  const { containers } = await host.observe()
  return containers.filter((one) => one.service === container.service && one.hash === container.hash && serves(one))
}

const noPorts = new Proxy({} as Ports, {
  get(_, name) {
    throw new Error(`a restart has no port \`${String(name)}\``)
  },
})
