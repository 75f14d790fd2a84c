/** What a deploy consists of: a deployment becomes tasks. Pure; nothing here acts, looks or knows a host from a fake. */
import { posix } from 'node:path'
import type { Task, TaskId } from '../../graph/types.ts'
import type { BuildParams } from '../../tasks/build.ts'
import type { PushParams } from '../../tasks/push.ts'
import type { RenderParams } from '../../tasks/render.ts'
import type { UploadParams } from '../../tasks/upload.ts'
import type { DeployedSwarm, Deployment, ImageBuild, Service } from '../contracts.ts'
import { id, task } from './deploy-task.ts'
import { edgeTasks, proxyTasks, withEdgeNetwork, withNetwork } from './edge-tasks.ts'
import { withExtraHosts } from './extra-hosts.ts'
import { type FleetPart, type Scope, scopeOf } from './fleet-part.ts'
import { withHooks } from './hook-tasks.ts'
import { migrateTask, needsUpload, withPostMigrations } from './migrate-tasks.ts'
import { type Pins, pinTask } from './pins.ts'
import { endInSwarm, finalizeTask, healthTask, type ReleasedImage } from './release-end.ts'
import { rolloutTasks } from './rollout-tasks.ts'
import { stackTask, swarmRollouts, swarmTask } from './swarm-tasks.ts'
import { imageTask, isSent, transferTasks } from './transfer-tasks.ts'

export interface DeployOptions {
  /** Recorded in the release; not part of what anything is made from. */
  readonly version: string
  /** Names defined by the local environment file. */
  readonly envFileNames: readonly string[]
  /** Build arguments with plain variables filled in, by service. */
  readonly buildArgs: Readonly<Record<string, Readonly<Record<string, string>>>>
  /** The ignore file of each build's context, project-relative, by service; none where there is none. */
  readonly ignoreFiles: Readonly<Record<string, string>>
  /** Only a part of the fleet; default all of it. */
  readonly part?: FleetPart
  /** Images by service: with them nothing is built, pushed or migrated (a rollback). Default: what is built from this checkout. */
  readonly pins?: Pins
}

/**
 * Every task of a deploy, in no particular order.
 *
 *     build:* ─▶ push:* ─▶ render:H ─▶ upload:H ─▶ rollout:S@H ─▶ health ─▶ finalize
 *                   ╰╌╌╌▶ migrate_pre:D ╌╌╌╌╌╌╌╌╌╌╌╯              (╌ order only)
 *                                                    health ╌▶ migrate_post:D ╌▶ finalize
 *     build:* ─▶ transfer:S@H ╌▶ upload:*   in place of pushes, where images are sent
 *     proxy:H ╌╌╌╌╌╌╌╌╌╌╌▶ rollout:S@H ╌╌▶ edge:S@H ╌╌▶ health       (routed services)
 *
 * A database that is one of our services is rolled before its migrations; every other rollout comes after them. How rollouts follow each
 * other is in `rollout-order.ts`; the user's hooks around all that in `hook-tasks.ts`.
 */
export function deployTasks(deployment: Deployment, options: DeployOptions): Task[] {
  const scope = scopeOf(deployment, options.part)
  const isRendered = (service: Service) => deployment.hosts.length === 0 || service.hosts.some((host) => scope.hosts.includes(host))
  const built = deployment.services.filter((service) => service.build !== undefined && isRendered(service))
  const { pins } = options
  const fleet = deployment.hosts.map(({ name }) => name).filter((name) => !options.part?.unreachable?.includes(name))
  const builds = pins ? [] : built.map((service) => buildTask(service, deployment, scope, options))
  if (deployment.hosts.length === 0) return withHooks(builds, deployment, scope)
  const pinned = pins ? built.map((service) => pinTask(service, scope, pins, fleet)) : []
  const pushes = pins ? [] : built.filter((service) => !isSent(service, deployment, pins)).map((service) => pushTask(service, builds))
  const transfers = transferTasks(built, deployment, scope, { pins, fleet, before: [...builds, ...pinned] })
  const pushIds = [...pinned, ...pushes, ...transfers].map((task) => task.id)
  const migrated = pins ? [] : deployment.databases.filter((database) => database.strategy === 'pre_deploy')
  const migrations = migrated.map((database) => migrateTask('migrate_pre', database, deployment, scope, pushIds))
  const external = migrated
    .filter((database) => database.service === undefined && !needsUpload(database))
    .map(({ name }) => id('migrate_pre', name))
  const released = built.map((service) => ({
    service: service.name,
    push: imageTask(service, deployment, pins),
    sent: isSent(service, deployment, pins),
  }))
  if (deployment.swarm) {
    const before = { builds, pushes: [...pinned, ...pushes], migrations }
    const swarmed = inSwarm(deployment, deployment.swarm, options, scope, before, released)
    return withHooks(pins ? swarmed : withPostMigrations(swarmed, deployment, scope), deployment, scope)
  }
  const renders = scope.hosts.map((host) => renderTask(host, deployment, options))
  // An image that is lost, or cannot be sent, must be found out before anything else is written.
  const images = pins ? pushIds : transfers.map((task) => task.id)
  const uploads = scope.hosts.map((host) => uploadTask(host, deployment, pins ? images : [...external, ...images]))
  const proxies = proxyTasks(deployment, scope).map((proxy) => ({ ...proxy, after: [...proxy.after, ...images] }))
  const rollouts = rolloutTasks(deployment, scope, migrations, pins)
  const edges = edgeTasks(deployment, scope)
  const renderIds = renders.map((task) => task.id)
  const tasks = [
    ...[...builds, ...pinned, ...pushes, ...transfers, ...renders, ...uploads, ...migrations, ...proxies, ...rollouts, ...edges],
    healthTask(deployment, scope, renderIds, [...rollouts, ...edges]),
    finalizeTask(deployment, scope, options.version, released),
  ]
  return withHooks(pins ? tasks : withPostMigrations(tasks, deployment, scope), deployment, scope)
}

