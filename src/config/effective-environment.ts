/** What holds in one environment: values as they were resolved for a deploy, each with the line that won. Pure. */
import type { Json } from '../../graph/types.ts'
import type { DatabaseTarget, Hook, HostAddress } from '../contracts.ts'
import { because, type EffectiveValue, effectiveSettings, firstWritten, type Origin, type Row, settings, settingsAt } from './effective.ts'
import { type EnvironmentView, externalSettings, serviceSettings } from './effective-service.ts'
import { transferOf } from './image-build.ts'
import { type JsonPath, own } from './json-path.ts'
import { variableKeys } from './schema/environments.ts'

/** Resolved for an environment further down. */
const resolved = ['environments', 'services', 'hosts', 'databases', 'hooks']
const resolvedHere = ['hosts', 'services', 'databases', 'hooks', 'variables', 'driver', 'primary_host', 'transfer', ...variableKeys]

/** Every setting of one environment, in the order of the manifest's language. */
export function effectiveEnvironment(view: EnvironmentView): EffectiveValue[] {
  const { loaded, deployment } = view
  const shared = Object.keys(loaded.config).filter((key) => !resolved.includes(key))
  return [
    ...effectiveSettings(loaded, shared),
    ...environmentSettings(view),
    ...deployment.hosts.flatMap((host) => hostSettings(host, view)),
    ...variables(view),
    ...deployment.services.flatMap((service) => serviceSettings(service, view)),
    ...externalSettings(view),
    ...deployment.databases.flatMap((database) => databaseSettings(database, view)),
    ...(deployment.hooks ?? []).flatMap((hook) => hookSettings(hook, view)),
  ]
}

function environmentSettings({ loaded, deployment }: EnvironmentView): EffectiveValue[] {
  const name = deployment.environment
  const environment = own(loaded.config.environments, name)
  if (!environment) return []
  const at: JsonPath = ['environments', name]
  const isRemote = deployment.hosts.length > 0
  const said = (...paths: JsonPath[]) => firstWritten(loaded, paths)
  const rows: readonly Row[] = [
    ['name', name, { from: 'outside', why: '--env or STAGECRAFT_ENV' }],
    ['driver', isRemote ? 'remote' : 'local', said([...at, 'driver']) ?? because(isRemote ? 'it has hosts' : 'it has no hosts')],
    ['primary_host', deployment.primaryHost, said([...at, 'primary_host']) ?? because('the first by name of role app, else of any')],
    ['transfer', isRemote ? transferOf({ loaded, environment }) : undefined, said([...at, 'transfer'], ['project', 'transfer'])],
    ['rollout.on_failure', isRemote ? deployment.fleet.onFailure : undefined, said([...at, 'rollout', 'on_failure'])],
    ['directory', isRemote ? deployment.directory : undefined, because('path, project and environment')],
  ]
  const config = loaded.config as unknown as Json
  const others = Object.keys(environment).filter((key) => !resolvedHere.includes(key))
  const first = settings(['environment'], rows)
  const rest = others.flatMap((key) => settingsAt(loaded, config, [...at, key], ['environment', key]))
  return [...first, ...rest.filter(({ path }) => !first.some((one) => one.path === path))]
}

function hostSettings(host: HostAddress, { loaded, deployment }: EnvironmentView): EffectiveValue[] {
  const from = own(loaded.config.environments, deployment.environment)?.hosts ? 'environment' : 'manifest'
  const line: Origin | undefined = host.origin && { from, file: host.origin.file, line: host.origin.line }
  return settings(
    ['hosts', host.name],
    [
      ['address', host.address, line],
      ['private_address', host.privateAddress, line],
      ['user', host.user, line],
      ['port', host.port, line],
      ['identity_file', host.identityFile, line],
      ['roles', host.roles.length > 0 ? host.roles : undefined, line],
    ],
  )
}

function variables({ loaded, deployment, envFileNames }: EnvironmentView): EffectiveValue[] {
  const at: JsonPath = ['environments', deployment.environment]
  const { plain, secret, envFile } = deployment.variables
  const key = (name: string) => variableKeys.find((candidate) => candidate.toUpperCase() === name)
  const names = Object.entries(plain).map(([name, value]): Row => {
    const paths: JsonPath[] = [
      [...at, 'variables', name],
      [...at, key(name) ?? name],
    ]
    return [name, value, firstWritten(loaded, paths)]
  })
  const secrets = secret.map((name): EffectiveValue => {
    const fromFile = envFile !== undefined && envFileNames.includes(name)
    const origin: Origin = fromFile ? { from: 'env_file', file: envFile } : { from: 'outside', why: 'the process environment' }
    return { path: `variables.${name}`, value: null, origin, secret: true }
  })
  // A secret of the same name wins.
  return [...settings(['variables'], names).filter(({ path }) => !secrets.some((one) => one.path === path)), ...secrets]
}

function databaseSettings(database: DatabaseTarget, { loaded, deployment }: EnvironmentView): EffectiveValue[] {
  const { name, via } = database
  const said = (...key: string[]) =>
    firstWritten(loaded, [
      ['environments', deployment.environment, 'databases', name, ...key],
      ['databases', name, ...key],
    ])
  const shared = (...key: string[]) => firstWritten(loaded, [['migrations', ...key]])
  return settings(
    ['databases', name],
    [
      ['connection_env', database.connectionEnv, said('connection_env')],
      ['service', database.service, said('service')],
      ['via', via === 'direct' ? via : via.host, said('via') ?? (via === 'direct' ? undefined : because('its service runs there'))],
      ['migrations.engine', database.engine, said('migrations', 'engine') ?? shared('default_engine')],
      ['migrations.path', database.path, said('migrations', 'path')],
      ['migrations.strategy', database.strategy, said('migrations', 'strategy')],
      ['migrations.table', database.ledgerTable, said('migrations', 'table') ?? shared('engine_config', 'raw', 'schema_table')],
    ],
  )
}

function hookSettings(hook: Hook, { loaded, deployment }: EnvironmentView): EffectiveValue[] {
  const own: JsonPath = ['environments', deployment.environment, 'hooks', hook.point]
  const at: JsonPath = firstWritten(loaded, [own]) ? own : ['hooks', hook.point]
  const said = (key: string) => firstWritten(loaded, [[...at, key]])
  return settings(
    ['hooks', hook.point],
    [
      ['command', hook.command, said('command') ?? firstWritten(loaded, [at])],
      ['on', hook.on, said('on')],
      ['timeout', `${hook.timeoutMs / 1000}s`, said('timeout')],
      ['on_failure', hook.onFailure, said('on_failure')],
      ['env', hook.env.length > 0 ? hook.env : undefined, said('env')],
      ['secrets', hook.secrets.length > 0 ? hook.secrets : undefined, said('secrets')],
    ],
  )
}
