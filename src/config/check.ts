/** Rules that look at more than one part of the manifest. What needs the Compose file is in `resolve.ts`. */
import type { Diagnostic } from '../../graph/types.ts'
import { checkCache } from './cache-settings.ts'
import { checkOverlaps } from './check-overlaps.ts'
import { checkTargets } from './check-targets.ts'
import { checkTasks } from './check-tasks.ts'
import type { LoadedConfig } from './config.ts'
import { resolveDatabases } from './databases.ts'
import type { Report } from './diagnostic.ts'
import { checkHooks } from './hooks.ts'
import { checkRole, resolveInventory } from './inventory.ts'
import { checkVariables } from './variables.ts'

/** Every environment is checked, not only the one that will be used: a mistake in `prod` should not wait for the day of its deploy. */
export function checkSemantics(loaded: LoadedConfig): readonly Diagnostic[] {
  const problems: Diagnostic[] = []
  const report: Report = (diagnostic) => problems.push(diagnostic)
  for (const environment of Object.keys(loaded.config.environments)) {
    const inventory = resolveInventory(loaded, environment, report)
    for (const [name, { role }] of Object.entries(loaded.config.services)) {
      if (role !== undefined) checkRole(role, ['services', name, 'role'], environment, inventory, loaded, report)
    }
    resolveDatabases(loaded, environment, inventory, report)
    checkVariables(loaded, environment, report)
  }
  checkCache(loaded, report)
  checkTasks(loaded, report)
  checkHooks(loaded, report)
  if (checkTargets(loaded, report)) checkOverlaps(loaded, report)
  return problems
}
