/** One look at a host's proxy and at the files that tell it where requests for this environment go: nothing on the host changes. */
import { parse } from 'yaml'
import { type CaddyParts, fragmentText, parseFragment, partsOf } from '../../../tasks/edge/caddy-config.ts'
import type { CaddyFragment } from '../../../tasks/edge/caddy-route.ts'
import { assembledFile, liveFolder, liveLink, routeFile, serviceOf, setFolder } from '../../../tasks/edge/layout.ts'
import type { EdgeProvider } from '../../../tasks/edge/route.ts'
import { isAsSealed } from '../../../tasks/edge/sealed-text.ts'
import type { EdgeState, RouteFiles } from '../../../tasks/ports/edge.ts'
import type { Host } from '../../../tasks/ports.ts'

/** Against what a deploy last wrote. */
export type FileState = 'as written' | 'edited' | 'missing'

export interface RouteLook {
  readonly service: string
  /** Absolute, on the host. */
  readonly file: string
  readonly fileState: FileState
  /** A maintenance page is in the way of users. */
  readonly isPaused: boolean
  /** Where requests go on this host; undefined where they only pass through, or when it cannot be told. */
  readonly targets?: Targets
}

export interface Targets {
  /** What says so, absolute, on the host. */
  readonly place: string
  /** Names of containers, sorted; undefined when `place` is missing or leads elsewhere. */
  readonly containers: readonly string[] | undefined
}

export interface EdgeLook {
  readonly proxy: 'running' | 'stopped' | 'missing'
  /** The one file that Caddy starts with; Traefik has none. */
  readonly assembled?: { readonly file: string; readonly fileState: FileState }
  /** Sorted by service. */
  readonly routes: readonly RouteLook[]
}

/** @returns undefined where nothing of this environment is routed. @throws TaskFailure when the host does not answer. */
export async function lookAtEdge(host: Host): Promise<EdgeLook | undefined> {
  const state = (await host.observe()).edge
  const routes = Object.entries(state?.routes ?? {}).sort(([a], [b]) => (a < b ? -1 : 1))
  if (!state || routes.length === 0) return undefined
  const provider: EdgeProvider = (await isTraefik(host, state, routes)) ? 'traefik' : 'caddy'
  const fileState = assembledState(state)
  const text = provider === 'caddy' && fileState === 'as written' ? await readText(host, assembledFile) : undefined
  const parts = text === undefined ? undefined : partsOf(text)
  const look = (key: string, files: RouteFiles) =>
    provider === 'caddy' ? caddyLook(host, key, files, parts) : traefikLook(host, key, files)
  return {
    proxy: state.proxy ? (state.proxy.isRunning ? 'running' : 'stopped') : 'missing',
    ...(provider === 'caddy' && { assembled: { file: `${host.edge.directory}/${assembledFile}`, fileState } }),
    routes: await Promise.all(routes.map(([key, files]) => look(key, files))),
  }
}

/** As its label says; without a proxy, as a file says that only Traefik reads. */
async function isTraefik(host: Host, { proxy }: EdgeState, routes: readonly (readonly [string, RouteFiles])[]): Promise<boolean> {
  const named = proxy?.labels['provider']
  if (named !== undefined) return named === 'traefik'
  const found = await Promise.all(routes.map(([key]) => host.edge.files.exists(routeFile('traefik', key))))
  return found.includes(true)
}

function assembledState({ assembled, recorded }: EdgeState): FileState {
  if (assembled === undefined) return 'missing'
  return assembled === recorded ? 'as written' : 'edited'
}

/** The service's own file is kept beside the assembled one, which has the same part in it. */
async function caddyLook(host: Host, key: string, files: RouteFiles, parts: CaddyParts | undefined): Promise<RouteLook> {
  const path = routeFile('caddy', key)
  const [text, containers] = await Promise.all([readText(host, path), liveContainers(host, key, files.live)])
  const part = parts?.get(key)
  const isSame = parts === undefined || text === fragmentText(part ?? nothing)
  const fragment = part ?? parseFragment(text ?? '')
  return {
    ...lookOf(host, key, path, files),
    // A page may be there without a route.
    fileState: text === undefined ? (part || files.live !== undefined ? 'missing' : 'as written') : isSame ? 'as written' : 'edited',
    // Only where there are containers does the inner server know the service.
    ...(fragment?.routes.inner && { targets: { place: `${host.edge.directory}/${liveLink(key)}`, containers } }),
  }
}

/** What is read of a service that has no part. */
const nothing: CaddyFragment = { routes: {}, automated: [], certificates: [] }

async function liveContainers(host: Host, key: string, live: string | undefined): Promise<readonly string[] | undefined> {
  if (!live?.startsWith(`${setFolder}/${key}-`)) return undefined
  const names = await host.edge.files.list(`${liveFolder}/${live}`)
  return unique(names.flatMap((name) => /^.@(.+):\d+$/.exec(name)?.[1] ?? []))
}

async function traefikLook(host: Host, key: string, files: RouteFiles): Promise<RouteLook> {
  const path = routeFile('traefik', key)
  const text = await readText(host, path)
  const look = lookOf(host, key, path, files)
  if (text === undefined) return { ...look, fileState: 'missing' }
  if (!isAsSealed(text)) return { ...look, fileState: 'edited' }
  const { http } = parse(text) as TraefikFile
  const servers = http.services[key]?.loadBalancer.servers
  const containers = servers && unique(servers.map(({ url }) => new URL(url).hostname))
  return { ...look, fileState: 'as written', ...(containers && { targets: { place: look.file, containers } }) }
}

/** As far as it is read here (`traefik-route.ts`). */
interface TraefikFile {
  readonly http: {
    readonly services: Readonly<Record<string, { readonly loadBalancer: { readonly servers: readonly { readonly url: string }[] } }>>
  }
}

function lookOf(host: Host, key: string, path: string, { isPaused }: RouteFiles): Pick<RouteLook, 'service' | 'file' | 'isPaused'> {
  return { service: serviceOf(key), file: `${host.edge.directory}/${path}`, isPaused }
}

function unique(names: readonly string[]): readonly string[] {
  return [...new Set(names)].sort()
}

async function readText(host: Host, path: string): Promise<string | undefined> {
  const bytes = await host.edge.files.read(path)
  return bytes && Buffer.from(bytes).toString('utf8')
}
