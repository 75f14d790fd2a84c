/** What a deployment's routed services need at the edge: a proxy on each machine, and each service's place in it. Pure. */
import { isIP } from 'node:net'
import type { JsonObject, Task, TaskId } from '../../graph/types.ts'
import { edgeLabel, routeKey } from '../../tasks/edge/layout.ts'
import type { Route } from '../../tasks/edge/route.ts'
import type { EdgeParams } from '../../tasks/edge.ts'
import type { FinalizeParams } from '../../tasks/finalize.ts'
import type { ProxyParams } from '../../tasks/proxy.ts'
import type { DeployedEdge, Deployment, Service, ServiceRoute } from '../contracts.ts'
import { hostsInScope, type Scope } from './fleet-part.ts'

/** In the Compose file of the environment: a network of its own, so that environments of one machine do not see each other through the edge. */
const networkName = 'stagecraft-edge'

/** Names of hosts with a proxy, sorted: those users reach, and those with a routed service. */
export function proxyHosts({ edge, services }: Pick<Deployment, 'edge' | 'services'>): readonly string[] {
  if (!edge) return []
  return [...new Set([...edge.gateways, ...services.flatMap(({ route, hosts }) => (route ? hosts : []))])].sort()
}

export function proxyTasks(deployment: Deployment, scope: Scope): Task[] {
  const { edge } = deployment
  if (!edge) return []
  const hosts = proxyHosts(deployment).filter((host) => scope.hosts.includes(host))
  return hosts.map((host) => {
    const params: ProxyParams = {
      host,
      owner: `${deployment.project}.${deployment.environment}`,
      provider: edge.provider,
      image: edge.image,
      directory: deployment.edgeDirectory,
      innerPort: edge.innerPort,
      innerAddress: isAsked(host, deployment, edge) ? (edge.innerAddresses[host] ?? null) : null,
      gateways: gatewayAddresses(deployment, edge),
      emailSecret: edge.acmeEmailEnv ?? null,
      acmeServer: edge.acmeServer ?? null,
      routes: edge.provider === 'caddy' ? routesOn(host, deployment, scope) : [],
    }
    return { id: id('proxy', host), kind: 'proxy', params, needs: [], after: [] }
  })
}

function routesOn(host: string, deployment: Deployment, scope: Scope): Route[] {
  const { edge, services } = deployment
  const here = services.filter((service) => scope.isRolled(service.name) && (service.hosts.includes(host) || edge?.gateways.includes(host)))
  return here.flatMap((service) => routeOn(host, service, deployment) ?? [])
}

/** After the rollouts of the service everywhere: a gateway sends nobody to a machine that is not ready. */
export function edgeTasks(deployment: Deployment, scope: Scope): Task[] {
  const { edge } = deployment
  if (!edge) return []
  return deployment.services.flatMap((service) => {
    if (!service.route || !scope.isRolled(service.name)) return []
    const rolled = hostsInScope(service, scope)
    const rollouts = rolled.map((host) => id('rollout', service.name, host))
    const hosts = [...new Set([...service.hosts, ...edge.gateways])].filter((host) => scope.hosts.includes(host)).sort()
    return hosts.map((host): Task => {
      const isLocal = service.hosts.includes(host)
      const route = routeOn(host, service, deployment)
      if (!route) throw new Error(`${service.name} has no route`)
      const render = isLocal ? id('render', host) : undefined
      const params: EdgeParams = { service: service.name, host, render: render ?? null, replicas: service.replicas, route }
      const inner = isLocal ? [] : rolled.map((other) => id('edge', service.name, other))
      const after = [id('proxy', host), ...rollouts, ...inner]
      return {
        id: id('edge', service.name, host),
        kind: 'edge',
        params,
        needs: render ? [render] : [],
        after,
        ...(service.origin && { origin: service.origin }),
      }
    })
  })
}

/** Keys of the routes each host should have; null for an environment that routes nothing. */
export function wantedRoutes(deployment: Deployment): FinalizeParams['edge'] {
  const { edge, hosts, services, project, environment } = deployment
  if (!edge) return null
  const routed = services.filter(({ route }) => route !== undefined)
  const on = (host: string) => routed.filter((service) => service.hosts.includes(host) || edge.gateways.includes(host))
  const keys = hosts.map(({ name }) => [name, on(name).map((service) => routeKey(project, environment, service.name))] as const)
  return { innerPort: edge.innerPort, routes: Object.fromEntries(keys) }
}

