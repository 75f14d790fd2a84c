import { z } from 'zod'
import type { MigrationProvider } from './provider.ts'

/** Plain SQL files, applied by us over a database connection. */
export const raw: MigrationProvider<{ readonly schema_table: string }> = {
  role: 'migration',
  id: 'raw',
  summary: 'SQL files applied in order of their names',
  config: z.strictObject({
    schema_table: z
      .string()
      .regex(/^[A-Za-z_][A-Za-z0-9_]*(?:\.[A-Za-z_][A-Za-z0-9_]*)?$/, 'expected the name of a table, with or without its schema')
      .default('stagecraft_migrations')
      .describe('The ledger of applied migrations.'),
  }),
}
