import type { App, ExitCode, GlobalOptions } from '../contracts.ts'
import { type PlanInput, planOptions } from '../operations/migrate/options.ts'
import { planMigrations } from '../operations/migrate/plan.ts'

export const summary = 'show which migrations each database has, and which are pending'
export const feature = 'CLI_MIGRATE_PLAN'
export const options = planOptions
export const examples = [
  'stagecraft migrate plan --env prod',
  'stagecraft migrate plan --env prod --all-databases --format json',
  'stagecraft migrate plan --env prod --fail-if-pending',
]

export function run(input: PlanInput, globals: GlobalOptions, app: App): Promise<ExitCode> {
  return planMigrations(input, globals, app)
}
