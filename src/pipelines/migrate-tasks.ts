/** Migrations in the graph of a deploy, and by themselves. Pure. */
import type { Task, TaskId } from '../../graph/types.ts'
import type { MigrateParams } from '../../tasks/migrate.ts'
import type { DatabaseTarget, Deployment } from '../contracts.ts'
import { id, task } from './deploy-task.ts'
import { hostsInScope, type Scope } from './fleet-part.ts'

/** However it is reached, a database that is one of our services is up first. */
export function migrateTask(
  kind: 'migrate_pre' | 'migrate_post',
  database: DatabaseTarget,
  { services }: Deployment,
  scope: Scope,
  before: readonly TaskId[],
): Task {
  const service = services.find(({ name }) => name === database.service)
  const after = service ? hostsInScope(service, scope).map((host) => id('rollout', service.name, host)) : []
  return task<MigrateParams>(kind, database.name, undefined, undefined, [], [...before, ...after], migrationOf(database))
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
export function aloneTask(database: DatabaseTarget, choice: MigrationChoice): Task {
  return task<MigrateParams>('migrate', database.name, undefined, undefined, [], [], { ...migrationOf(database), ...choice })
}

function migrationOf(database: DatabaseTarget): MigrateParams {
  return {
    database: database.name,
    engine: database.engine,
    path: database.path,
    table: database.ledgerTable,
    connectionEnv: database.connectionEnv,
    waitSeconds: 30,
  }
}
