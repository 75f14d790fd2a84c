/** The text of a new manifest. Pure. */
import type { Choice, Detected } from './detect.ts'
import { besideBuiltIn } from './package-scripts.ts'
import { scalar } from './scalar.ts'
import { tasksBlock } from './tasks-block.ts'

export interface ManifestPlan {
  readonly name: Choice
  readonly registry?: Choice
  /** Without one there is nothing to deploy, and the manifest is about tasks. */
  readonly composeFile?: string
  readonly environment: string
  /** `[user@]address[:port]`. */
  readonly host?: string
  readonly detected: Detected
}

/** Both are reserved for examples (RFC 2606): they never resolve, so a forgotten one fails at once, by name. */
export const placeholders = { host: 'deploy@your-server.example', registry: 'registry.example' } as const

/** Environments that are this machine unless a host is given. */
const localNames = ['dev', 'development', 'local']

/** Whether the plan deploys to hosts. */
export function isRemote({ environment, host }: Pick<ManifestPlan, 'environment' | 'host'>): boolean {
  return host !== undefined || !localNames.includes(environment)
}

/** Where editors find the language of the manifest, relative to it; written by `init`, ignored by git like all in its folder. */
export const schemaFile = '.stagecraft/stagecraft.schema.json'

/** A complete manifest with comments; every value that is a guess says so, and every one that must be replaced. */
export function renderManifest(plan: ManifestPlan): string {
  const { composeFile, detected } = plan
  const deployment = composeFile === undefined ? [] : [servicesBlock(composeFile, plan), databasesBlock(plan), environmentsBlock(plan)]
  const own = composeFile === undefined ? detected.tasks : detected.tasks.map(besideBuiltIn)
  const tasks = tasksBlock(own, composeFile === undefined)
  const blocks = [[`# yaml-language-server: $schema=${schemaFile}`, ...header(composeFile)], projectBlock(plan), ...tasks, ...deployment]
  return `${blocks
    .filter((block) => block.length > 0)
    .map((block) => block.join('\n'))
    .join('\n\n')}\n`
}

function header(composeFile: string | undefined): string[] {
  if (composeFile === undefined)
    return ['# What can be run here: `stagecraft run <name>`. Yours to edit and to commit: no secret belongs in here.']
  return [
    '# Where this project runs, and what its Compose file cannot say. Yours to edit and to commit: no secret belongs in here.',
    '# `guess:` marks what `stagecraft init` inferred, `REPLACE:` what it could not know.',
  ]
}

function projectBlock(plan: ManifestPlan): string[] {
  const { name, composeFile } = plan
  if (composeFile === undefined) return [`project: { name: ${scalar(name.value)} }`]
  const lines = ['project:', '  # Names images, containers and the folder on hosts.', setting(2, 'name', name)]
  const registry = registryChoice(plan)
  if (registry) lines.push('  # Images are pushed to <registry>/<service>, without scheme or tag.', registry)
  if (composeFile !== 'docker-compose.yml') lines.push(`  compose_file: ${scalar(composeFile)}`)
  return lines
}

function registryChoice(plan: ManifestPlan): string | undefined {
  if (plan.registry) return setting(2, 'registry', plan.registry)
  const needed = isRemote(plan) && plan.detected.services.some((service) => service.isBuilt)
  if (!needed) return undefined
  return `  registry: ${scalar(`${placeholders.registry}/${plan.name.value}`)}  # REPLACE: a registry you can push to and hosts can pull from`
}

function servicesBlock(composeFile: string, { detected: { services } }: ManifestPlan): string[] {
  if (services.length === 0) return []
  const width = Math.max(...services.map(({ name }) => name.length))
  const example = services.find((service) => service.isBuilt) ?? services[0]
  return [
    `# Services are what ${oneLine(composeFile)} says they are:`,
    ...services.map(({ name, what }) => `#   ${name.padEnd(width)}  ${oneLine(what)}`.trimEnd()),
    '# Only what Compose cannot say goes here, such as:',
    '# services:',
    `#   ${scalar(example?.name ?? '')}:`,
    '#     replicas: 2',
    '#     health: { path: /healthz, port: 3000 }',
  ]
}

function databasesBlock({ detected: { database, services } }: ManifestPlan): string[] {
  if (!database) {
    const postgres = services.find((service) => service.runs === 'postgres')
    if (!postgres) return []
    return [
      '# Migrations can run as part of a deploy:',
      '# databases:',
      '#   main:',
      '#     connection_env: DATABASE_URL',
      `#     service: ${scalar(postgres.name)}`,
      '#     migrations: { engine: raw, path: migrations }',
    ]
  }
  return [
    'databases:',
    '  main:',
    '    # The variable that holds the connection string. Its value is a secret and comes from the environment file.',
    setting(4, 'connection_env', database.connectionEnv),
    ...(database.service === undefined
      ? []
      : [
          '    # Runs in this service, and is reached through its host.',
          setting(4, 'service', { value: database.service, from: 'its image' }),
        ]),
    '    migrations:',
    '      engine: raw  # plain .sql files, each applied once, in order of their names',
    setting(6, 'path', database.migrations),
    '      strategy: pre_deploy  # before new containers start; or `manual`',
  ]
}

function environmentsBlock(plan: ManifestPlan): string[] {
  const { environment, host, detected } = plan
  const lines = ['environments:', `  ${scalar(environment)}:`]
  if (isRemote(plan)) {
    lines.push('    # [user@]address[:port] of machines with Docker that you reach by SSH.', '    hosts:')
    lines.push(host === undefined ? `      - ${placeholders.host}  # REPLACE: your server` : `      - ${scalar(host)}`)
  } else {
    lines.push('    driver: local  # this machine')
  }
  const suffixes = environment === 'prod' ? ['prod', 'production'] : isRemote(plan) ? [environment] : [environment, 'local', '']
  const file = suffixes.map((suffix) => (suffix === '' ? '.env' : `.env.${suffix}`)).find((name) => detected.envFiles.includes(name))
  lines.push('    # Dotenv file on this machine with the values of secrets; never committed.')
  lines.push(file === undefined ? `    # env_file: .env.${environment}` : setting(4, 'env_file', { value: file, from: 'its name' }))
  return lines
}

function setting(indent: number, key: string, choice: Choice): string {
  const note =
    choice.from === undefined ? '' : choice.from === 'custom' ? '  # guess: the usual name' : `  # guess: from ${oneLine(choice.from)}`
  return `${' '.repeat(indent)}${key}: ${scalar(choice.value)}${note}`
}

function oneLine(text: string): string {
  return text.replace(/\s+/g, ' ').trim()
}
