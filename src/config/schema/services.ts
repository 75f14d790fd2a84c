import { z } from 'zod'
import { parseSize } from '../size.ts'
import { route } from './routes.ts'
import { target } from './tasks.ts'
import { port, role, text } from './words.ts'

const freeSpace = z
  .string()
  .refine((value) => parseSize(value) !== undefined, 'expected a size such as `500MB` or `2GiB`')
  .meta({ examples: ['500MB'] })

export const rollout = z
  .strictObject({
    driver: z
      .enum(['native', 'docker-rollout', 'recreate'])
      .describe('Default `native`: health-gated, without downtime. `docker-rollout`: the plugin of that name on the host.'),
    order: z.enum(['start-first', 'stop-first']).describe('Default `start-first`, but `stop-first` for what cannot run twice.'),
    timeout_seconds: z.int().min(1).describe('How long a container may take to become ready; default 60.'),
    min_ready_seconds: z
      .int()
      .min(0)
      .describe(
        'How long a new container must stay up, or healthy, before it counts as ready; default 5 without a healthcheck, 0 with one.',
      ),
    surge: z
      .int()
      .min(1)
      .describe('How many new containers of a service are started at once beside the old ones, on each host; default 1.'),
    min_free_space: freeSpace.describe('Nothing is pulled to a host with less; default `1GiB`, `0B` for no such limit.'),
  })
  .partial()
export type RolloutConfig = z.output<typeof rollout>

/** `environments.<name>.rollout`: also how hosts follow each other. */
export const environmentRollout = rollout.extend({
  target: z
    .enum(['compose', 'swarm'])
    .optional()
    .describe('Default `compose`: containers on each host. `swarm`: services of the Docker Swarm that the primary host is a manager of.'),
  canary: z
    .union([text, z.literal(false)])
    .meta({ examples: ['node-1'] })
    .optional()
    .describe('The host that is rolled alone before the others, or `false`. Default: the first by name.'),
  batch: z
    .union([z.int().min(1), z.string().regex(/^([1-9]\d?|100)%$/, 'expected a number of hosts, or a share of them such as `50%`')])
    .meta({ examples: ['50%'] })
    .optional()
    .describe('Hosts of a service that are rolled at a time after the canary; default all.'),
  on_failure: z
    .enum(['rollback', 'hold', 'continue'])
    .optional()
    .describe(
      'Default `rollback`: what this run replaced goes back. `hold`: it stays, and nothing more starts. `continue`: other hosts go on.',
    ),
})

export const health = z.strictObject({
  path: z
    .string()
    .regex(/^\/\S*$/, 'expected a path that begins with `/`')
    .meta({ examples: ['/healthz'] })
    .describe('What is asked for by HTTP.'),
  port: port.describe('Where it is asked, in the container.'),
  expected_status: z.int().min(100).max(599).default(200).describe('The status of an answer that means healthy.'),
})

/** `services.<name>`: what Compose cannot say about a service. */
export const service = z.strictObject({
  role: role.optional().describe('Hosts with this role run it.'),
  build: z.enum(['backend', 'frontend', 'none']).optional().describe('Which provider block builds its image; default what Compose says.'),
  needs: z
    .array(target.meta({ examples: ['codegen'] }))
    .default([])
    .describe('Tasks of yours that come before its image is built.'),
  replicas: z
    .int()
    .min(1)
    .meta({ examples: [2] })
    .optional()
    .describe('Containers on each host; default what the Compose file says, else 1.'),
  port: port.optional().describe('Where it listens, for services on other hosts; default the first of `expose`, `ports` and `health`.'),
  health: health.optional().describe('A request that says whether it is well; without it the healthcheck of its container does.'),
  rollout: rollout.default({}).describe('How a new version takes the place of the old one, over what the environment says.'),
  route: route
    .meta({ examples: ['shop.example.com'] })
    .optional()
    .describe('Where users find it: a domain, some, or a map.'),
})

/** `environments.<name>.api` and `.web`: who runs a service. */
export const externalOverride = z.strictObject({
  mode: z.enum(['container', 'external']).optional().describe('`external`: somebody else runs it, nothing of it is deployed here.'),
  url: z
    .string()
    .regex(/^[a-z][a-z0-9+.-]*:\/\/[^\s/]+/, 'expected a URL such as `https://api.example.com`')
    .meta({ examples: ['https://api.example.com'] })
    .optional()
    .describe('Where an external service is.'),
})

/** `environments.<name>.services.<name>`. */
export const serviceOverride = externalOverride.extend({
  replicas: z
    .int()
    .min(1)
    .meta({ examples: [3] })
    .optional()
    .describe('Containers on each host, in the place of what the service says.'),
  health: health.optional().describe('In the place of the service’s `health`.'),
  rollout: rollout.default({}).describe('Over the `rollout` of the service, key by key.'),
  route: z
    .union([z.literal(false), route])
    .meta({ examples: ['staging.example.com'] })
    .optional()
    .describe('Replaces the service’s; `false` for none here.'),
})
