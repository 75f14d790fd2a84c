/** The language of `stagecraft.yml`. Every key here is acted on; those of later versions are in `unsupported.ts`. */
import { z } from 'zod'
import { cache } from './schema/cache.ts'
import { database, migrationDefaults } from './schema/databases.ts'
import { environment } from './schema/environments.ts'
import { hooks } from './schema/hooks.ts'
import { inventory } from './schema/hosts.ts'
import { project } from './schema/project.ts'
import { service } from './schema/services.ts'
import { pipeline, pools, task, taskName } from './schema/tasks.ts'
import { emptyAllowed, name, serviceName } from './schema/words.ts'

/** A provider block. Its own rules are in `provider-blocks.ts`, because the registry of providers decides them. */
const providerBlock = z.record(z.string(), z.unknown())

export const manifest = z.strictObject({
  project,
  backend: providerBlock.optional(),
  frontend: providerBlock.optional(),
  edge: z.union([z.string(), providerBlock]).optional(),
  hosts: inventory.optional(),
  services: z.record(serviceName, emptyAllowed(service)).default({}),
  databases: z.record(name, database).default({}),
  migrations: migrationDefaults.prefault({}),
  cache: emptyAllowed(cache).prefault({}),
  tasks: z.record(taskName, task).default({}),
  hooks: hooks.default({}),
  pools: pools.default({}),
  pipelines: z.record(taskName, pipeline).default({}),
  environments: z.record(name, emptyAllowed(environment)).default({}),
})
