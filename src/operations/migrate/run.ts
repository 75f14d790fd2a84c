/** `stagecraft migrate run`: applies pending migrations under the environment's lock, and makes no release. */
import type { App, ExitCode, GlobalOptions } from '../../contracts.ts'
import { runOptions } from '../../session/run-options.ts'
import { runGraph } from '../../session/run-targets.ts'
import { showWarnings } from '../../session/warnings.ts'
import { openMigrations } from './open.ts'
import { type MigrateRunInput, planOptions } from './options.ts'
import { planMigrations } from './plan.ts'

/** With `--dry-run` it is `migrate plan`. @throws InputError */
export async function runMigrations(input: MigrateRunInput, globals: GlobalOptions, app: App): Promise<ExitCode> {
  const { steps, allowDrift, wait, format, ...words } = input
  if (globals.dryRun) return planMigrations(planOptions.parse({ ...words, format: format === 'json' ? 'json' : 'text' }), globals, app)
  const choice = { ids: input.ids, tags: input.tags, steps, ...(allowDrift && { allowDrift }) }
  const { project, graph } = await openMigrations(input, choice, globals, app)
  if (globals.verbose) showWarnings(project, globals, app)
  return runGraph(graph, project, {}, { ...runOptions.parse({ format }), wait, targets: ['migrate'] }, globals, app)
}
