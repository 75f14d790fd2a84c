/** A routed service's place in the proxy of one machine: its settings, the containers that serve, and that both answer. Repairs what somebody changed by hand. */
import { createHash } from 'node:crypto'
import { z } from 'zod'
import type { ActionResult, TaskId } from '../graph/types.ts'
import { removeOldCertificates, writeCertificates } from './edge/certificates.ts'
import { caddyText, configureCaddy } from './edge/configure-caddy.ts'
import { publish } from './edge/publish.ts'
import { type Route, route, routeSecrets, type Upstream } from './edge/route.ts'
import { shareFolder } from './edge/shares.ts'
import { edgeState, type Site } from './edge/site.ts'
import { traefikText } from './edge/traefik-route.ts'
import { upstreamsOf } from './edge/upstreams.ts'
import { verify } from './edge/verify.ts'
import { faultPoint } from './fault-point.ts'
import { defineTask, type Look, type TaskContext } from './kind.ts'
import { serviceState } from './rolling/decide.ts'

const params = z.lazy(() =>
  z.strictObject({
    service: z.string(),
    host: z.string(),
    /** The task whose definition its containers are of; null on a machine that only passes requests on. */
    render: z.string().nullable(),
    replicas: z.number().int(),
    route,
  }),
)
export type EdgeParams = z.infer<typeof params>

export const edge = defineTask<EdgeParams>({
  name: 'edge',
  version: 1,
  summary: 'sends requests for a service on one machine where they belong',
  freshness: 'effect',
  phase: 'rollout',
  pool: 'host',
  exclusive: true,
  params,
  title: ({ service, host }) => `route ${service} on ${host}`,
  inputs: ({ route }) => ({ secrets: routeSecrets(route) }),
  select: ({ service }, _need, result) => hashIn(result, service) ?? null,
  async observe(params, context): Promise<Look> {
    const site = siteOf(params, context)
    const found = await difference(site, await serving(params, context))
    if (found !== undefined) return { fresh: false, because: { reason: found.reason, detail: found.detail } }
    return { fresh: true, result: resultOf(params.route), detail: `${params.route.domains.join(', ')} answers on ${params.host}` }
  },
  async run(params, context) {
    const site = siteOf(params, context)
    const { host, route } = site
    const upstreams = await serving(params, context)
    // Caddy may have been given it by the rollout; what is as wanted is not loaded again.
    const isForced = (await difference(site, upstreams)) === undefined
    if (route.provider === 'traefik') await writeCertificates(site)
    if (route.isLocal) await publish(site, upstreams)
    if (route.provider === 'caddy' && (isForced || !(await isConfigured(site)))) await configureCaddy(site)
    if (route.provider === 'traefik' && !route.isLocal) await publish(site, upstreams)
    if (route.provider === 'traefik') await removeOldCertificates(site)
    host.changed()
    faultPoint('edge-verified', context)
    if (route.isLocal) await verify(site)
    return resultOf(route)
  },
})

function siteOf({ host, route }: EdgeParams, context: TaskContext): Site {
  return { host: context.ports.host(host), route, context }
}

async function serving({ service, host, render, replicas }: EdgeParams, context: TaskContext): Promise<readonly Upstream[]> {
  if (render === null) return []
  const result = context.needs.get(render as TaskId)
  const hash = result && hashIn(result, service)
  if (hash === undefined) throw new Error(`${render} has no hash of ${service}`)
  const { containers } = await context.ports.host(host).observe()
  return upstreamsOf(serviceState({ service, hash, replicas }, containers).ready)
}

interface Difference {
  readonly reason: 'absent' | 'drift'
  readonly detail: string
}

async function difference(site: Site, upstreams: readonly Upstream[]): Promise<Difference | undefined> {
  const { host, route } = site
  const state = await edgeState(site)
  const files = state.routes[route.key]
  const drift = (detail: string): Difference => ({ reason: 'drift', detail })
  if (files?.config === undefined) return { reason: 'absent', detail: `${host.name} has no route for ${route.key} yet` }
  if (!state.proxy?.isRunning) return drift(`the proxy of ${host.name} does not run`)
  if (files.config !== hashOf(textOf(site, upstreams)))
    return drift(`the route of ${route.key} on ${host.name} has other settings, or was edited`)
  if (route.provider === 'caddy' && (state.assembled === undefined || state.assembled !== state.recorded))
    return drift(`the configuration of the proxy of ${host.name} was edited`)
  if (!route.isLocal) return undefined
  if (!state.proxy.networks.includes(route.network)) return drift(`the proxy of ${host.name} is not in network ${route.network}`)
  if (route.provider === 'caddy' && files.live !== shareFolder(route.key, upstreams))
    return drift(`the proxy of ${host.name} sends requests to other containers of ${route.key}`)
  return undefined
}

async function isConfigured(site: Site): Promise<boolean> {
  site.host.changed()
  const { routes, assembled, recorded } = await edgeState(site)
  return routes[site.route.key]?.config === hashOf(caddyText(site)) && assembled !== undefined && assembled === recorded
}

function textOf(site: Site, upstreams: readonly Upstream[]): string {
  return site.route.provider === 'caddy' ? caddyText(site) : traefikText(site, upstreams)
}

function hashOf(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}

function hashIn(result: ActionResult, service: string): string | undefined {
  const services = result.values['services'] as Readonly<Record<string, { readonly hash: string }>> | undefined
  return services?.[service]?.hash
}

function resultOf({ key, domains }: Route): ActionResult {
  return { files: {}, values: { key, domains: [...domains] } }
}