/** What the edge of one host is told about a service; undefined for one without a route. */
export function routeOn(host: string, service: Service, deployment: Deployment): Route | undefined {
  const { edge, project, environment, composeProject } = deployment
  if (!edge || !service.route) return undefined
  const { domains, redirects, path, hsts, basicAuth, drainSeconds, assets } = service.route
  const isGateway = edge.gateways.includes(host)
  const isLocal = service.hosts.includes(host)
  const peers = service.hosts.map((other) => peerAddress(other, host, deployment, edge))
  const isSplit = service.hosts.some((other) => !edge.gateways.includes(other)) || !isLocal
  return {
    provider: edge.provider,
    key: routeKey(project, environment, service.name),
    network: `${composeProject}_${networkName}`,
    domains: [...domains],
    path,
    tls: tlsOf(service.route, edge),
    hsts,
    redirects: [...redirects],
    basicAuth: basicAuth ?? null,
    assets: assets ? { ...assets } : null,
    open: !isGateway ? null : isSplit ? { peers } : 'local',
    isLocal,
    gateways: gatewayAddresses(deployment, edge).filter((address) => isIP(address) !== 0),
    innerPort: edge.innerPort,
    drainSeconds,
    verify: { path: service.health?.path ?? path, expectedStatus: service.health?.expectedStatus ?? null },
  }
}

function tlsOf({ tls }: ServiceRoute, edge: DeployedEdge): Route['tls'] {
  if (tls.mode === 'files') return { mode: 'files', certificateSecret: `file:${tls.certificate}`, keySecret: `file:${tls.key}` }
  return tls.mode === 'acme' ? { mode: 'acme', emailSecret: edge.acmeEmailEnv ?? null, server: edge.acmeServer ?? null } : { mode: 'none' }
}

/** A proxy reaches itself without leaving its container. */
function peerAddress(other: string, from: string, deployment: Deployment, edge: DeployedEdge): string {
  const address =
    other === from ? '127.0.0.1' : (edge.innerAddresses[other] ?? deployment.hosts.find(({ name }) => name === other)?.address ?? other)
  return `${address.includes(':') ? `[${address}]` : address}:${edge.innerPort}`
}

/** Does another machine's proxy send requests to this one? */
function isAsked(host: string, { services }: Deployment, { gateways }: DeployedEdge): boolean {
  const isServed = services.some(({ route, hosts }) => route !== undefined && hosts.includes(host))
  const asking = gateways.filter((gateway) => gateway !== host)
  return (
    isServed &&
    asking.length > 0 &&
    services.some((service) => service.route && service.hosts.includes(host) && isBehind(service, gateways))
  )
}

function isBehind({ hosts }: Service, gateways: readonly string[]): boolean {
  return hosts.some((host) => !gateways.includes(host)) || gateways.some((gateway) => !hosts.includes(gateway))
}

function gatewayAddresses(deployment: Deployment, { gateways, innerAddresses }: DeployedEdge): string[] {
  const named = gateways.map((name) => innerAddresses[name] ?? deployment.hosts.find((host) => host.name === name)?.address ?? name)
  return [...new Set(named)].sort()
}

/** A routed service's definition, in the environment's network for requests and labelled with its port. Others stay as they are. */
export function withEdgeNetwork(service: Service): JsonObject {
  const { definition, route } = service
  if (!route) return definition
  const { networks: given, labels } = definition
  const networks = Array.isArray(given)
    ? [...given, networkName]
    : { ...(typeof given === 'object' && given !== null ? given : { default: null }), [networkName]: null }
  const port = String(route.port)
  const labelled = Array.isArray(labels)
    ? [...labels, `stagecraft.port=${port}`]
    : { ...(typeof labels === 'object' && labels !== null ? labels : {}), 'stagecraft.port': port }
  return { ...definition, networks, labels: labelled } as JsonObject
}

/** Compose's top level with that network, which is only made where a service uses it. */
export function withNetwork(topLevel: JsonObject, { edge }: Pick<Deployment, 'edge'>): JsonObject {
  if (!edge) return topLevel
  const given = topLevel['networks']
  const networks = typeof given === 'object' && given !== null && !Array.isArray(given) ? given : {}
  return { ...topLevel, networks: { ...networks, [networkName]: { labels: { [`${edgeLabel}.network`]: 'true' } } } }
}

function id(kind: string, subject: string, host?: string): TaskId {
  return `${kind}:${subject}${host === undefined ? '' : `@${host}`}` as TaskId
}
