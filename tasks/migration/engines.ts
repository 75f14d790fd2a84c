/** Every migration engine that can act, by id; `src/providers/migration` has what each is configured with. */
import { commandEngine } from './command.ts'
import type { MigrationEngine } from './engine.ts'
import { raw } from './raw.ts'

export const engines: ReadonlyMap<string, MigrationEngine> = new Map(
  [raw, ...['command', 'drizzle', 'knex', 'prisma'].map(commandEngine)].map((engine) => [engine.id, engine]),
)

export function engineOf(id: string): MigrationEngine {
  const found = engines.get(id)
  if (!found) throw new Error(`no migration engine is called ${id}`)
  return found
}
