/** Databases of one environment: what the manifest says of them, the environment's changes, and the defaults. */

import { nearest } from '../../graph/nearest.ts'
import type { DatabaseTarget } from '../contracts.ts'
import type { LoadedConfig } from './config.ts'
import { problem, type Report } from './diagnostic.ts'
import type { Inventory } from './inventory.ts'
import { type JsonPath, own } from './json-path.ts'
import { migrationCommand } from './migration-command.ts'
import type { DatabaseConfig } from './schema/databases.ts'
import { listed } from './word-list.ts'

/** Where a service runs: undefined when there is no such service. */
export type Placement = (service: string) => readonly string[] | undefined

interface Merged {
  readonly name: string
  readonly settings: DatabaseConfig
  /** The place that said a key last. */
  readonly at: (...key: string[]) => JsonPath
}

/** Names of variables that hold connection strings here, sorted. */
export function connectionVariables(loaded: LoadedConfig, environment: string): string[] {
  const names = mergedDatabases(loaded, environment).flatMap(({ settings }) => settings.connection_env ?? [])
  return [...new Set(names)].sort()
}

/**
 * Checks and resolves the databases that have migrations, sorted by name. Without `placement` (the Compose file is not known yet)
 * services are not checked.
 */
export function resolveDatabases(
  loaded: LoadedConfig,
  environment: string,
  inventory: Inventory,
  report: Report,
  placement?: Placement,
  services?: readonly string[],
): DatabaseTarget[] {
  const { config } = loaded
  const overrides = own(config.environments, environment)?.databases ?? {}
  for (const name of Object.keys(overrides)) {
    if (Object.hasOwn(config.databases, name)) continue
    const message = `there is no database \`${name}\` to change`
    const location = loaded.locateKey(['environments', environment, 'databases', name])
    report(problem('SC1050', message, location, { suggestion: nearest(name, Object.keys(config.databases)) }))
  }
  // Containers of a swarm are the swarm's own.
  const hasContainers = inventory.hosts.length > 0 && own(config.environments, environment)?.rollout.target !== 'swarm'
  const targets = mergedDatabases(loaded, environment).map((merged) =>
    resolveDatabase(merged, loaded, inventory, report, placement, services, hasContainers),
  )
  return config.migrations.enabled ? targets.filter((target) => target !== undefined) : []
}

function mergedDatabases({ config }: LoadedConfig, environment: string): Merged[] {
  const overrides = own(config.environments, environment)?.databases ?? {}
  const names = Object.keys(config.databases).sort()
  return names.map((name) => {
    const base = own(config.databases, name) ?? {}
    const override = own(overrides, name)
    const migrations = base.migrations || override?.migrations ? { ...base.migrations, ...override?.migrations } : undefined
    const inOverride = (key: readonly string[]) =>
      key.reduce<unknown>((value, part) => (value as Record<string, unknown> | undefined)?.[part], override) !== undefined
    return {
      name,
      settings: { ...base, ...override, ...(migrations && { migrations }) },
      at: (...key) => [...(inOverride(key) ? ['environments', environment] : []), 'databases', name, ...key],
    }
  })
}

function resolveDatabase(
  { name, settings, at }: Merged,
  loaded: LoadedConfig,
  inventory: Inventory,
  report: Report,
  placement: Placement | undefined,
  services: readonly string[] | undefined,
  hasContainers: boolean,
): DatabaseTarget | undefined {
  const { migrations, service, connection_env: connectionEnv } = settings
  const { locate } = loaded
  if (connectionEnv === undefined) report(problem('SC1010', `\`databases.${name}.connection_env\` is required`, locate(at())))
  const hosts = service === undefined ? undefined : placement?.(service)
  if (service !== undefined && placement && !hosts) {
    report(
      problem('SC1051', `database \`${name}\` runs in service \`${service}\`, which is not in the Compose file`, locate(at('service'))),
    )
  }
  const via = resolveVia(settings.via, hosts, inventory, (message, suggestion) =>
    report(problem('SC1052', `database \`${name}\`: ${message}`, locate(at('via')), { suggestion })),
  )
  if (!migrations) return undefined
  const engine = migrations.engine ?? loaded.config.migrations.default_engine
  checkEngine(engine, name, migrations.engine === undefined ? ['migrations', 'default_engine'] : at('migrations', 'engine'), loaded, report)
  const { migration: engines } = loaded.registries
  const provider = engines.has(engine) ? engines.get(engine) : undefined
  const path = migrations.path ?? provider?.command?.path
  if (path === undefined && provider)
    report(problem('SC1010', `\`databases.${name}.migrations.path\` is required`, locate(at('migrations'))))
  const place = { database: name, hasContainers, via, services, locate: (...key: string[]) => locate(at('migrations', ...key)) }
  const command = provider && migrationCommand(provider, migrations, place, report)
  if (connectionEnv === undefined || path === undefined || (provider?.command && !command)) return undefined
  return {
    name,
    connectionEnv,
    engine,
    path,
    ...(command && { command }),
    strategy: migrations.strategy ?? 'pre_deploy',
    ledgerTable: migrations.table ?? ledgerTable(loaded),
    // One that somebody else runs is on no host of ours.
    ...(service !== undefined && (hosts?.length !== 0 || inventory.hosts.length === 0) && { service }),
    via,
  }
}

/** Default: through the first host its service is placed on, else from this machine. */
function resolveVia(
  wanted: string | undefined,
  placed: readonly string[] | undefined,
  { hosts }: Inventory,
  fail: (message: string, suggestion: string | undefined) => void,
): DatabaseTarget['via'] {
  const first = placed?.[0]
  if (wanted === undefined) return first === undefined ? 'direct' : { host: first }
  if (wanted === 'direct') return 'direct'
  const names = hosts.map((host) => host.name)
  if (!names.includes(wanted)) fail(`there is no host \`${wanted}\` to go through`, nearest(wanted, ['direct', ...names]))
  return { host: wanted }
}

function checkEngine(engine: string, database: string, at: JsonPath, loaded: LoadedConfig, report: Report): void {
  const { migration } = loaded.registries
  if (migration.has(engine)) return
  const message = `database \`${database}\`: there is no migration engine \`${engine}\`, only ${listed(migration.ids())}`
  report(problem('SC1053', message, loaded.locate(at), { suggestion: nearest(engine, migration.ids()) }))
}

function ledgerTable({ config, registries }: LoadedConfig): string {
  const schema = registries.migration.get('raw').config
  const parsed = schema.parse(own(config.migrations.engine_config, 'raw') ?? {}) as { readonly schema_table: string }
  return parsed.schema_table
}
