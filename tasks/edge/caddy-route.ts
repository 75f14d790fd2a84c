/**
 * One service's part of Caddy's configuration (https://caddyserver.com/docs/json/), for 2.6.2 and later. Pure. Which containers
 * serve is not in it: Caddy looks that up in the service's live folder for every request (`shares.ts`).
 */
import type { Json, JsonObject } from '../../graph/types.ts'
import { assetFolder, certificateFolder, liveFolder, maintenanceFolder, mountPoint, trialKey } from './layout.ts'
import type { Route } from './route.ts'
import { otherShare, shares } from './shares.ts'

export type CaddyServer = 'http' | 'https' | 'inner'

export interface CaddyFragment {
  readonly routes: Readonly<Partial<Record<CaddyServer, readonly JsonObject[]>>>
  /** Domains whose certificates Caddy gets by itself. */
  readonly automated: readonly { readonly subjects: readonly string[]; readonly email?: string; readonly ca?: string }[]
  readonly certificates: readonly { readonly certificate: string; readonly key: string }[]
}

/** Values that are not in a task's parameters. */
export interface RouteSecrets {
  readonly email?: string
  /** Name and bcrypt hash. */
  readonly accounts: readonly { readonly username: string; readonly hash: string }[]
  /** Names the folder that holds a given certificate, so that another certificate is another configuration. */
  readonly certificate?: string
}

/** Asks the inner port, under this name, what the proxy sees in a live folder. */
export function liveHost(key: string): string {
  return `${key.toLowerCase()}.live.stagecraft.invalid`
}

/** Asks the inner port, under this name, for the service as containers would answer that no user has met yet. */
export function trialHost(key: string): string {
  return `${key.toLowerCase()}.trial.stagecraft.invalid`
}

/** Idle connections to containers end soon, so that one left alone shows as one without connections. */
const idleSeconds = 1

export function caddyRoute(route: Route, secrets: RouteSecrets): CaddyFragment {
  const open = route.open === null ? [] : [serve(route, [...paused(route), ...guarded(route, secrets), ...toOpen(route)])]
  const server = route.tls.mode === 'none' ? 'http' : 'https'
  const elsewhere = route.open === null ? [] : redirects(route)
  const toSecure = open.length > 0 && server === 'https' ? [secured(route)] : []
  const inner = route.isLocal ? [peek(route), trial(route), serve(route, [...guarded(route, secrets), containers(route, route.key)])] : []
  const { tls, key } = route
  const routes: Record<CaddyServer, readonly JsonObject[]> = {
    http: server === 'http' ? [...open, ...elsewhere] : toSecure,
    https: server === 'https' ? [...open, ...elsewhere] : [],
    inner,
  }
  const folder = `${mountPoint}/${certificateFolder}/${key}-${secrets.certificate}`
  const subjects = [...route.domains, ...route.redirects]
  return {
    routes: Object.fromEntries(Object.entries(routes).filter(([, list]) => list.length > 0)),
    automated:
      tls.mode === 'acme' && route.open !== null
        ? [{ subjects, ...(secrets.email && { email: secrets.email }), ...(tls.server !== null && { ca: tls.server }) }]
        : [],
    certificates:
      tls.mode === 'files' && route.open !== null ? [{ certificate: `${folder}/certificate.pem`, key: `${folder}/key.pem` }] : [],
  }
}

function matching({ domains, redirects: others, path }: Route): JsonObject {
  return { host: [...domains, ...others], ...(path !== '/' && { path: [path, `${path}/*`] }) }
}

function serve(route: Route, handlers: readonly JsonObject[]): JsonObject {
  return { match: [{ ...matching(route), host: [...route.domains] }], handle: [subroute(handlers)], terminal: true }
}

function subroute(handlers: readonly JsonObject[]): JsonObject {
  return { handler: 'subroute', routes: handlers.map((handler) => ('handle' in handler ? handler : { handle: [handler] })) }
}

function secured(route: Route): JsonObject {
  const headers = { Location: ['https://{http.request.host}{http.request.uri}'] }
  return { match: [matching(route)], handle: [{ handler: 'static_response', status_code: 308, headers }], terminal: true }
}

function redirects(route: Route): JsonObject[] {
  if (route.redirects.length === 0) return []
  const scheme = route.tls.mode === 'none' ? 'http' : 'https'
  const headers = { Location: [`${scheme}://${route.domains[0]}{http.request.uri}`] }
  const handle = [{ handler: 'static_response', status_code: 308, headers }]
  return [{ match: [{ host: [...route.redirects] }], handle, terminal: true }]
}

/** A page that is there is in the way of everything. */
function paused({ key }: Route): JsonObject[] {
  const root = `${mountPoint}/${maintenanceFolder}`
  const headers = { 'Retry-After': ['60'], 'Cache-Control': ['no-store'] }
  return [
    {
      match: [{ file: { root, try_files: [`/${key}.html`] } }],
      handle: [
        { handler: 'headers', response: { set: headers } },
        { handler: 'rewrite', method: 'GET', uri: '{http.matchers.file.relative}' },
        { handler: 'file_server', root, status_code: 503 },
      ],
      terminal: true,
    },
  ]
}

