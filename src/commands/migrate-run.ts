import type { App, ExitCode, GlobalOptions } from '../contracts.ts'
import { type MigrateRunInput, migrateRunOptions } from '../operations/migrate/options.ts'
import { runMigrations } from '../operations/migrate/run.ts'

export const summary = 'apply pending migrations, and roll nothing'
export const feature = 'CLI_MIGRATE_RUN'
export const options = migrateRunOptions
export const examples = [
  'stagecraft migrate run --env prod',
  'stagecraft migrate run --env prod --database stats',
  'stagecraft migrate run --env prod --tags backfill',
]

export function run(input: MigrateRunInput, globals: GlobalOptions, app: App): Promise<ExitCode> {
  return runMigrations(input, globals, app)
}
