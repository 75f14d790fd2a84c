import { z } from 'zod'
import { pathInProject, port, text, variableName } from './words.ts'

/** A host name as certificates and requests have it. */
const domain = z
  .string()
  .regex(
    /^(?=.{1,253}$)[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*$/,
    'expected a domain such as `shop.example.com`, in lower case',
  )
  .meta({ examples: ['shop.example.com'] })

const urlPath = z
  .string()
  .regex(/^\/([A-Za-z0-9._~-]+(\/[A-Za-z0-9._~-]+)*\/?)?$/, 'expected a path such as `/api`')
  .transform((path) => (path === '/' ? path : path.replace(/\/$/, '')))
  .meta({ examples: ['/api'] })

const tls = z.union([
  z.enum(['acme', 'none']),
  z
    .strictObject({
      certificate: pathInProject.meta({ examples: ['certificates/shop.pem'] }).describe('The certificate, then those of who signed it.'),
      key: pathInProject.meta({ examples: ['certificates/shop.key'] }).describe('Its private key.'),
    })
    .describe('Files in PEM on this machine; they travel to gateways, readable by nobody else.'),
])

const assets = z.strictObject({
  path: urlPath.describe('Where users find them: `/assets`.'),
  directory: z
    .string()
    .regex(/^\/[A-Za-z0-9._/-]+$/, 'expected an absolute path in the container')
    .meta({ examples: ['/app/assets'] })
    .describe('Where the image has them.'),
  keep_minutes: z.int().min(1).default(60).describe('How long files of an earlier release are still answered.'),
})

const routeMap = z.strictObject({
  domains: z
    .union([domain.transform((one) => [one]), z.array(domain).min(1)])
    .meta({ examples: ['shop.example.com'] })
    .describe('Where users find it.'),
  path: urlPath.default('/').describe('Only requests at or below it are answered.'),
  port: port.optional().describe('Where its containers listen; default what the Compose file or the health check says.'),
  tls: tls.optional().describe('Default `acme`: certificates come from Let’s Encrypt.'),
  hsts: z.boolean().optional().describe('Tells browsers never to come without TLS.'),
  redirect: z.array(domain).default([]).describe('Domains that lead to the first of `domains`.'),
  basic_auth: variableName
    .meta({ examples: ['SHOP_USERS'] })
    .optional()
    .describe('Variable with `name:bcrypt-hash`, one a line, as `htpasswd -B` writes them.'),
  drain_seconds: z
    .int()
    .min(0)
    .max(3600)
    .default(30)
    .describe('How long requests in flight may take after a swap; less when there are none.'),
  assets: assets.optional().describe('Files of earlier releases that are still answered.'),
})
export type RouteConfig = z.output<typeof routeMap>

/** A domain, some, or a map. */
export const route = z.union([
  domain.transform((one): RouteConfig => routeMap.parse({ domains: [one] })),
  z
    .array(domain)
    .min(1)
    .transform((domains): RouteConfig => routeMap.parse({ domains })),
  routeMap,
])

/** `environments.<name>.edge`. */
export const edgeSettings = z
  .strictObject({
    tls: z.enum(['acme', 'none']).describe('For routes that do not say.'),
    acme_email_env: variableName.meta({ examples: ['ACME_EMAIL'] }).describe('Variable with the address certificates are asked for under.'),
    hsts: z.boolean().describe('For routes that do not say.'),
    inner_addresses: z
      .record(text, text)
      .meta({ examples: [{ 'node-1': '192.0.2.7' }] })
      .describe('Private address of hosts, where other hosts’ proxies reach them; default the host’s address.'),
  })
  .partial()

/** `environments.<name>.traefik`: the same settings under their older names. */
export const traefikSettings = z
  .strictObject({
    mode: z.enum(['acme', 'none']).describe('Older name of `edge.tls`.'),
    acme_email_env: variableName.meta({ examples: ['ACME_EMAIL'] }).describe('Older place of `edge.acme_email_env`.'),
    hsts: z.boolean().describe('Older place of `edge.hsts`.'),
    dashboard_auth: z.literal('none').describe('There is no dashboard: `none` is all it can be.'),
  })
  .partial()
