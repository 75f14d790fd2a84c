/** Flags that `run`, `deploy` and `build` share: one object, so that they cannot drift apart. */
import { z } from 'zod'

export const runOptions = z.strictObject({
  version: z.string().optional().describe('record the release under this version; default the commit checked out').meta({ value: '<tag>' }),
  force: z
    .union([z.boolean(), z.string()])
    .optional()
    .describe('run even what is fresh; with a glob, only tasks it matches')
    .meta({ value: 'glob' }),
  continue: z.boolean().default(false).describe('after a failure, go on with what does not depend on it'),
  concurrency: z.number().int().min(1).optional().describe('tasks at a time; default 8').meta({ alias: 'j', value: '<n>' }),
  format: z
    .enum(['auto', 'text', 'json'])
    .default('auto')
    .describe('auto: live on a terminal; text: a line per event; json: events on stdout'),
})

export type RunOptionsInput = z.output<typeof runOptions>
