/** What Traefik is started with (https://doc.traefik.io/traefik/getting-started/configuration-overview/), version 3. Pure. */
import type { JsonObject } from '../../graph/types.ts'
import { mountPoint, ports, routeFolder } from './layout.ts'
import { traefikNames } from './traefik-route.ts'

export interface TraefikStatic {
  readonly innerPort: number
  /** Addresses of machines whose forwarded headers are believed. */
  readonly gateways: readonly string[]
  readonly email?: string
}

export function traefikStatic({ innerPort, gateways, email }: TraefikStatic): JsonObject {
  return {
    global: { checkNewVersion: false, sendAnonymousUsage: false },
    log: { level: 'WARN' },
    // On the container's own loopback; no dashboard.
    api: { insecure: false, dashboard: false },
    entryPoints: {
      [traefikNames.http]: { address: `:${ports.http}` },
      [traefikNames.https]: { address: `:${ports.https}` },
      [traefikNames.inner]: { address: `:${innerPort}`, ...(gateways.length > 0 && { forwardedHeaders: { trustedIPs: [...gateways] } }) },
      api: { address: '127.0.0.1:8080' },
    },
    providers: {
      // A swap takes this long at most; the default is 2 s.
      providersThrottleDuration: '100ms',
      file: { directory: `${mountPoint}/${routeFolder}`, watch: true },
    },
    certificatesResolvers: {
      [traefikNames.resolver]: {
        acme: { ...(email !== undefined && { email }), storage: '/data/acme.json', httpChallenge: { entryPoint: traefikNames.http } },
      },
    },
  }
}

/** The API's own router, in a file of its own beside those of services. */
export function traefikApiRoute(): JsonObject {
  return { http: { routers: { 'stagecraft-api': { entryPoints: ['api'], rule: 'PathPrefix(`/api`)', service: 'api@internal' } } } }
}
