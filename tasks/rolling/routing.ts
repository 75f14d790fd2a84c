/** What a rollout does at the edge: who gets requests, and when one that gets none any more has finished those it has. */

import { trialHost } from '../edge/caddy-route.ts'
import { configureCaddy } from '../edge/configure-caddy.ts'
import { drain } from '../edge/drain.ts'
import { keepAssets } from '../edge/keep-assets.ts'
import { endTrial, publish, publishTrial } from '../edge/publish.ts'
import { edgeState, type Site } from '../edge/site.ts'
import { upstreamsOf } from '../edge/upstreams.ts'
import { verify } from '../edge/verify.ts'
import type { Container } from '../ports.ts'
import type { Rolling } from './params.ts'

export interface Routing {
  /** `fresh` has been tried through the proxy before any user meets it. From now on these get the requests, and no others: the proxy has said so, and the service answers through it. @throws TaskFailure */
  serve(containers: readonly Container[], fresh?: Container): Promise<void>
  /** As `serve`, without asking the service: for putting back what served before. */
  restore(containers: readonly Container[]): Promise<void>
  /** Before these are replaced: keeps what their users may still ask for. */
  prepare(outgoing: readonly Container[]): Promise<void>
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
    async serve(containers, fresh) {
      // The first time there is no route to swap; settings that changed since are the `edge` task's.
      const isNew = route.provider === 'caddy' && (await edgeState(site)).routes[route.key]?.config === undefined
      if (isNew) await configureCaddy(site)
      if (fresh && route.provider === 'caddy') await tryOut(site, fresh)
      await send(containers)
      if (route.provider !== 'caddy') await verify(site)
      context.log(`requests go to ${containers.map(({ name }) => name).join(', ')}`)
    },
    async restore(containers) {
      host.changed()
      if ((await edgeState(site)).routes[route.key]?.config !== undefined) await send(containers)
    },
    prepare: (outgoing) => keepAssets(site, outgoing),
    async retire(container) {
      const left = await drain(site, container.id)
      if (left > 0 && Number.isFinite(left))
        context.log(`${container.name} still has ${left} open connections after ${route.drainSeconds} s`)
    },
  }
}

/** @throws TaskFailure when it does not answer as it should. */
async function tryOut(site: Site, container: Container): Promise<void> {
  const upstreams = upstreamsOf([container])
  await publishTrial(site, upstreams)
  try {
    await verify(site, trialHost(site.route.key))
  } finally {
    await endTrial(site, upstreams)
  }
}
