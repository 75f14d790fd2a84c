/** What a host's edge looks like: its files in one burst of requests, its proxy from the container list. */
import { createHash } from 'node:crypto'
import { posix } from 'node:path'
import { assembledFile, edgeLabel, liveLink, maintenancePage, recordedLink, routeFileName, routeFolder } from '../../tasks/edge/layout.ts'
import type { EdgeProvider } from '../../tasks/edge/route.ts'
import type { EdgeState, ProxyContainer, RouteFiles } from '../../tasks/ports/edge.ts'
import { type ContainerRow, containerState } from './container-state.ts'
import { absentIs, linkTarget } from './sftp-absent.ts'
import { readWhole } from './sftp-files.ts'
import type { Sftp } from './ssh-sftp.ts'

export interface EdgeScope {
  /** Absolute, on the host. */
  readonly directory: string
  readonly provider: EdgeProvider
  /** Keys that are wanted on some host; others that begin with `prefix` are found too. */
  readonly keys: readonly string[]
  /** `<project>.<environment>.` */
  readonly prefix: string
}

/** The `filters` parameter that finds the proxy. */
export const proxyFilter: Readonly<Record<string, readonly string[]>> = { label: [edgeLabel] }

export function proxyOf(rows: readonly ContainerRow[]): ProxyContainer | undefined {
  const sorted = [...rows].sort((a, b) => Number(b.State === 'running') - Number(a.State === 'running'))
  const row = sorted[0]
  if (!row) return undefined
  const networks = Object.entries(row.NetworkSettings?.Networks ?? {})
  const address = networks.map(([, network]) => network?.IPAddress).find((found) => found)
  const labels = Object.entries(row.Labels ?? {}).filter(([name]) => name.startsWith(`${edgeLabel}.`))
  return {
    id: row.Id,
    image: row.Image ?? '',
    isRunning: containerState(row.State) === 'running',
    labels: Object.fromEntries(labels.map(([name, value]) => [name.slice(edgeLabel.length + 1), value])),
    networks: networks.map(([name]) => name).sort(),
    ...(address ? { address } : {}),
  }
}

/** All requests go out together, but for what was left of earlier routes. */
export async function readEdgeFiles(sftp: Sftp, scope: EdgeScope): Promise<Omit<EdgeState, 'proxy'>> {
  const at = (path: string) => posix.join(scope.directory, path)
  const [names, wanted, assembled, recorded] = await Promise.all([
    sftp.entries(at(routeFolder)).then((entries) => entries.map(({ name }) => name), absentIs<string[]>([])),
    Promise.all(scope.keys.map((key) => readRoute(sftp, scope, key))),
    hashOf(sftp, at(assembledFile)),
    linkTarget(sftp, at(recordedLink)),
  ])
  const known = new Set(scope.keys.map((key) => routeFileName(scope.provider, key)))
  const others = names.filter((name) => name.startsWith(scope.prefix) && /\.(json|yml)$/.test(name) && !known.has(name))
  const left = await Promise.all(
    others.map((name) => readRoute(sftp, { ...scope, provider: providerOf(name) }, name.replace(/\.\w+$/, ''))),
  )
  // Of a service whose proxy was another once, the file that is wanted counts.
  const found = [...left, ...wanted].filter(([, files]) => files.config !== undefined || files.live !== undefined || files.isPaused)
  return { routes: Object.fromEntries(found), ...(assembled && { assembled }), ...(recorded && { recorded }) }
}

function providerOf(name: string): EdgeProvider {
  return name.endsWith('.yml') ? 'traefik' : 'caddy'
}

async function readRoute(sftp: Sftp, { directory, provider }: EdgeScope, key: string): Promise<readonly [string, RouteFiles]> {
  const at = (path: string) => posix.join(directory, path)
  const [config, live, isPaused] = await Promise.all([
    hashOf(sftp, at(`${routeFolder}/${routeFileName(provider, key)}`)),
    linkTarget(sftp, at(liveLink(key))),
    sftp.stat(at(maintenancePage(key))).then(() => true, absentIs(false)),
  ])
  return [key, { ...(config && { config }), ...(live && { live }), isPaused }]
}

async function hashOf(sftp: Sftp, path: string): Promise<string | undefined> {
  const bytes = await readWhole(sftp, path)
  return bytes && createHash('sha256').update(bytes).digest('hex')
}
