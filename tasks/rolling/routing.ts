/** What a rollout does at the edge: who gets requests, and when one that gets none any more has finished those it has. */
import { configureCaddy } from '../edge/configure-caddy.ts'
import { drain } from '../edge/drain.ts'
import { publish } from '../edge/publish.ts'
import { edgeState, type Site } from '../edge/site.ts'
import { upstreamsOf } from '../edge/upstreams.ts'
import { verify } from '../edge/verify.ts'
import type { Container } from '../ports.ts'
import type { Rolling } from './params.ts'

export interface Routing {
  /** From now on these get the requests, and no others: the proxy has said so, and the service answers through it. @throws TaskFailure */
  serve(containers: readonly Container[]): Promise<void>
  /** As `serve`, without asking the service: for putting back what served before. */
  restore(containers: readonly Container[]): Promise<void>
  /** Waits until nothing is in flight at one that gets no requests. */
  retire(container: Container): Promise<void>
}

/** Undefined for a service without a route. */
export function routingOf({ host, params, context }: Rolling): Routing | undefined {
  const { route } = params
  if (route === null) return undefined
  const site: Site = { host, route, context }
  const send = (containers: readonly Container[]) => publish(site, upstreamsOf(containers))
  return {
    async serve(containers) {
      // The first time there is no route to swap; settings that changed since are the `edge` task's.
      const isNew = route.provider === 'caddy' && (await edgeState(site)).routes[route.key]?.config === undefined
      if (isNew) await configureCaddy(site)
      await send(containers)
      await verify(site)
      context.log(`requests go to ${containers.map(({ name }) => name).join(', ')}`)
    },
    async restore(containers) {
      host.changed()
      if ((await edgeState(site)).routes[route.key]?.config !== undefined) await send(containers)
    },
    async retire(container) {
      const left = await drain(site, container.id)
      if (left > 0 && Number.isFinite(left))
        context.log(`${container.name} still has ${left} open connections after ${route.drainSeconds} s`)
    },
  }
}
