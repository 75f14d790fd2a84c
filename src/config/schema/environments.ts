import { z } from 'zod'
import { database } from './databases.ts'
import { environmentHooks } from './hooks.ts'
import { inventory } from './hosts.ts'
import { edgeSettings, traefikSettings } from './routes.ts'
import { environmentRollout, externalOverride, serviceOverride } from './services.ts'
import { emptyAllowed, hostDirectory, name, serviceName, text, transfer, variableName } from './words.ts'

/** Keys that become plain variables under their UPPER_SNAKE name. */
export const variableKeys = ['postgres_volume', 'postgres_init_scripts', 'redis_volume', 'db_port_publish', 'redis_port_publish'] as const

const examples: Readonly<Record<(typeof variableKeys)[number], string>> = {
  postgres_volume: '/srv/postgres',
  postgres_init_scripts: './postgres/init',
  redis_volume: '/srv/redis',
  db_port_publish: '5433:5432',
  redis_port_publish: '6380:6379',
}

const variableValues = Object.fromEntries(
  variableKeys.map((key) => [
    key,
    z
      .string()
      .meta({ examples: [examples[key]] })
      .optional()
      .describe(`Value of the variable \`${key.toUpperCase()}\` in the Compose file.`),
  ]),
) as Record<(typeof variableKeys)[number], z.ZodOptional<z.ZodString>>

export const environment = z.strictObject({
  driver: z.enum(['local', 'remote']).optional().describe('Default `remote` when there are hosts, else `local`.'),
  hosts: inventory.optional().describe('Replaces the top-level `hosts` here.'),
  primary_host: text
    .meta({ examples: ['node-1'] })
    .optional()
    .describe('Keeps the release history; default the first host by name of role `app`, else of any role.'),
  path: hostDirectory.default('/opt/stagecraft').describe('Folder on hosts that everything of ours lies below.'),
  env_file: text
    .meta({ examples: ['.env.prod'] })
    .optional()
    .describe('Dotenv file: relative is on this machine, absolute is on the hosts.'),
  transfer: transfer.optional().describe('How images that are built here reach these hosts; default what `project.transfer` says.'),
  variables: z
    .record(variableName, z.string())
    .default({})
    .meta({ examples: [{ LOG_LEVEL: 'info' }] })
    .describe('Values for variables in the Compose file. Not for secrets.'),
  known_hosts: z
    .array(text.meta({ examples: ['deploy/known_hosts'] }))
    .default([])
    .describe('OpenSSH known_hosts files, looked up before the usual ones.'),
  rollout: environmentRollout.default({}).describe('How new versions take the place of old ones here; a service may say otherwise.'),
  edge: emptyAllowed(edgeSettings).prefault({}).describe('The proxy in front of this environment.'),
  traefik: emptyAllowed(traefikSettings).prefault({}).describe('Older names of `edge`.'),
  services: z.record(serviceName, emptyAllowed(serviceOverride)).default({}).describe('What is different about services here, by name.'),
  api: externalOverride.optional().describe('The same as under `services`, for the service of this name.'),
  web: externalOverride.optional().describe('The same as under `services`, for the service of this name.'),
  databases: z.record(name, emptyAllowed(database)).default({}).describe('What is different about databases here, by name.'),
  hooks: environmentHooks.default({}).describe('Over the top-level `hooks`, by name; `false` takes one away.'),
  ...variableValues,
})
export type EnvironmentConfig = z.output<typeof environment>
