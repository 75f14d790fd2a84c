import { z } from 'zod'
import { command, duration, variablePattern } from './tasks.ts'
import { connectionVariable, pathInProject, serviceName, text } from './words.ts'

const engineName = text.meta({ examples: ['raw'] })
/** Goes into SQL as an identifier. */
export const ledgerTable = z
  .string()
  .regex(/^[A-Za-z_][A-Za-z0-9_]*(?:\.[A-Za-z_][A-Za-z0-9_]*)?$/, 'expected the name of a table, with or without its schema')
  .meta({ examples: ['public.migrations'] })

const migrations = z.strictObject({
  engine: engineName.optional().describe('Who applies them; default what `migrations.default_engine` says.'),
  path: pathInProject
    .meta({ examples: ['migrations'] })
    .optional()
    .describe('Folder of migrations; engines that run a known tool know where it keeps its own.'),
  strategy: z
    .enum(['pre_deploy', 'post_deploy', 'manual'])
    .optional()
    .describe('Before the rollout (default), after it is healthy, or only by `stagecraft migrate`.'),
  table: ledgerTable.optional().describe('The ledger of applied migrations.'),
  command: command.optional().describe('What applies all that is pending. Engines `drizzle`, `knex` and `prisma` know theirs.'),
  check: command.optional().describe('Ends with 0 when nothing is pending. Default: a row in the ledger tells.'),
  runner: z
    .enum(['host', 'container'])
    .optional()
    .describe('This machine, or a one-off container of the release; default where there are hosts.'),
  on: serviceName.optional().describe('The service whose image has the command.'),
  env: z.array(variablePattern).optional().describe('Variables of this machine that the command gets.'),
  timeout: duration.optional().describe('Of the command; default 10m.'),
})
export type MigrationsConfig = z.output<typeof migrations>

/** `databases.<name>`, and what an environment changes of it: what is needed is checked once both are known. */
export const database = z.strictObject({
  connection_env: connectionVariable.optional().describe('Variable that holds the connection string. Always a secret.'),
  service: serviceName
    .meta({ examples: ['db'] })
    .optional()
    .describe('The Compose service it runs in, when it is one of ours.'),
  via: text
    .meta({ examples: ['direct'] })
    .optional()
    .describe('`direct`, or the host through whose SSH connection it is reached.'),
  migrations: migrations.optional().describe('What is applied to it; without this nothing is.'),
})
export type DatabaseConfig = z.output<typeof database>

/** `migrations`: defaults of every database. */
export const migrationDefaults = z.strictObject({
  enabled: z.boolean().default(true).describe('False: no database is migrated.'),
  default_engine: engineName.default('raw').describe('Engine of databases that name none.'),
  engine_config: z.record(z.string(), z.unknown()).default({}).describe('Checked by the engine each entry names.'),
})
