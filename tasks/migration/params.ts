/** What a migration task is told. */
import { z } from 'zod'

/** A tool of somebody else's that applies migrations. */
export const commandParams = z.strictObject({
  argv: z.array(z.string()).min(1),
  /** Ends with 0 when nothing is pending. Null: what was applied is told by a row of ours in the database. */
  check: z.array(z.string()).min(1).nullable(),
  /** Variables of this machine that are passed on, by name or glob. */
  env: z.array(z.string()),
  timeoutMs: z.number(),
  /** Where it runs, when not on this machine: a one-off container of a service. */
  container: z
    .strictObject({ service: z.string(), host: z.string(), composeProject: z.string(), directory: z.string(), render: z.string() })
    .nullable(),
})
export type MigrationCommand = z.infer<typeof commandParams>

export const migrationParams = z.lazy(() =>
  z.strictObject({
    /** Name in the manifest. */
    database: z.string(),
    engine: z.string().default('raw'),
    /** Project-relative folder. */
    path: z.string(),
    table: z.string(),
    /** Variable that holds the connection string; named in messages, never its value. */
    connectionEnv: z.string(),
    /** How long to wait for a database that is still starting. */
    waitSeconds: z.number().int().nonnegative().default(30),
    /** For engines that run a command. */
    command: commandParams.exactOptional(),
    /** Only these, and those with one of these tags. Default all. */
    ids: z.array(z.string()).exactOptional(),
    tags: z.array(z.string()).exactOptional(),
    /** At most this many. */
    steps: z.number().int().positive().exactOptional(),
    /** What was changed after it was applied counts as applied. */
    allowDrift: z.boolean().exactOptional(),
  }),
)
export type MigrationParams = z.infer<typeof migrationParams>
