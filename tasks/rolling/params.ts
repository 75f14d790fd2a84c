/** What a rollout is told, and what follows from that alone. */
import { z } from 'zod'
import { route } from '../edge/route.ts'
import type { TaskContext } from '../kind.ts'
import type { Host, RestartPolicy } from '../ports.ts'
import type { Wanted } from './decide.ts'
import type { GateOptions } from './gate.ts'

export const rolloutParams = z.lazy(() =>
  z.strictObject({
    service: z.string(),
    host: z.string(),
    composeProject: z.string(),
    directory: z.string(),
    render: z.string(),
    replicas: z.number().int().min(0),
    driver: z.enum(['native', 'docker-rollout', 'recreate']),
    order: z.enum(['start-first', 'stop-first']),
    /** Why it is stop-first, for the plan. */
    orderReason: z.string().nullable(),
    /** True when the image is built from this project: its containers keep nothing of their own. */
    ownCode: z.boolean(),
    /** Its image was sent, and can be pulled from nowhere. */
    sent: z.boolean().exactOptional(),
    restart: z.strictObject({ name: z.enum(['no', 'always', 'unless-stopped', 'on-failure']), maximumRetryCount: z.number().int() }),
    timeoutSeconds: z.number(),
    minReadySeconds: z.number(),
    /** How long a container that is healthy must stay so before it counts as ready. */
    steadySeconds: z.number(),
    /** How many new containers are started at once. */
    surge: z.number().int().min(1),
    stopGraceSeconds: z.number(),
    /** Nothing is pulled when less is free where the host keeps images. Default: 1 GiB. */
    minFreeBytes: z.number().int().min(0).nullable(),
    probe: z.strictObject({ port: z.number(), path: z.string(), expectedStatus: z.number() }).nullable(),
    /** Its place at the edge of this host. */
    route: route.nullable(),
  }),
)
export type RolloutParams = z.infer<typeof rolloutParams>

/** One rollout while it runs: what it acts on, and with what. */
export interface Rolling {
  readonly host: Host
  readonly params: RolloutParams
  readonly wanted: Wanted
  readonly image: string
  /** Hash of the bundle whose Compose file the containers are made from. */
  readonly bundle: string
  /** The name its one container must have, when the definition fixes it. */
  readonly containerName?: string
  readonly context: TaskContext
}

export function gateOptions({ params, context }: Rolling): GateOptions {
  return {
    service: params.service,
    timeoutMs: params.timeoutSeconds * 1000,
    minReadyMs: params.minReadySeconds * 1000,
    steadyMs: params.steadySeconds * 1000,
    ...(params.probe ? { probe: params.probe } : {}),
    signal: context.signal,
  }
}

export function restartPolicy({ restart }: RolloutParams): RestartPolicy {
  const { name, maximumRetryCount } = restart
  return name === 'on-failure' ? { name, maximumRetryCount } : { name }
}
