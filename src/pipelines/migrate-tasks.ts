/** Migrations in the graph of a deploy, and by themselves. Pure. */
import type { Task, TaskId } from '../../graph/types.ts'
import type { MigrateParams } from '../../tasks/migrate.ts'
import type { DatabaseTarget, Deployment } from '../contracts.ts'
import { id, task } from './deploy-task.ts'
import { proxyTasks } from './edge-tasks.ts'
import { type FleetPart, hostsInScope, type Scope, scopeOf } from './fleet-part.ts'

/** However it is reached, a database that is one of our services is up first. */
export function migrateTask(
  kind: 'migrate_pre' | 'migrate_post',
  database: DatabaseTarget,
  deployment: Deployment,
  scope: Scope,
  before: readonly TaskId[],
): Task {
  const service = deployment.services.find(({ name }) => name === database.service)
  const after = service ? hostsInScope(service, scope).map((host) => id('rollout', service.name, host)) : []
  return migration(kind, database, deployment, scope, [...before, ...after])
}

/**
 * Tasks of a deploy, and between their `health` and `finalize` the migrations that come after the rollout: one after another, in the order of
 * their databases' names.
 */
export function withPostMigrations(tasks: readonly Task[], deployment: Deployment, scope: Scope): Task[] {
  const health = id('health', deployment.environment)
  const databases = deployment.databases.filter(({ strategy }) => strategy === 'post_deploy')
  const ids = databases.map(({ name }) => id('migrate_post', name))
  const migrations = databases.map((database, index) =>
    migrateTask('migrate_post', database, deployment, scope, [health, ...ids.slice(0, index)]),
  )
  const isEnd = ({ kind }: Task) => kind === 'finalize'
  return [
    ...tasks.filter((one) => !isEnd(one)),
    ...migrations,
    ...tasks.filter(isEnd).map((end) => ({ ...end, after: [...end.after, ...ids] })),
  ]
}

/** What a run is about, of one database. */
export type MigrationChoice = Pick<MigrateParams, 'allowDrift' | 'ids' | 'steps' | 'tags'>

/** Migrations that nothing else of a deploy goes with: the database is up, or they fail. */
export function aloneTask(database: DatabaseTarget, deployment: Deployment, choice: MigrationChoice): Task {
  return migration('migrate', database, deployment, scopeOf(deployment), [], choice)
}

/** Databases whose migrations run in a container, and none of whose hosts takes part. */
export function withoutHost(deployment: Deployment, part: FleetPart): readonly DatabaseTarget[] {
  const scope = scopeOf(deployment, part)
  return deployment.databases.filter(({ command, strategy }) => {
    const service = deployment.services.find(({ name }) => name === command?.on)
    return service !== undefined && strategy !== 'manual' && !service.hosts.some((host) => scope.hosts.includes(host))
  })
}

/** What runs in a container of the release waits for what that is made from. */
export function needsUpload({ command }: DatabaseTarget): boolean {
  return command?.on !== undefined
}

function migration(
  kind: 'migrate' | 'migrate_pre' | 'migrate_post',
  database: DatabaseTarget,
  deployment: Deployment,
  scope: Scope,
  after: readonly TaskId[],
  choice: MigrationChoice = {},
): Task {
  const place = placeOf(database, deployment, scope)
  const params: MigrateParams = {
    database: database.name,
    engine: database.engine,
    path: database.path,
    table: database.ledgerTable,
    connectionEnv: database.connectionEnv,
    waitSeconds: 30,
    ...(database.command && { command: commandParams(database.command, place) }),
    ...choice,
  }
  if (!place) return task<MigrateParams>(kind, database.name, undefined, undefined, [], after, params)
  const { host, isRouted } = place
  const there = [id('upload', host), ...(isRouted ? [id('proxy', host)] : [])]
  return task<MigrateParams>(kind, database.name, undefined, undefined, [id('render', host)], [...after, ...there], params)
}

type Command = NonNullable<DatabaseTarget['command']>
type Place = NonNullable<NonNullable<MigrateParams['command']>['container']> & { readonly isRouted: boolean }

/** The first host of the service that takes part. */
function placeOf({ name, command }: DatabaseTarget, deployment: Deployment, scope: Scope): Place | undefined {
  if (command?.on === undefined) return undefined
  const service = deployment.services.find((one) => one.name === command.on)
  const host = service && (hostsInScope(service, scope)[0] ?? service.hosts.find((name) => scope.hosts.includes(name)))
  if (!service || host === undefined) throw new Error(`migrations of ${name} have no host to run on`)
  const { composeProject, directory } = deployment
  const isRouted = proxyTasks(deployment, scope).some((proxy) => proxy.id === id('proxy', host))
  return { service: service.name, host, composeProject, directory, render: id('render', host), isRouted }
}

function commandParams({ argv, check, env, timeoutMs }: Command, place: Place | undefined): NonNullable<MigrateParams['command']> {
  const container = place && {
    service: place.service,
    host: place.host,
    composeProject: place.composeProject,
    directory: place.directory,
    render: place.render,
  }
  return { argv: [...argv], check: check ? [...check] : null, env: [...env], timeoutMs, container: container ?? null }
}
