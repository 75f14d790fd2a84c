import { z } from 'zod'
import type { JsonObject, TaskId } from '../../graph/types.ts'

const definition = z.custom<JsonObject>((value) => typeof value === 'object' && value !== null && !Array.isArray(value))
const taskId = z.string().transform((id) => id as TaskId)

/** What the `render` kind is given: one host's share of the Compose file, not interpolated, and the names it may use. */
export const renderParams = z.lazy(() =>
  z.strictObject({
    host: z.string().describe('name of the host'),
    project: z.string(),
    environment: z.string(),
    composeProject: z.string().describe("the Compose project's name on the host"),
    directory: z.string().describe('absolute folder on the host: bundles and bound files live below it'),
    topLevel: definition.describe("Compose's top-level networks, volumes, configs, secrets and x-*"),
    services: z.record(
      z.string(),
      z.strictObject({
        definition,
        replicas: z.number().int().nonnegative(),
        image: z
          .strictObject({ push: taskId, repository: z.string(), sent: z.boolean().exactOptional() })
          .nullable()
          .describe('the task whose digest it runs, and whether it is sent rather than pulled; null keeps what the user wrote'),
        ownCode: z.boolean().describe('is given the environment file'),
      }),
    ),
    plain: z.record(z.string(), z.string()).describe('variables whose values may be seen'),
    secretNames: z.array(z.string()).describe('variables whose values may not'),
    envFileNames: z.array(z.string()).describe('names the local environment file defines'),
    hostEnvFile: z.string().nullable().describe('absolute path of an environment file that is already on the host'),
    composeDirectory: z.string().exactOptional().describe('project-relative folder of the Compose file; default the project folder'),
  }),
)
export type RenderParams = z.infer<typeof renderParams>

/**
 * A file with a secret in it, written by `upload` and never cached: the secret called `secret`, or `template` with secrets
 * filled in. Its `path` is in the bundle, or, when it begins with `files/`, in the host's folder (see bundle-layout.ts).
 */
const sidecar = z.union([
  z.strictObject({ path: z.string(), secret: z.string() }),
  z.strictObject({ path: z.string(), template: z.string() }),
])
export type Sidecar = z.infer<typeof sidecar>

/** The values of a `render` result. */
export const renderValues = z.lazy(() =>
  z.strictObject({
    bundle: z.string().describe('hash of everything in the bundle, secrets by keyed digest'),
    /** `containerName`: the fixed name its container is given by the rollout; the file itself fixes none. */
    services: z.record(z.string(), z.strictObject({ hash: z.string(), image: z.string(), containerName: z.string().exactOptional() })),
    variables: z.array(z.string()).describe("names defined in the bundle's .env"),
    sidecars: z.array(sidecar),
  }),
)
export type RenderValues = z.infer<typeof renderValues>
