/** The one file Caddy is started with, put together from the parts of all services on a machine. Pure. */
import { z } from 'zod'
import type { Json, JsonObject } from '../../graph/types.ts'
import type { CaddyFragment, CaddyServer } from './caddy-route.ts'
import { ports } from './layout.ts'

/** Whose the answer to everything nobody serves is. */
const nobody = '-'
const servers = ['http', 'https', 'inner'] as const satisfies readonly CaddyServer[]

/** What is read back of a file this module wrote: every route, policy and certificate says whose it is. */
const marked = z.lazy(() => z.looseObject({ '@id': z.string() }))
const written = z.lazy(() =>
  z.looseObject({
    apps: z.looseObject({
      http: z.looseObject({ servers: z.record(z.string(), z.looseObject({ routes: z.array(marked).default([]) })) }),
      tls: z.looseObject({
        automation: z.looseObject({ policies: z.array(marked) }),
        certificates: z.looseObject({ load_files: z.array(marked) }),
      }),
    }),
  }),
)

/** Parts by the key of their service. */
export type CaddyParts = ReadonlyMap<string, CaddyFragment>

/** The parts a configuration is made of; undefined for a file that is not one of ours any more. */
export function partsOf(text: string): CaddyParts | undefined {
  const parsed = written.safeParse(parseJson(text))
  if (!parsed.success) return undefined
  const { http, tls } = parsed.data.apps
  const parts = new Map<string, { routes: Record<string, JsonObject[]>; automated: Automated[]; certificates: Certificate[] }>()
  const part = (id: string) => {
    const key = id.split('/')[0] ?? ''
    const known = parts.get(key) ?? { routes: {}, automated: [], certificates: [] }
    parts.set(key, known)
    return known
  }
  for (const server of servers) {
    const routes = [...(http.servers[server]?.routes ?? [])].sort((a, b) => numberOf(a['@id']) - numberOf(b['@id']))
    for (const { '@id': id, ...route } of routes) {
      if (id.startsWith(`${nobody}/`)) continue
      const into = part(id).routes
      into[server] = [...(into[server] ?? []), route as JsonObject]
    }
  }
  for (const { '@id': id, subjects, issuers } of tls.automation.policies) {
    const { email, ca } = (issuers as readonly { readonly email?: string; readonly ca?: string }[] | undefined)?.[0] ?? {}
    part(id).automated.push({ subjects: subjects as string[], ...(email !== undefined && { email }), ...(ca !== undefined && { ca }) })
  }
  for (const { '@id': id, certificate, key } of tls.certificates.load_files) {
    part(id).certificates.push({ certificate: String(certificate), key: String(key) })
  }
  return parts
}

/** Ports for this tool and other machines that a configuration of ours listens on; none of a file that is not one of ours. */
export function innerPortsOf(text: string): readonly number[] {
  const parsed = written.safeParse(parseJson(text))
  const listened = parsed.success ? (parsed.data.apps.http.servers['inner']?.['listen'] as readonly string[] | undefined) : undefined
  return (listened ?? []).map((address) => Number(address.slice(address.lastIndexOf(':') + 1)))
}

type Automated = CaddyFragment['automated'][number]
type Certificate = CaddyFragment['certificates'][number]

/** The same text for the same parts. Longer paths come first; otherwise order decides nothing, as no two services share domain and path. */
export function caddyConfig(parts: CaddyParts, innerPorts: readonly number[]): string {
  const sorted = [...parts].sort(([a], [b]) => (a < b ? -1 : 1))
  const routesOf = (server: CaddyServer) =>
    sorted
      .flatMap(([key, { routes }]) => (routes[server] ?? []).map((route, index) => ({ '@id': `${key}/${server}/${index}`, ...route })))
      .sort((a, b) => pathLength(b) - pathLength(a))
  const listener = (server: CaddyServer, on: readonly number[]): JsonObject => ({
    listen: on.map((port) => `:${port}`),
    automatic_https: { disable: true },
    ...(server === 'https' && { tls_connection_policies: [{}] }),
    // Caddy answers 200 and nothing for what no route is for.
    routes: [...routesOf(server), { '@id': `${nobody}/${server}/0`, handle: [{ handler: 'static_response', status_code: 404 }] }],
  })
  const policies = sorted.flatMap(([key, { automated }]) =>
    automated.map(({ subjects, ...account }, index) => ({
      '@id': `${key}/policy/${index}`,
      subjects: [...subjects],
      issuers: [{ module: 'acme', ...account }],
    })),
  )
  const loadFiles = sorted.flatMap(([key, { certificates }]) =>
    certificates.map((pair, index) => ({ '@id': `${key}/certificate/${index}`, ...pair })),
  )
  const automate = [...new Set(policies.flatMap(({ subjects }) => subjects))].sort()
  return text({
    admin: { listen: '127.0.0.1:2019', config: { persist: false } },
    logging: { logs: { default: { level: 'WARN' } } },
    storage: { module: 'file_system', root: '/data' },
    apps: {
      http: {
        servers: { http: listener('http', [ports.http]), https: listener('https', [ports.https]), inner: listener('inner', innerPorts) },
      },
      tls: { automation: { policies }, certificates: { automate, load_files: loadFiles } },
    },
  })
}

/** A service's part as its own file. */
export function fragmentText(fragment: CaddyFragment): string {
  return text(fragment as unknown as JsonObject)
}

/** Of a service's own file; undefined when it is not whole. */
export function parseFragment(given: string): CaddyFragment | undefined {
  const value = parseJson(given) as Partial<CaddyFragment> | undefined
  if (!value || typeof value !== 'object' || !value.routes || !Array.isArray(value.automated) || !Array.isArray(value.certificates))
    return undefined
  return value as CaddyFragment
}

function text(value: JsonObject): string {
  return `${JSON.stringify(value, null, 1)}\n`
}

function parseJson(given: string): Json | undefined {
  try {
    return JSON.parse(given) as Json
  } catch {
    return undefined
  }
}

function numberOf(id: string): number {
  return Number(id.slice(id.lastIndexOf('/') + 1))
}

function pathLength(route: JsonObject): number {
  const [first] = (route['match'] ?? []) as readonly { readonly path?: readonly string[] }[]
  return first?.path?.[0]?.length ?? 0
}
