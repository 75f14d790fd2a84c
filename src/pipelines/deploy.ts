/** What a deploy consists of: a deployment becomes tasks. Pure; nothing here acts, looks or knows a host from a fake. */
import { posix } from 'node:path'
import type { Json, Location, Task, TaskId } from '../../graph/types.ts'
import type { BuildParams } from '../../tasks/build.ts'
import type { FinalizeParams } from '../../tasks/finalize.ts'
import type { HealthParams } from '../../tasks/health.ts'
import type { MigrateParams } from '../../tasks/migrate.ts'
import type { PushParams } from '../../tasks/push.ts'
import type { RenderParams } from '../../tasks/render.ts'
import { interpolate } from '../../tasks/rendering/interpolate.ts'
import type { RolloutParams } from '../../tasks/rollout.ts'
import type { UploadParams } from '../../tasks/upload.ts'
import type { DatabaseTarget, Deployment, ImageBuild, Service } from '../contracts.ts'
import { databaseServices } from './database-services.ts'
import { edgeTasks, proxyTasks, routeOn, wantedRoutes, withEdgeNetwork, withNetwork } from './edge-tasks.ts'

export interface DeployOptions {
  /** Recorded in the release; not part of what anything is made from. */
  readonly version: string
  /** Names defined by the local environment file. */
  readonly envFileNames: readonly string[]
  /** Build arguments with plain variables filled in, by service. */
  readonly buildArgs: Readonly<Record<string, Readonly<Record<string, string>>>>
  /** The ignore file of each build's context, project-relative, by service; none where there is none. */
  readonly ignoreFiles: Readonly<Record<string, string>>
}

/**
 * Every task of a deploy, in no particular order.
 *
 *     build:* ─▶ push:* ─▶ render:H ─▶ upload:H ─▶ rollout:S@H ─▶ health ─▶ finalize
 *                   ╰╌╌╌▶ migrate_pre:D ╌╌╌╌╌╌╌╌╌╌╌╯              (╌ order only)
 *     proxy:H ╌╌╌╌╌╌╌╌╌╌╌▶ rollout:S@H ╌╌▶ edge:S@H ╌╌▶ health       (routed services)
 *
 * A database that is one of our services is rolled before its migrations; every other rollout comes after them.
 */
export function deployTasks(deployment: Deployment, options: DeployOptions): Task[] {
  const built = deployment.services.filter((service) => service.build !== undefined)
  const builds = built.map((service) => buildTask(service, deployment, options))
  const pushes = deployment.hosts.length === 0 ? [] : built.map((service) => pushTask(service, builds))
  const pushIds = pushes.map((task) => task.id)
  if (deployment.hosts.length === 0) return builds
  const migrated = deployment.databases.filter((database) => database.strategy === 'pre_deploy')
  const migrations = migrated.map((database) => migrateTask(database, deployment, pushIds))
  const renders = deployment.hosts.map(({ name }) => renderTask(name, deployment, options))
  const early = databaseServices(migrated, deployment)
  const external = migrated.filter((database) => database.service === undefined).map(({ name }) => id('migrate_pre', name))
  const uploads = deployment.hosts.map(({ name }) => uploadTask(name, deployment, external))
  const rollouts = deployment.services.flatMap((service) =>
    service.hosts.map((host) => rolloutTask(service, host, deployment, early.has(service.name) ? [] : migrations.map((task) => task.id))),
  )
  const edges = edgeTasks(deployment)
  const rolled = rollouts.map((task) => task.id)
  const renderIds = renders.map((task) => task.id)
  return [
    ...builds,
    ...pushes,
    ...renders,
    ...uploads,
    ...migrations,
    ...proxyTasks(deployment),
    ...rollouts,
    ...edges,
    healthTask(deployment, renderIds, [...rolled, ...edges.map((task) => task.id)]),
    finalizeTask(deployment, options, renderIds, pushIds),
  ]
}

function buildTask(service: Service, deployment: Deployment, options: DeployOptions): Task {
  const build = service.build as ImageBuild
  const secrets = Object.fromEntries(
    Object.entries(build.secrets).map(([secretId, from]) => [secretId, 'environment' in from ? from.environment : `file:${from.file}`]),
  )
  return task<BuildParams>('build', service.name, undefined, service.origin, [], [], {
    service: service.name,
    repository: build.repository,
    context: build.context,
    dockerfile: build.dockerfile,
    dockerignore: options.ignoreFiles[service.name] ?? null,
    withheld: withheldFrom(build.context, deployment),
    target: build.target ?? null,
    args: options.buildArgs[service.name] ?? build.args,
    platforms: [...build.platforms],
    secrets,
    ssh: [...build.ssh],
    additionalContexts: build.additionalContexts,
    cacheFrom: [...build.cacheFrom],
    labels: build.labels,
    remote: deployment.hosts.length > 0,
  })
}

/** A `COPY . .` must not carry the environment's secrets or the project's key into an image. */
function withheldFrom(context: string, { variables }: Deployment): string[] {
  const confidential = ['.stagecraft', ...(variables.envFile === undefined ? [] : [posix.normalize(variables.envFile)])]
  return confidential.filter((path) => !posix.relative(context, path).startsWith('..'))
}

/** Pushes wait for all builds: a broken build publishes nothing. */
function pushTask(service: Service, builds: readonly Task[]): Task {
  const build = service.build as ImageBuild
  const needs = [id('build', service.name)]
  return task<PushParams>('push', service.name, undefined, service.origin, needs, others(builds, needs), {
    service: service.name,
    repository: build.repository,
    build: id('build', service.name),
  })
}

