/** What tasks of a swarm environment are told, and what they tell each other. */
import { z } from 'zod'
import type { JsonObject } from '../../graph/types.ts'
import { renderParams } from '../rendering/params.ts'

const object = z.custom<JsonObject>((value) => typeof value === 'object' && value !== null && !Array.isArray(value))

/** What the `stack` kind is given. */
export const stackParams = z.lazy(() =>
  z.strictObject({
    render: renderParams.describe('as for a host: the manager, with every service on it'),
    services: z.record(
      z.string(),
      z.strictObject({
        order: z.enum(['start-first', 'stop-first']),
        monitorSeconds: z.number(),
        constraints: z.array(z.string()),
      }),
    ),
  }),
)
export type StackParams = z.infer<typeof stackParams>

const sidecar = z.union([z.strictObject({ secret: z.string() }), z.strictObject({ template: z.string() })])

/** The values of a `stack` result. No secret's value is in them: what is left to fill in are placeholders. */
export const stackValues = z.lazy(() =>
  z.strictObject({
    services: z.record(
      z.string(),
      z.strictObject({
        /** Of everything a copy is made from; the number of copies is not in it. */
        hash: z.string(),
        image: z.string(),
        replicas: z.number().int(),
        spec: object,
        /** Secrets the service is given as variables, beside those its spec names. */
        environment: z.array(z.string()),
      }),
    ),
    configs: z.array(z.strictObject({ name: z.string(), file: z.string().describe('path in the result') })),
    secrets: z.array(z.strictObject({ name: z.string(), content: sidecar })),
    networks: z.array(z.strictObject({ name: z.string(), definition: object })),
  }),
)
export type StackValues = z.infer<typeof stackValues>
export type StackService = StackValues['services'][string]

/** A `rollout` of a Swarm service. */
export const swarmRolloutParams = z.lazy(() =>
  z.strictObject({
    service: z.string(),
    /** Name of the manager that is asked. */
    manager: z.string(),
    /** The task that says what is wanted. */
    stack: z.string(),
    order: z.enum(['start-first', 'stop-first']),
    orderReason: z.string().nullable(),
    /** How long one copy may take to become ready. */
    timeoutSeconds: z.number(),
    monitorSeconds: z.number(),
    replicas: z.number().int(),
  }),
)
export type SwarmRolloutParams = z.infer<typeof swarmRolloutParams>

/** What the `swarm` kind is given. */
export const swarmParams = z.lazy(() =>
  z.strictObject({
    environment: z.string(),
    manager: z.string(),
    stack: z.string(),
    /** Prefix of labels of nodes that are ours to set. */
    labelPrefix: z.string(),
    /** Machines of the manifest with roles: each must be a node. */
    nodes: z.array(z.strictObject({ name: z.string(), addresses: z.array(z.string()), roles: z.array(z.string()) })),
  }),
)
export type SwarmParams = z.infer<typeof swarmParams>
