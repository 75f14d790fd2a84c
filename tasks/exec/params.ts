/** What a task of the user's is: everything resolved, paths project-relative. */
import { z } from 'zod'

/** How a service shows that it is ready. All that are given must hold. */
const readySchema = z.strictObject({
  /** A URL that answers with a status below 400. */
  http: z.string().nullable(),
  /** `host:port` that accepts a connection. */
  tcp: z.string().nullable(),
  /** A regular expression that a line of its output matches. */
  line: z.string().nullable(),
  /** A command that exits with 0. */
  command: z.array(z.string()).min(1).nullable(),
  timeoutMs: z.number(),
})
export type Readiness = z.infer<typeof readySchema>

export const execParams = z.strictObject({
  /** As the user wrote it: the task's id is `exec:<name>`. */
  name: z.string(),
  /** A shell command line has become `sh -c <line>`. */
  command: z.array(z.string()).min(1),
  /** `.` for the manifest's folder. */
  cwd: z.string(),
  /** Globs; those that begin with `!` take away. Null: not declared, so nothing can tell whether the task is up to date. */
  inputs: z.array(z.string()).nullable(),
  outputs: z.array(z.string()),
  /** Names or globs of variables that enter the fingerprint and are passed on. */
  env: z.array(z.string()),
  /** Passed on, and nothing else. */
  passEnv: z.array(z.string()),
  /** Names of variables that are passed on, enter the fingerprint as keyed digests, and are struck out of every output. */
  secrets: z.array(z.string()),
  /** Values the manifest gives to variables. */
  variables: z.record(z.string(), z.string()),
  tools: z.array(z.array(z.string()).min(1)),
  /** False: it always runs. */
  cache: z.boolean(),
  timeoutMs: z.number().nullable(),
  /** How often it is tried again after a failure. */
  retries: z.number(),
  pool: z.string().nullable(),
  service: z.strictObject({ ready: readySchema }).nullable(),
})
export type ExecParams = z.infer<typeof execParams>
