/** What a rollout does at the edge: who gets requests, and when one that gets none any more has finished those it has. */

import { trialHost } from '../edge/caddy-route.ts'
import { configureCaddy } from '../edge/configure-caddy.ts'
import { drain } from '../edge/drain.ts'
import { keepAssets } from '../edge/keep-assets.ts'
import { endTrial, publish, publishTrial } from '../edge/publish.ts'
import { edgeState, type Site } from '../edge/site.ts'
import { upstreamsOf } from '../edge/upstreams.ts'
import { verify } from '../edge/verify.ts'
import { TaskFailure } from '../kind.ts'
import type { Container } from '../ports.ts'
import type { Rolling } from './params.ts'

export interface Routing {
  /** `fresh` have been tried through the proxy before any user meets them. From now on these get the requests, and no others: the proxy has said so, and the service answers through it. @throws TaskFailure */
  serve(containers: readonly Container[], fresh?: readonly Container[]): Promise<void>
  /** As `serve`, without asking the service: for putting back what served before. */
  restore(containers: readonly Container[]): Promise<void>
  /** Before these are replaced: keeps what their users may still ask for. */
  prepare(outgoing: readonly Container[]): Promise<void>
  /** Waits until nothing is in flight at one that gets no requests, or until `fallen` fires. */
  retire(container: Container, fallen: AbortSignal): Promise<void>
}

/** Undefined for a service without a route. */
export function routingOf(rolling: Rolling): Routing | undefined {
  const { host, params, context } = rolling
  const { route } = params
  if (route === null) return undefined
  const site: Site = { host, route, context }
  /** What the containers themselves said tells more than the proxy's answer. */
  const whileVerified = async (containers: readonly Container[], work: () => Promise<void>) => {
    try {
      await work()
    } catch (error) {
      throw await notAnswering(rolling, containers, error)
    }
  }
  const send = (containers: readonly Container[]) => publish(site, upstreamsOf(containers))
  return {
    async serve(containers, fresh = []) {
      // The first time there is no route to swap; settings that changed since are the `edge` task's.
      const isNew = route.provider === 'caddy' && (await edgeState(site)).routes[route.key]?.config === undefined
      if (isNew) await configureCaddy(site)
      // One after another: an answer must say which of them it is from.
      if (route.provider === 'caddy') for (const container of fresh) await whileVerified([container], () => tryOut(site, container))
      await send(containers)
      if (route.provider !== 'caddy') await whileVerified(fresh, () => verify(site))
      context.log(`requests go to ${containers.map(({ name }) => name).join(', ')}`)
    },
    async restore(containers) {
      host.changed()
      if ((await edgeState(site)).routes[route.key]?.config !== undefined) await send(containers)
    },
    prepare: (outgoing) => keepAssets(site, outgoing),
    async retire(container, fallen) {
      const left = await drain(site, container.id, fallen)
      if (!fallen.aborted && left > 0 && Number.isFinite(left))
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

async function notAnswering({ host, params, context }: Rolling, containers: readonly Container[], error: unknown): Promise<unknown> {
  if (!(error instanceof TaskFailure) || error.failure.reason !== 'unhealthy' || context.signal.aborted) return error
  const said = await Promise.all(containers.map(({ id }) => host.engine.logs(id, 20).catch((): readonly string[] => [])))
  const subject = `${params.service} on ${host.name}`
  const message = `the new container of ${subject} does not answer: ${error.failure.message}`
  return new TaskFailure({ ...error.failure, subject, message, output: said.flat() }, { cause: error })
}