function guarded({ basicAuth, hsts, tls }: Route, { accounts }: RouteSecrets): JsonObject[] {
  const strict = { handler: 'headers', response: { set: { 'Strict-Transport-Security': ['max-age=31536000'] } } }
  const provider = { accounts: accounts.map(({ username, hash }) => ({ username, password: hash })), hash: { algorithm: 'bcrypt' } }
  return [
    ...(hsts && tls.mode !== 'none' ? [strict] : []),
    ...(basicAuth === null ? [] : [{ handler: 'authentication', providers: { http_basic: provider } }]),
  ]
}

function toOpen(route: Route): JsonObject[] {
  if (route.open === null) return []
  return [route.open === 'local' ? containers(route, route.key) : peers(route, route.open.peers)]
}

/**
 * Other machines' inner ports. Who cannot be reached is left out for a while, and the request goes to another; who is reached and
 * does not answer (its programs stopped, its network gone) is found by asking each for its live folder, and left out until it answers.
 */
function peers(route: Route, addresses: readonly string[]): JsonObject {
  return {
    ...proxying(route),
    upstreams: addresses.map((dial) => ({ dial })),
    health_checks: {
      passive: { fail_duration: '10s', max_fails: 1 },
      active: { uri: '/', headers: { Host: [liveHost(route.key)] }, interval: '2s', timeout: '2s', expect_status: 200, expect_body: '@' },
    },
  }
}

function proxying(route: Route): JsonObject {
  return {
    handler: 'reverse_proxy',
    load_balancing: { selection_policy: { policy: 'random' }, try_duration: '5s', try_interval: '100ms' },
    transport: { protocol: 'http', dial_timeout: '2s', keep_alive: { idle_timeout: `${idleSeconds}s`, max_idle_conns_per_host: 64 } },
    ...(route.gateways.length > 0 && { trusted_proxies: [...route.gateways] }),
  }
}

/** This machine's containers: the request's share and its fallback are looked up, then tried until one answers. */
function containers(route: Route, key: string): JsonObject {
  const root = `${mountPoint}/${liveFolder}/${key}`
  // Twice: Caddy lists the folder and then looks at the file, and the link may be turned in between.
  const found = (share: string) => [{ file: { root, try_files: [`/${share}@*`, '/-@*', `/${share}@*`, '/-@*'] } }]
  const remember = (name: string) => ({ handler: 'vars', [name]: '{http.matchers.file.relative}' })
  const address = (name: string, into: string) => map(`{http.vars.${name}}`, into, [{ input_regexp: '^/?.@(.*)$', outputs: ['$1'] }])
  return {
    handle: [
      map('{http.request.uuid}', 'sc_share', [{ input_regexp: '^(.).*$', outputs: ['$1'] }]),
      map(
        '{sc_share}',
        'sc_other',
        shares.map((share) => ({ input: share, outputs: [otherShare(share)] })),
      ),
      subroute([
        { match: found('{sc_other}'), handle: [remember('sc_fallback_file')] },
        {
          match: found('{sc_share}'),
          handle: [
            remember('sc_first_file'),
            address('sc_first_file', 'sc_first'),
            address('sc_fallback_file', 'sc_fallback'),
            { ...proxying(route), upstreams: [{ dial: '{sc_first}' }, { dial: '{sc_fallback}' }], ...keptAssets(route) },
          ],
          terminal: true,
        },
        { handler: 'static_response', status_code: 503, headers: { 'Retry-After': ['5'] }, body: 'no container serves this\n' },
      ]),
    ],
  }
}

/** Files of earlier releases, for pages that were loaded before the swap. */
function keptAssets({ assets, key }: Route): JsonObject {
  if (assets === null) return {}
  const root = `${mountPoint}/${assetFolder}/${key}`
  const mine = { path: [`${assets.path}/*`], method: ['GET', 'HEAD'] }
  const fromDisk = {
    match: [{ ...mine, file: { root, try_files: ['/*{http.request.uri.path}'] } }],
    handle: [
      { handler: 'rewrite', uri: '{http.matchers.file.relative}' },
      { handler: 'file_server', root },
    ],
    terminal: true,
  }
  return { handle_response: [{ match: { status_code: [404] }, routes: [fromDisk, { handle: [{ handler: 'copy_response' }] }] }] }
}

function trial(route: Route): JsonObject {
  const named = { handler: 'headers', request: { set: { Host: [route.domains[0] ?? ''] } } }
  return { match: [{ host: [trialHost(route.key)] }], handle: [subroute([named, containers(route, trialKey(route.key))])], terminal: true }
}

function peek({ key }: Route): JsonObject {
  const file = { root: `${mountPoint}/${liveFolder}/${key}`, try_files: [`/${shares[0]}@*`, '/-@*'] }
  const answer = (body: string) => ({ handler: 'static_response', status_code: 200, body })
  const routes: Json[] = [
    { match: [{ file }], handle: [answer('{http.matchers.file.relative}')], terminal: true },
    { handle: [answer('none')] },
  ]
  return { match: [{ host: [liveHost(key)] }], handle: [{ handler: 'subroute', routes }], terminal: true }
}

function map(source: string, into: string, mappings: readonly JsonObject[]): JsonObject {
  return { handler: 'map', source, destinations: [`{${into}}`], mappings: [...mappings] }
}
