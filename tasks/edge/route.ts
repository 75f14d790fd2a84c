/** What tasks are told about a routed service. Holds names of secrets, never their values. */
import { z } from 'zod'

export const edgeProvider = z.lazy(() => z.enum(['caddy', 'traefik']))
export type EdgeProvider = z.infer<typeof edgeProvider>

const tls = z.lazy(() =>
  z.discriminatedUnion('mode', [
    z.strictObject({
      mode: z.literal('acme'),
      emailSecret: z.string().nullable(),
      /** Directory of the ACME server; null for the proxy's own default. */
      server: z.string().nullable(),
    }),
    /** Secrets that hold a certificate chain and its key, in PEM. */
    z.strictObject({ mode: z.literal('files'), certificateSecret: z.string(), keySecret: z.string() }),
    z.strictObject({ mode: z.literal('none') }),
  ]),
)

export const route = z.lazy(() =>
  z.strictObject({
    provider: edgeProvider,
    /** Of the service on a machine: see `layout.ts`. */
    key: z.string(),
    /** Compose's name of the environment's network for requests. */
    network: z.string(),
    domains: z.array(z.string()),
    /** `/` for everything. */
    path: z.string(),
    tls,
    hsts: z.boolean(),
    /** Domains that are only sent on to the first of `domains`. */
    redirects: z.array(z.string()),
    /** A secret of the form `name:bcrypt-hash`, one a line. */
    basicAuth: z.string().nullable(),
    assets: z.strictObject({ path: z.string(), directory: z.string(), keepMinutes: z.number() }).nullable(),
    /** What users reach on this machine: its own containers, or other machines' inner ports; null when users do not come here. */
    open: z.union([z.literal('local'), z.strictObject({ peers: z.array(z.string()) })]).nullable(),
    /** Whether its containers are here. */
    isLocal: z.boolean(),
    /** Addresses of gateways whose `X-Forwarded-For` is believed. */
    gateways: z.array(z.string()),
    innerPort: z.number().int(),
    drainSeconds: z.number(),
    verify: z.strictObject({ path: z.string(), expectedStatus: z.number().nullable() }),
  }),
)
export type Route = z.infer<typeof route>

/** One container as the proxy reaches it: by name, which outlives restarts of host and container. */
export interface Upstream {
  readonly name: string
  readonly port: number
}

/** Names of all secrets a route's files are made from. */
export function routeSecrets({ tls: given, basicAuth }: Route): readonly string[] {
  const ofTls = given.mode === 'files' ? [given.certificateSecret, given.keySecret] : given.mode === 'acme' ? [given.emailSecret] : []
  return [...ofTls, basicAuth].filter((name) => name !== null)
}
