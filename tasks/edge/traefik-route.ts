/** One service's file for Traefik's file provider (https://doc.traefik.io/traefik/providers/file/), version 3. Pure. */
import type { Json, JsonObject } from '../../graph/types.ts'
import type { RouteSecrets } from './caddy-route.ts'
import { certificateFolder, mountPoint } from './layout.ts'
import { accountDigest, accountOf } from './needs.ts'
import type { Route, Upstream } from './route.ts'
import { sealed } from './sealed-text.ts'
import { openRouteSecrets } from './secrets.ts'
import type { Site } from './site.ts'
import { renderYaml } from './yaml.ts'

/** Entry points, as `traefik-static.ts` names them. */
export const traefikNames = { http: 'http', https: 'https' } as const

export function innerName(port: number): string {
  return `inner-${port}`
}

/** Of the resolver that asks for certificates under an account (`accountOf`). */
export function resolverName(account?: string): string {
  return account === undefined ? 'acme' : `acme-${accountDigest(account)}`
}

/** @returns the text of the service's own file: there is no other copy, so it tells itself whether it was edited. */
export function traefikText({ route, context }: Site, upstreams: readonly Upstream[]): string {
  return sealed(renderYaml(traefikRoute(route, openRouteSecrets(route, context.ports.secrets), upstreams)))
}

export function serverUrl({ name, port }: Upstream): string {
  return `http://${name}:${port}`
}

export function traefikRoute(route: Route, secrets: RouteSecrets, upstreams: readonly Upstream[]): JsonObject {
  const { key, tls } = route
  const secure = tls.mode !== 'none'
  const resolver = tls.mode === 'acme' ? resolverName(accountOf(secrets.email, tls.server)) : ''
  const guards = middlewares(route, secrets)
  const names = Object.keys(guards)
  const mine = rule(route, route.domains)
  const routers: Record<string, JsonObject> = {}
  if (route.open !== null) {
    const service = route.open === 'local' ? key : `${key}-peers`
    routers[key] = {
      entryPoints: [secure ? traefikNames.https : traefikNames.http],
      rule: mine,
      service,
      ...(names.length > 0 && { middlewares: names }),
      ...(tls.mode === 'acme' && { tls: { certResolver: resolver } }),
      ...(tls.mode === 'files' && { tls: {} }),
    }
    if (secure) {
      const all = rule(route, [...route.domains, ...route.redirects])
      routers[`${key}-secured`] = { entryPoints: [traefikNames.http], rule: all, service: 'noop@internal', middlewares: [`${key}-secured`] }
    }
    if (route.redirects.length > 0) {
      routers[`${key}-elsewhere`] = {
        entryPoints: [secure ? traefikNames.https : traefikNames.http],
        rule: rule({ ...route, path: '/' }, route.redirects),
        service: 'noop@internal',
        middlewares: [`${key}-elsewhere`],
        ...(tls.mode === 'acme' && { tls: { certResolver: resolver } }),
        ...(tls.mode === 'files' && { tls: {} }),
      }
    }
  }
  if (route.isLocal) {
    const auth = names.filter((name) => name.endsWith('-auth'))
    routers[`${key}-inner`] = {
      entryPoints: [innerName(route.innerPort)],
      rule: mine,
      service: key,
      ...(auth.length > 0 && { middlewares: auth }),
    }
  }
  const allMiddlewares = { ...guards, ...redirections(route) }
  const folder = `${mountPoint}/${certificateFolder}/${key}-${secrets.certificate}`
  return {
    http: {
      routers,
      services: services(route, upstreams),
      ...(Object.keys(allMiddlewares).length > 0 && { middlewares: allMiddlewares }),
      serversTransports: { [key]: { forwardingTimeouts: { dialTimeout: '2s', idleConnTimeout: '1s' } } },
    },
    ...(tls.mode === 'files' && { tls: { certificates: [{ certFile: `${folder}/certificate.pem`, keyFile: `${folder}/key.pem` }] } }),
  }
}

function rule({ path }: Pick<Route, 'path'>, domains: readonly string[]): string {
  const hosts = domains.map((domain) => `Host(\`${domain}\`)`).join(' || ')
  return path === '/' ? hosts : `(${hosts}) && (Path(\`${path}\`) || PathPrefix(\`${path}/\`))`
}

function services(route: Route, upstreams: readonly Upstream[]): JsonObject {
  const balancer = (urls: readonly string[]): Json => ({
    loadBalancer: { servers: urls.map((url) => ({ url })), serversTransport: route.key, passHostHeader: true },
  })
  return {
    ...(route.isLocal && { [route.key]: balancer(upstreams.map(serverUrl).sort()) }),
    ...(typeof route.open === 'object' &&
      route.open !== null && { [`${route.key}-peers`]: balancer(route.open.peers.map((peer) => `http://${peer}`)) }),
  }
}

function middlewares({ key, hsts, tls, basicAuth, open }: Route, { accounts }: RouteSecrets): Record<string, JsonObject> {
  const retries = typeof open === 'object' && open !== null
  return {
    ...(hsts && tls.mode !== 'none' && { [`${key}-hsts`]: { headers: { stsSeconds: 31536000 } } }),
    ...(basicAuth !== null && { [`${key}-auth`]: { basicAuth: { users: accounts.map(({ username, hash }) => `${username}:${hash}`) } } }),
    ...(retries && { [`${key}-retry`]: { retry: { attempts: 3, initialInterval: '100ms' } } }),
  }
}

function redirections({ key, domains, redirects, tls, open }: Route): Record<string, JsonObject> {
  if (open === null) return {}
  const scheme = tls.mode === 'none' ? 'http' : 'https'
  const target = `${scheme}://${domains[0]}\${1}`
  return {
    ...(tls.mode !== 'none' && { [`${key}-secured`]: { redirectScheme: { scheme: 'https', permanent: true } } }),
    ...(redirects.length > 0 && {
      [`${key}-elsewhere`]: { redirectRegex: { regex: '^https?://[^/]+(.*)', replacement: target, permanent: true } },
    }),
  }
}
