/** `tasks`, `pools` and `pipelines`: what people put into the graph themselves. */
import { z } from 'zod'
import { parseDuration } from '../duration.ts'
import { name, pathInProject, text, variableName, withShortForms } from './words.ts'

/** What a task, a pool or a pipeline may be called. Upper case and dots too, as in the package scripts people bring along. */
export const taskName = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9._/-]*$/, 'expected letters, digits, `.`, `_`, `/` and `-`, beginning with a letter or digit')

const argv = z
  .array(z.string())
  .min(1)
  .meta({ examples: [['node', '--version']] })
export const command = z.union([text, argv]).meta({ examples: ['npm test'] })
/** A task, a pipeline, a built-in target or the id of a built-in task. */
export const target = z
  .string()
  .regex(/^[^\s]+$/, 'expected the name of a task, a pipeline or a built-in target')
  .meta({ examples: ['lint'] })
export const variablePattern = z
  .string()
  .regex(/^[A-Za-z_*][A-Za-z0-9_*]*$/, 'expected the name of a variable, or a glob such as `API_*`')
  .meta({ examples: ['NODE_ENV'] })
/** A timer of Node's ends at 24.8 days and would fire at once beyond. */
const longestSeconds = 7 * 86_400
export const duration = z
  .string()
  .refine((value) => (parseDuration(value) ?? 0) > 0, 'expected a duration such as `90s`, `10m` or `1h30m`')
  .refine((value) => (parseDuration(value) ?? 0) <= longestSeconds, 'expected at most `7d`')
  .meta({ examples: ['90s'] })
/** A glob: `..` only where it begins, as nobody knows where `**` and then `..` leads. */
const filePattern = text
  .refine((pattern) => pattern !== '!', 'expected a pattern after `!`')
  .refine((pattern) => !/[*?[{(].*\/\.\.(\/|$)/.test(pattern), 'expected `..` only at the beginning')
  .meta({ examples: ['src/**'] })
const regularExpression = text.refine(isRegularExpression, 'expected a regular expression')

const ready = z
  .strictObject({
    http: z
      .url({ protocol: /^https?$/, error: 'expected a URL that begins with `http://` or `https://`' })
      .meta({ examples: ['http://127.0.0.1:4000/healthz'] })
      .optional()
      .describe('A URL that answers with a status below 400.'),
    tcp: z
      .string()
      .regex(/^\S+:\d{1,5}$/, 'expected `host:port`')
      .meta({ examples: ['127.0.0.1:5432'] })
      .optional()
      .describe('`host:port` that takes a connection.'),
    line: regularExpression
      .meta({ examples: ['listening on \\d+'] })
      .optional()
      .describe('A regular expression that a line of its output matches.'),
    command: command
      .meta({ examples: ['pg_isready'] })
      .optional()
      .describe('A command that ends with 0.'),
    timeout: duration.optional().describe('How long it may take to become ready; default 60s.'),
  })
  .refine(
    ({ http, tcp, line, command: probe }) => [http, tcp, line, probe].some((one) => one !== undefined),
    'expected one of `http`, `tcp`, `line` and `command`',
  )

/** `tasks.<name>`. */
export const task = z.strictObject({
  command: command.describe('A list of arguments; a plain string runs under `sh -c`.'),
  cwd: pathInProject.default('.').describe("Default the manifest's folder. Globs are relative to it."),
  inputs: z.array(filePattern).optional().describe('Globs of files it reads; `!` takes away. Without them it is never skipped.'),
  outputs: z
    .array(filePattern.meta({ examples: ['dist/**'] }))
    .default([])
    .describe('Globs of files it writes.'),
  env: z.array(variablePattern).default([]).describe('Variables that enter the fingerprint and are passed on.'),
  pass_env: z
    .array(variablePattern.meta({ examples: ['HOME'] }))
    .default([])
    .describe('Variables that are passed on and not fingerprinted.'),
  secrets: z
    .array(variableName.meta({ examples: ['NPM_TOKEN'] }))
    .default([])
    .describe('Variables that are passed on, compared by a keyed digest, and never shown.'),
  variables: z
    .record(variableName, z.string())
    .default({})
    .meta({ examples: [{ PORT: '4000' }] })
    .describe('Values given to the command.'),
  tools: z
    .array(argv)
    .default([])
    .meta({ examples: [[['node', '--version']]] })
    .describe('Commands whose output enters the fingerprint.'),
  needs: z.array(target).default([]).describe('Come first, and their results enter the fingerprint.'),
  after: z.array(target).default([]).describe('Only come first.'),
  cache: z.boolean().optional().describe('Default true; false: it always runs.'),
  timeout: duration.optional().describe('How long it may take, after which it is ended; default no limit.'),
  retries: z.int().min(0).max(10).optional().describe('How often it is tried again after a failure; default 0.'),
  pool: name
    .meta({ examples: ['db'] })
    .optional()
    .describe('At most as many tasks of a pool run at once as it has places.'),
  service: z
    .strictObject({ ready: ready.describe('What says that it is ready; all that are given must.') })
    .optional()
    .describe('Keeps running; what depends on it starts when it is ready.'),
})
export type TaskConfig = z.output<typeof task>

export const pools = z.record(
  name,
  z
    .int()
    .min(1)
    .meta({ examples: [2] }),
)

/** `pipelines.<name>`: a list of targets, or a map. */
export const pipeline = withShortForms(
  z.preprocess(
    (value) => (Array.isArray(value) ? { targets: value } : value),
    z.strictObject({
      targets: z.array(target).default([]).describe('What it is made of: tasks, pipelines and built-in targets.'),
      needs: z
        .array(target)
        .default([])
        .describe('Of a built-in target: what must be done before anything outside this machine is touched.'),
      env: name
        .meta({ examples: ['prod'] })
        .optional()
        .describe('The environment it runs in.'),
    }),
  ),
  [z.array(target)],
)

function isRegularExpression(pattern: string): boolean {
  try {
    new RegExp(pattern)
    return true
  } catch {
    return false
  }
}
