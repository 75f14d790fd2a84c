import type { App, ExitCode, GlobalOptions } from '../contracts.ts'
import { type PreflightInput, preflightArguments, preflightOptions } from '../operations/migrate/options.ts'
import { preflight } from '../operations/migrate/preflight.ts'

export const summary = 'find what pending migrations would lock, rewrite or break'
export const feature = 'CLI_MIGRATE_PREFLIGHT'
export const options = preflightOptions
export const examples = [
  'stagecraft migrate preflight --env prod',
  'stagecraft migrate preflight --env prod --all --format json',
  'stagecraft migrate preflight migrations/004_index.sql',
]
const positionals = preflightArguments

export { positionals as arguments }

export function run(input: PreflightInput, globals: GlobalOptions, app: App): Promise<ExitCode> {
  return preflight(input, globals, app)
}
