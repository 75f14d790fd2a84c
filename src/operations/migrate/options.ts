/** Flags of the migration commands. */
import { z } from 'zod'

export const databaseOptions = z.strictObject({
  database: z
    .array(z.string())
    .optional()
    .describe('these databases; default the only one, or the one called main')
    .meta({ value: '<a,b>' }),
  allDatabases: z.boolean().default(false).describe('every database that has migrations'),
  strategy: z.enum(['pre_deploy', 'post_deploy', 'manual']).optional().describe('only databases with this strategy'),
})

export const selectionOptions = z.strictObject({
  ids: z.array(z.string()).optional().describe('only these migrations').meta({ value: '<a,b>' }),
  tags: z.array(z.string()).optional().describe('only migrations with one of these tags').meta({ value: '<a,b>' }),
})

export const planOptions = z.strictObject({
  ...databaseOptions.shape,
  ...selectionOptions.shape,
  offline: z.boolean().default(false).describe('ask no database: what was applied is unknown'),
  failIfPending: z.boolean().default(false).describe('end with exit code 1 when anything is pending or was changed'),
  format: z.enum(['text', 'json']).default('text').describe('how to print it'),
})
export type PlanInput = z.output<typeof planOptions>

export const migrateRunOptions = z.strictObject({
  ...databaseOptions.shape,
  ...selectionOptions.shape,
  steps: z.number().int().positive().optional().describe('apply at most this many; default all').meta({ value: '<n>' }),
  allowDrift: z.boolean().default(false).describe('go on although an applied migration was changed'),
  wait: z
    .union([z.boolean(), z.string()])
    .optional()
    .describe('while another run has the lock, wait for it, 15m unless told')
    .meta({ value: 'duration' }),
  format: z
    .enum(['auto', 'text', 'json'])
    .default('auto')
    .describe('auto: live on a terminal; text: a line per event; json: events on stdout'),
})
export type MigrateRunInput = z.output<typeof migrateRunOptions>

export const preflightOptions = z.strictObject({
  ...databaseOptions.shape,
  strategy: databaseOptions.shape.strategy.describe('only databases with this strategy; of named files: when they are applied'),
  all: z.boolean().default(false).describe('every migration of the project, applied or not; asks no database'),
  minScore: z
    .number()
    .int()
    .min(0)
    .max(100)
    .optional()
    .describe('end with exit code 1 when the score is less; default: when a risk is high')
    .meta({ value: '<n>' }),
  format: z.enum(['text', 'json']).default('text').describe('how to print it'),
})
export const preflightArguments = z.strictObject({
  files: z.array(z.string()).default([]).describe('SQL files to check, without asking for an environment'),
})
export type PreflightInput = z.output<typeof preflightOptions> & z.output<typeof preflightArguments>