/**
 *     build:* ─▶ push:* ─▶ stack ─▶ swarm ╌▶ rollout:S ─▶ health ─▶ finalize
 */
function inSwarm(
  deployment: Deployment,
  swarm: DeployedSwarm,
  options: DeployOptions,
  scope: Scope,
  { builds, pushes, migrations }: Readonly<Record<'builds' | 'pushes' | 'migrations', readonly Task[]>>,
  released: readonly ReleasedImage[],
): Task[] {
  const ids = (tasks: readonly Task[]) => tasks.map((one) => one.id)
  const stack = stackTask(deployment, renderTask(swarm.manager, deployment, options))
  const prepared = swarmTask(deployment, swarm, options.pins ? ids(pushes) : ids(migrations))
  const rollouts = swarmRollouts(deployment, swarm, scope, ids(migrations))
  const named = deployment.services.filter(({ name }) => scope.isRolled(name)).map(({ name }) => name)
  const place = { manager: swarm.manager, stack: stack.id }
  const end = [healthTask(deployment, scope, [stack.id], rollouts), finalizeTask(deployment, scope, options.version, released)]
  return [...builds, ...pushes, ...migrations, stack, prepared, ...rollouts, ...end.map((one) => endInSwarm(one, place, named))]
}

function buildTask(service: Service, deployment: Deployment, scope: Scope, options: DeployOptions): Task {
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
    withheld: [...withheldFrom(build.context, deployment), ...(build.makes ?? []).map((path) => posix.join(build.context, path))],
    target: build.target ?? null,
    args: options.buildArgs[service.name] ?? build.args,
    platforms: [...build.platforms],
    secrets,
    ssh: [...build.ssh],
    additionalContexts: build.additionalContexts,
    cacheFrom: [...build.cacheFrom],
    ...(build.command && { command: [...build.command] as [string, ...string[]] }),
    ...(build.tagSuffix !== undefined && { tagSuffix: build.tagSuffix }),
    ...(build.cacheTo !== undefined && { cacheTo: [...build.cacheTo] }),
    labels: build.labels,
    remote: deployment.hosts.length > 0 && !isSent(service, deployment),
    ...(isSent(service, deployment) && { hosts: service.hosts.filter((host) => scope.hosts.includes(host)) }),
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
    ...(build.tagSuffix !== undefined && { tagSuffix: build.tagSuffix }),
  })
}

function renderTask(host: string, deployment: Deployment, options: DeployOptions): Task {
  const placed = deployment.services.filter((service) => service.hosts.includes(host))
  const needs = placed.filter((service) => service.build).map((service) => imageTask(service, deployment, options.pins))
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
          definition: withExtraHosts({ ...service, definition: withEdgeNetwork(service) }, host, deployment),
          replicas: service.replicas,
          image: service.build
            ? {
                push: imageTask(service, deployment, options.pins),
                repository: options.pins?.[service.name]?.repository ?? service.build.repository,
                ...(isSent(service, deployment, options.pins) && { sent: true }),
              }
            : null,
          ownCode: service.build !== undefined,
        },
      ]),
    ),
    plain: { ...deployment.reach?.[host]?.variables, ...deployment.variables.plain },
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

function others(tasks: readonly Task[], without: readonly TaskId[]): TaskId[] {
  return tasks.map((task) => task.id).filter((candidate) => !without.includes(candidate))
}
