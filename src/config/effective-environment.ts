/** What holds in one environment: values as they were resolved for a deploy, each with the line that won. Pure. */
import type { Json } from '../../graph/types.ts'
import type { DatabaseTarget, Deployment, Hook, HostAddress, Service } from '../contracts.ts'
import type { ComposeFile } from './compose-file.ts'
import type { LoadedConfig } from './config.ts'
import { type EffectiveValue, effectiveSettings, firstWritten, type Origin, setting, settingsAt } from './effective.ts'
import { transferOf } from './image-build.ts'
import { isObject, type JsonPath, own, valueAt } from './json-path.ts'
import { variableKeys } from './schema/environments.ts'

/** Resolved for an environment further down. */
const resolved = ['environments', 'services', 'hosts', 'databases', 'hooks']
const resolvedHere = ['hosts', 'services', 'databases', 'hooks', 'variables', 'driver', 'primary_host', 'transfer', ...variableKeys]

export interface EnvironmentView {
  readonly loaded: LoadedConfig
  readonly compose: ComposeFile
  readonly deployment: Deployment
  /** Names of variables in the environment file on this machine. */
  readonly envFileNames: readonly string[]
}

type Row = readonly [key: string, value: Json | undefined, origin: Origin | undefined]

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

function serviceSettings(service: Service, { loaded, compose, deployment }: EnvironmentView): EffectiveValue[] {
  const { name, hosts, build, health, rollout, route } = service
  const environment = ['environments', deployment.environment]
  const ours: JsonPath = ['services', name]
  const override: JsonPath = [...environment, 'services', name]
  const said = (...key: string[]) =>
    firstWritten(loaded, [
      [...override, ...key],
      [...ours, ...key],
    ])
  const rolled = (key: string) => said('rollout', key) ?? firstWritten(loaded, [[...environment, 'rollout', key]])
  const inCompose = (...key: string[]): Origin | undefined => {
    const definition = own(Object.fromEntries(compose.services.map((one) => [one.name, one.definition])), name)
    if (definition === undefined || valueAt(definition, key) === undefined) return undefined
    const { file, line } = compose.locate(['services', name, ...key])
    return { from: 'compose', file, line }
  }
  const settingsHere = own(loaded.config.environments, deployment.environment)
  const policies = [own(settingsHere?.services ?? {}, name), own(loaded.config.services, name), settingsHere].map(
    (one) => one?.rollout.min_free_space,
  )
  const freeSpace = policies.find((one) => one !== undefined) ?? '1GiB'
  const block = own(loaded.config.services, name)?.build
  const image = service.definition['image']
  return settings(
    ['services', name],
    [
      ['role', service.role, said('role')],
      ['hosts', service.hosts.length > 0 ? service.hosts : undefined, said('role') ?? because('every host of the environment')],
      ['replicas', service.replicas, said('replicas') ?? inCompose('deploy', 'replicas') ?? inCompose('scale')],
      [
        'image',
        build ? build.repository : typeof image === 'string' ? image : undefined,
        inCompose('image') ?? because('project.registry and the name of the service'),
      ],
      ['build', block, said('build')],
      ['build.context', build?.context, block === undefined ? inCompose('build') : said('build')],
      ['build.dockerfile', build?.dockerfile, block === undefined ? inCompose('build', 'dockerfile') : said('build')],
      ['health.path', health?.path, said('health', 'path')],
      ['health.port', health?.port, said('health', 'port')],
      ['health.expected_status', health?.expectedStatus, said('health', 'expected_status')],
      ['rollout.driver', rollout.driver, rolled('driver')],
      ['rollout.order', rollout.order, rolled('order') ?? (rollout.reason === undefined ? undefined : because(rollout.reason))],
      ['rollout.timeout_seconds', rollout.timeoutSeconds, rolled('timeout_seconds')],
      ['rollout.min_ready_seconds', rollout.minReadySeconds, rolled('min_ready_seconds')],
      ['rollout.surge', rollout.surge, rolled('surge')],
      ['rollout.min_free_space', hosts.length > 0 ? freeSpace : undefined, rolled('min_free_space')],
      ['route.domains', route?.domains, said('route', 'domains') ?? said('route')],
      ['route.redirect', route && route.redirects.length > 0 ? route.redirects : undefined, said('route', 'redirect')],
      ['route.path', route?.path, said('route', 'path')],
      [
        'route.port',
        route?.port,
        said('route', 'port') ?? said('port') ?? said('health', 'port') ?? (route && because('the only port the Compose file names')),
      ],
      [
        'route.tls',
        route && (route.tls.mode === 'files' ? { certificate: route.tls.certificate, key: route.tls.key } : route.tls.mode),
        said('route', 'tls') ??
          firstWritten(loaded, [
            [...environment, 'edge', 'tls'],
            [...environment, 'traefik', 'mode'],
          ]),
      ],
      [
        'route.hsts',
        route?.hsts,
        said('route', 'hsts') ??
          firstWritten(loaded, [
            [...environment, 'edge', 'hsts'],
            [...environment, 'traefik', 'hsts'],
          ]),
      ],
      ['route.basic_auth', route?.basicAuth, said('route', 'basic_auth')],
      ['route.drain_seconds', route?.drainSeconds, said('route', 'drain_seconds')],
      [
        'route.assets',
        route?.assets && { path: route.assets.path, directory: route.assets.directory, keep_minutes: route.assets.keepMinutes },
        said('route', 'assets'),
      ],
    ],
  )
}

/** Services that somebody else runs are not deployed, and stand only under the environment. */
function externalSettings({ loaded, deployment }: EnvironmentView): EffectiveValue[] {
  const environment = own(loaded.config.environments, deployment.environment)
  const at: JsonPath = ['environments', deployment.environment]
  return Object.entries(environment?.services ?? {}).flatMap(([name, { mode, url }]) =>
    mode !== 'external'
      ? []
      : settings(
          ['services', name],
          [
            ['mode', mode, firstWritten(loaded, [[...at, 'services', name, 'mode']])],
            ['url', url, firstWritten(loaded, [[...at, 'services', name, 'url']])],
          ],
        ),
  )
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

function because(why: string): Origin {
  return { from: 'computed', why }
}

/** Rows without a value are no settings; without an origin, the value is the default. */
function settings(at: JsonPath, rows: readonly Row[]): EffectiveValue[] {
  return rows.flatMap(([key, value, origin]) => {
    if (value === undefined) return []
    if (isObject(value))
      return settings(
        [...at, key],
        Object.entries(value).map(([name, member]) => [name, member, origin]),
      )
    return [setting([...at, ...key.split('.')], value, origin ?? { from: 'default' })]
  })
}
