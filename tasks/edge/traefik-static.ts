/** What Traefik is started with (https://doc.traefik.io/traefik/getting-started/configuration-overview/), version 3. Pure. */
import type { JsonObject } from '../../graph/types.ts'
import { mountPoint, ports, routeFolder } from './layout.ts'
import type { ProxyNeeds } from './needs.ts'
import { innerName, resolverName, traefikNames } from './traefik-route.ts'

/** One entry point for each inner port, and one resolver for each account certificates are asked for under. */
export function traefikStatic({ ports: innerPorts, gateways, accounts }: Omit<ProxyNeeds, 'published'>): JsonObject {
  const inner = (port: number): JsonObject => ({
    address: `:${port}`,
    ...(gateways.length > 0 && { forwardedHeaders: { trustedIPs: [...gateways] } }),
  })
  const resolver = (account?: string): JsonObject => {
    const [email = '', server] = (account ?? '').split(' ')
    return {
      acme: {
        ...(email !== '' && { email }),
        ...(server !== undefined && { caServer: server }),
        storage: `/data/${resolverName(account)}.json`,
        httpChallenge: { entryPoint: traefikNames.http },
      },
    }
  }
  return {
    global: { checkNewVersion: false, sendAnonymousUsage: false },
    log: { level: 'WARN' },
    // On the container's own loopback; no dashboard.
    api: { insecure: false, dashboard: false },
    entryPoints: {
      [traefikNames.http]: { address: `:${ports.http}` },
      [traefikNames.https]: { address: `:${ports.https}` },
      ...Object.fromEntries(innerPorts.map((port) => [innerName(port), inner(port)])),
      api: { address: '127.0.0.1:8080' },
    },
    providers: {
      // A swap takes this long at most; the default is 2 s.
      providersThrottleDuration: '100ms',
      file: { directory: `${mountPoint}/${routeFolder}`, watch: true },
    },
    certificatesResolvers: Object.fromEntries([undefined, ...accounts].map((account) => [resolverName(account), resolver(account)])),
  }
}

/** The API's own router, in a file of its own beside those of services. */
export function traefikApiRoute(): JsonObject {
  return { http: { routers: { 'stagecraft-api': { entryPoints: ['api'], rule: 'PathPrefix(`/api`)', service: 'api@internal' } } } }
}
