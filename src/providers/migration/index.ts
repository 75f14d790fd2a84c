import { command, drizzle, knex, prisma } from './command.ts'
import type { MigrationProvider } from './provider.ts'
import { raw } from './raw.ts'

export const migrationEngines: readonly MigrationProvider[] = [command, drizzle, knex, prisma, raw]
