/** Where things are in a machine's edge folder, `<path>/edge`. The proxy sees it, read-only, at `/edge`. */
import type { EdgeProvider } from './route.ts'

/** On the proxy's container: which version of its settings it was made from, and what for. */
export const edgeLabel = 'stagecraft.edge'

/** The proxy's own Compose project: one on every machine. */
export const proxyProject = 'stagecraft-edge'
export const proxyService = 'proxy'

/** Where the proxy sees the folder. */
export const mountPoint = '/edge'

export const routeFolder = 'services'
export const liveFolder = 'live'
export const setFolder = '.sets'
export const maintenanceFolder = 'maintenance'
export const certificateFolder = 'certificates'
export const assetFolder = 'assets'
/** What the proxy keeps for itself: certificates it was given by an authority. */
export const dataFolder = 'data'
export const composeFile = 'docker-compose.yml'
/** Who asks the proxy for what (`needs.ts`). */
export const needsFile = 'proxy.json'
/** Caddy reads one file; it is put together from those of all services. */
export const assembledFile = 'caddy.json'
export const recordedLink = 'caddy.json.recorded'

/** Names hold no dots before the service's, so no two services of a machine share a key. */
export function routeKey(project: string, environment: string, service: string): string {
  return `${project}.${environment}.${service}`
}

/** The service of a key. */
export function serviceOf(key: string): string {
  return key.split('.').slice(2).join('.')
}

/** `<project>.<environment>` of a key. */
export function ownerOf(key: string): string {
  return key.split('.').slice(0, 2).join('.')
}

export function routeFileName(provider: EdgeProvider, key: string): string {
  return `${key}.${provider === 'traefik' ? 'yml' : 'json'}`
}

export function routeFile(provider: EdgeProvider, key: string): string {
  return `${routeFolder}/${routeFileName(provider, key)}`
}

export function liveLink(key: string): string {
  return `${liveFolder}/${key}`
}

/** Of the live folder in which containers are tried before users meet them. */
export function trialKey(key: string): string {
  return `${key}.trial`
}

export function maintenancePage(key: string): string {
  return `${maintenanceFolder}/${key}.html`
}

/** Host ports of the proxy are the same inside its container. */
export const ports = { http: 80, https: 443 } as const

/** Bytes hold secrets' hashes; the proxy runs as the user that owns them. */
export const modes = { folder: 0o750, file: 0o600, page: 0o640 } as const
