/** Flags of what runs tasks: one object each, so that commands cannot drift apart. */
import { availableParallelism } from 'node:os'
import { z } from 'zod'
import { outputModes } from '../ui/view.ts'

/** Shared by `run`, `deploy` and `build`. */
export const runOptions = z.strictObject({
  version: z.string().optional().describe('record the release under this version; default the commit checked out').meta({ value: '<tag>' }),
  force: z
    .union([z.boolean(), z.string()])
    .optional()
    .describe('run even what is fresh; with a glob, only tasks it matches')
    .meta({ value: 'glob' }),
  cache: z.boolean().default(true).describe('neither take results from a cache nor keep them'),
  continue: z.boolean().default(false).describe('after a failure, go on with what does not depend on it'),
  concurrency: z
    .string()
    .regex(/^[1-9]\d{0,4}%?$/, 'expected a number such as `4`, or a share of the processors such as `50%`')
    .optional()
    .describe('tasks at a time; default the number of processors for tasks of yours, 8 for others')
    .meta({ alias: 'j', value: '<n|n%>' }),
  output: z
    .enum(outputModes)
    .optional()
    .describe(
      'whose output to show: full: replayed for restored tasks too; default on a terminal errors, and what was asked for by name; new elsewhere',
    ),
  explain: z.boolean().default(false).describe('say of each task why it runs, or need not'),
  trace: z.string().optional().describe('write what ran when, for https://ui.perfetto.dev').meta({ value: '<file.json>' }),
  summary: z.string().optional().describe('write how the run ended, however it ends').meta({ value: '<file.json>' }),
  format: z
    .enum(['auto', 'text', 'json'])
    .default('auto')
    .describe('auto: live on a terminal; text: a line per event; json: events on stdout'),
})

/** What only `deploy` has: a part of the fleet. */
export const fleetOptions = z.strictObject({
  host: z.array(z.string()).optional().describe('only these hosts; recorded as partial').meta({ value: '<a,b>' }),
  role: z.array(z.string()).optional().describe('only hosts with these roles; recorded as partial').meta({ value: '<a,b>' }),
  services: z.array(z.string()).optional().describe('roll only these services; recorded as partial').meta({ value: '<a,b>' }),
  allowUnreachable: z.boolean().default(false).describe('leave out hosts that do not answer; ends with exit code 10'),
})

/** What only `deploy` has: its place behind another. */
export const lockOptions = z.strictObject({
  wait: z
    .union([z.boolean(), z.string()])
    .optional()
    .describe('while another run has the lock, wait for it, 15m unless told; what is to do is decided afterwards')
    .meta({ value: 'duration' }),
})

/** What only `run` and `watch` have: a part of the graph. */
export const selectionOptions = z.strictObject({
  only: z
    .string()
    .optional()
    .describe('run only tasks that match; of what they need, the last results are taken')
    .meta({ value: '<glob>' }),
  affected: z
    .union([z.boolean(), z.string()])
    .optional()
    .describe('run only what changed since it left a branch, and what needs that; default branch: the one of `origin`')
    .meta({ value: 'ref' }),
})

export type RunOptionsInput = z.output<typeof runOptions> &
  Partial<z.output<typeof selectionOptions>> &
  Partial<z.output<typeof fleetOptions>> &
  z.output<typeof lockOptions>

/** Tasks at a time: `4`, or `50%` of the processors, at least 1. Undefined when nothing was asked. */
export function concurrencyOf(given: string | undefined, processors = availableParallelism()): number | undefined {
  if (given === undefined) return undefined
  const number = Number.parseInt(given, 10)
  return given.endsWith('%') ? Math.max(1, Math.floor((processors * number) / 100)) : number
}

/** Widths of pools. Builds share one BuildKit and the machine; on one host at most two services change at a time. */
export function poolWidths(concurrency: number | undefined, processors = availableParallelism()): Readonly<Record<string, number>> {
  const width = concurrency ?? 8
  return {
    default: width,
    exec: concurrency ?? processors,
    docker: Math.min(width, 4),
    registry: Math.min(width, 4),
    host: 2,
    database: 1,
  }
}
