import { z } from 'zod'
import type { Provider } from '../provider.ts'

/** What both proxies are told. */
export interface EdgeConfig {
  readonly image: string
  readonly inner_port: number
  readonly acme_email_env?: string | undefined
  readonly acme_server?: string | undefined
}

/** A proxy, described: what it does is in `tasks/edge`. */
export interface EdgeProviderEntry extends Provider<EdgeConfig> {
  readonly role: 'edge'
  readonly id: 'caddy' | 'traefik'
  /** It can answer from files on the host. */
  readonly servesFiles: boolean
}

const reference = /^[a-z0-9]+([.:/_-][A-Za-z0-9][A-Za-z0-9._-]*)*(@sha256:[0-9a-f]{64})?$/

export function edgeConfig(image: string): z.ZodType<EdgeConfig> {
  return z.strictObject({
    image: z
      .string()
      .regex(reference, 'expected an image such as `caddy:2`')
      .default(image)
      .describe('The image of the proxy, run on every host that needs one.'),
    inner_port: z.int().min(1).max(65535).default(8079).describe('Where hosts pass requests to each other.'),
    acme_email_env: z
      .string()
      .regex(/^[A-Za-z_][A-Za-z0-9_]*$/, 'expected the name of an environment variable: letters, digits and `_`')
      .meta({ examples: ['ACME_EMAIL'] })
      .optional()
      .describe('Variable with the address certificates are asked for under.'),
    acme_server: z
      .url({ protocol: /^https$/ })
      .meta({ examples: ['https://acme.example.com/directory'] })
      .optional()
      .describe('Directory of an ACME server; default Let’s Encrypt’s.'),
  })
}
