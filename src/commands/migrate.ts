import { z } from 'zod'
import type { App, ExitCode, GlobalOptions } from '../contracts.ts'
import { migrateRunOptions, planOptions } from '../operations/migrate/options.ts'
import { planMigrations } from '../operations/migrate/plan.ts'
import { runMigrations } from '../operations/migrate/run.ts'

export const summary = 'apply pending migrations: `migrate run` in one word'
export const feature = 'CLI_MIGRATE_BASIC'
export const options = z.strictObject({
  ...migrateRunOptions.shape,
  plan: z.boolean().default(false).describe('only show what is pending: `migrate plan`'),
})
export const examples = ['stagecraft migrate --env prod', 'stagecraft migrate --env prod --plan']

export function run({ plan, ...input }: z.output<typeof options>, globals: GlobalOptions, app: App): Promise<ExitCode> {
  if (!plan) return runMigrations(input, globals, app)
  const { steps: _steps, allowDrift: _allowDrift, wait: _wait, format, ...words } = input
  return planMigrations(planOptions.parse({ ...words, format: format === 'json' ? 'json' : 'text' }), globals, app)
}
