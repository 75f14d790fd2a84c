import { z } from 'zod'
import { route } from './routes.ts'
import { target } from './tasks.ts'
import { port, role } from './words.ts'

export const rollout = z
  .strictObject({
    driver: z.enum(['native', 'recreate']).describe('Default `native`: health-gated, without downtime.'),
    order: z.enum(['start-first', 'stop-first']).describe('Default `start-first`, but `stop-first` for what cannot run twice.'),
    timeout_seconds: z.int().min(1).describe('How long a container may take to become ready; default 60.'),
    min_ready_seconds: z.int().min(0).describe('How long a container without a healthcheck must stay up; default 5.'),
  })
  .partial()
export type RolloutConfig = z.output<typeof rollout>

export const health = z.strictObject({
  path: z.string().regex(/^\/\S*$/, 'expected a path that begins with `/`'),
  port,
  expected_status: z.int().min(100).max(599).default(200),
})

/** `services.<name>`: what Compose cannot say about a service. */
export const service = z.strictObject({
  role: role.optional().describe('Hosts with this role run it.'),
  build: z.enum(['backend', 'frontend', 'none']).optional().describe('Which provider block builds its image; default what Compose says.'),
  needs: z.array(target).default([]).describe('Tasks of yours that come before its image is built.'),
  replicas: z.int().min(1).optional(),
  health: health.optional(),
  rollout: rollout.default({}),
  route: route.optional().describe('Where users find it: a domain, some, or a map.'),
})

/** `environments.<name>.services.<name>`. */
export const serviceOverride = z.strictObject({
  replicas: z.int().min(1).optional(),
  health: health.optional(),
  rollout: rollout.default({}),
  route: z
    .union([z.literal(false), route])
    .optional()
    .describe('Replaces the service’s; `false` for none here.'),
})
