/** What holds for a service in one environment, each setting with the line that won. Pure. */
import type { Deployment, Service } from '../contracts.ts'
import type { ComposeFile } from './compose-file.ts'
import type { LoadedConfig } from './config.ts'
import { because, type EffectiveValue, firstWritten, type Origin, settings } from './effective.ts'
import { type JsonPath, own, valueAt } from './json-path.ts'

export interface EnvironmentView {
  readonly loaded: LoadedConfig
  readonly compose: ComposeFile
  readonly deployment: Deployment
  /** Names of variables in the environment file on this machine. */
  readonly envFileNames: readonly string[]
}

/** A service that is deployed. */
export function serviceSettings(service: Service, { loaded, compose, deployment }: EnvironmentView): EffectiveValue[] {
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
export function externalSettings({ loaded, deployment }: EnvironmentView): EffectiveValue[] {
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
