/** What a hook is told. */
import { z } from 'zod'
import { phases } from '../../graph/types.ts'

export const hookParams = z.lazy(() =>
  z.strictObject({
    /** As the user wrote it: `before_rollout`, `after_build:api`. */
    point: z.string(),
    /** What it stands around: a kind of task, or `deploy` or `failure`. */
    around: z.string(),
    /** Ids of the tasks it comes after; null: it comes before its dependents. */
    after: z.array(z.string()).nullable(),
    /** A shell command line has become `sh -c <line>`. */
    command: z.array(z.string()).min(1),
    /** Names or globs of variables of this machine that are passed on. */
    env: z.array(z.string()),
    secrets: z.array(z.string()),
    timeoutMs: z.number(),
    onFailure: z.enum(['fail', 'warn']),
    /** Of a release; null for what stands after its end. */
    phase: z.enum(phases).nullable(),
    /** It holds the environment's lock. */
    locked: z.boolean(),
    /** Of one that comes after others and before the end of the release: the host that remembers when it has begun and not ended well. */
    owedOn: z.string().nullable(),
    /** Names of the hosts that take part. */
    hosts: z.array(z.string()),
    /** `running`, `succeeded` or `failed`: where the deploy stands when it runs. */
    status: z.enum(['running', 'succeeded', 'failed']),
    /** Where it runs, when not on this machine: a one-off container of a service. */
    container: z
      .strictObject({ service: z.string(), host: z.string(), composeProject: z.string(), directory: z.string(), render: z.string() })
      .nullable(),
  }),
)
export type HookParams = z.infer<typeof hookParams>
export type HookContainer = NonNullable<HookParams['container']>
