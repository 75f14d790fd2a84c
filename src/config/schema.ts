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
  project: project.describe('What this project is called and where its images go.'),
  backend: providerBlock.optional().describe('Builds the image of services with `build: backend`.'),
  frontend: providerBlock.optional().describe('Builds the image of services with `build: frontend`.'),
  edge: z.union([z.string(), providerBlock]).optional().describe('The proxy that answers for services with a `route`.'),
  hosts: inventory.optional().describe('Machines of environments that have none of their own: a list, or a map from role to machines.'),
  services: z
    .record(serviceName, emptyAllowed(service))
    .default({})
    .describe('What the Compose file cannot say about its services, by name.'),
  databases: z.record(name, database).default({}).describe('Databases that are migrated, by name.'),
  migrations: migrationDefaults.prefault({}).describe('What holds for the migrations of every database.'),
  cache: emptyAllowed(cache).prefault({}).describe('Results that are kept, here and for other machines.'),
  tasks: z.record(taskName, task).default({}).describe('Commands of yours as tasks of the graph, by name.'),
  hooks: hooks.default({}).describe('Commands before and after what a deploy does, by point: `before_rollout`, `after_build:api`.'),
  pools: pools.default({}).describe('How many tasks of a pool run at once, by pool.'),
  pipelines: z.record(taskName, pipeline).default({}).describe('Targets under one name: a list, or a map.'),
  environments: z.record(name, emptyAllowed(environment)).default({}).describe('Where the project runs, by name.'),
})