/** However it is reached, a database that is one of our services is up first. */
function migrateTask(database: DatabaseTarget, { services }: Deployment, pushIds: readonly TaskId[]): Task {
  const service = services.find(({ name }) => name === database.service)
  const after = service?.hosts.map((host) => id('rollout', service.name, host)) ?? []
  return task<MigrateParams>('migrate_pre', database.name, undefined, undefined, [], [...pushIds, ...after], {
    database: database.name,
    path: database.path,
    table: database.ledgerTable,
    connectionEnv: database.connectionEnv,
    waitSeconds: 30,
  })
}

function renderTask(host: string, deployment: Deployment, options: DeployOptions): Task {
  const placed = deployment.services.filter((service) => service.hosts.includes(host))
  const needs = placed.filter((service) => service.build).map((service) => id('push', service.name))
  const composeDirectory = posix.dirname(deployment.compose.file)
  return task('render', host, undefined, undefined, needs, [], {
    host,
    project: deployment.project,
    environment: deployment.environment,
    composeProject: deployment.composeProject,
    directory: deployment.directory,
    topLevel: withNetwork(deployment.compose.topLevel, deployment),
    services: Object.fromEntries(
      placed.map((service) => [
        service.name,
        {
          definition: withEdgeNetwork(service),
          replicas: service.replicas,
          image: service.build ? { push: id('push', service.name), repository: service.build.repository } : null,
          ownCode: service.build !== undefined,
        },
      ]),
    ),
    plain: deployment.variables.plain,
    secretNames: [...deployment.variables.secret],
    envFileNames: [...options.envFileNames],
    hostEnvFile: deployment.variables.hostEnvFile ?? null,
    ...(composeDirectory === '.' ? {} : { composeDirectory }),
  } satisfies RenderParams)
}

function uploadTask(host: string, deployment: Deployment, after: readonly TaskId[]): Task {
  const render = id('render', host)
  return task<UploadParams>('upload', host, undefined, undefined, [render], after, { host, directory: deployment.directory, render })
}

function rolloutTask(service: Service, host: string, deployment: Deployment, migrations: readonly TaskId[]): Task {
  const render = id('render', host)
  const before = service.dependsOn
    .filter((name) => deployment.services.some((other) => other.name === name && other.hosts.includes(host)))
    .map((name) => id('rollout', name, host))
  const { definition, rollout } = service
  const proxies = service.route ? [id('proxy', host)] : []
  return task<RolloutParams>(
    'rollout',
    service.name,
    host,
    service.origin,
    [render],
    [id('upload', host), ...proxies, ...before, ...migrations],
    {
      service: service.name,
      host,
      composeProject: deployment.composeProject,
      directory: deployment.directory,
      render,
      replicas: service.replicas,
      driver: rollout.driver,
      order: rollout.order,
      orderReason: rollout.reason ?? null,
      ownCode: service.build !== undefined,
      restart: restartPolicy(definition['restart'], deployment.variables.plain),
      timeoutSeconds: rollout.timeoutSeconds,
      minReadySeconds: rollout.minReadySeconds,
      stopGraceSeconds: rollout.stopGraceSeconds,
      probe: service.health ?? null,
      route: routeOn(host, service, deployment) ?? null,
    },
  )
}

function healthTask(deployment: Deployment, renders: readonly TaskId[], rollouts: readonly TaskId[]): Task {
  const services = deployment.services.flatMap((service) =>
    service.hosts.map((host) => ({ service: service.name, host, render: id('render', host), replicas: service.replicas })),
  )
  const timeoutSeconds = Math.max(0, ...deployment.services.map((service) => service.rollout.timeoutSeconds))
  const environment = deployment.environment
  return task<HealthParams>('health', environment, undefined, undefined, renders, rollouts, { environment, services, timeoutSeconds })
}

function finalizeTask(deployment: Deployment, options: DeployOptions, renders: readonly TaskId[], pushes: readonly TaskId[]): Task {
  const { environment } = deployment
  return task<FinalizeParams>('finalize', environment, undefined, undefined, [...renders, ...pushes], [id('health', environment)], {
    environment,
    version: options.version,
    hosts: deployment.hosts.map((host) => host.name),
    primaryHost: deployment.primaryHost ?? deployment.hosts[0]?.name ?? '',
    renders: deployment.hosts.map((host) => ({ host: host.name, render: id('render', host.name) })),
    pushes: deployment.services
      .filter((service) => service.build)
      .map((service) => ({ service: service.name, push: id('push', service.name) })),
    edge: wantedRoutes(deployment),
  })
}

/** Compose's `restart`: `no` (default), `always`, `unless-stopped`, `on-failure[:max]`. */
function restartPolicy(value: Json | undefined, plain: Readonly<Record<string, string>>): RolloutParams['restart'] {
  const [name, count] = interpolate(String(value ?? 'no'), { plain, secrets: new Set() }).text.split(':')
  if (name === 'always' || name === 'unless-stopped') return { name, maximumRetryCount: 0 }
  if (name === 'on-failure') return { name, maximumRetryCount: Number(count ?? 0) }
  return { name: 'no', maximumRetryCount: 0 }
}

function others(tasks: readonly Task[], without: readonly TaskId[]): TaskId[] {
  return tasks.map((task) => task.id).filter((candidate) => !without.includes(candidate))
}

function id(kind: string, subject: string, host?: string): TaskId {
  return `${kind}:${subject}${host === undefined ? '' : `@${host}`}` as TaskId
}

function task<P extends Json>(
  kind: string,
  subject: string,
  host: string | undefined,
  origin: Location | undefined,
  needs: readonly TaskId[],
  after: readonly TaskId[],
  params: P,
): Task {
  return { id: id(kind, subject, host), kind, params, needs, after, ...(origin ? { origin } : {}) }
}
