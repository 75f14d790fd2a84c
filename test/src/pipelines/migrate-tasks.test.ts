import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { taskGraph } from '../../../graph/task-graph.ts'
import type { Task } from '../../../graph/types.ts'
import { deployTasks } from '../../../src/pipelines/deploy.ts'
import { withoutHost } from '../../../src/pipelines/migrate-tasks.ts'
import { kinds } from '../../../tasks/index.ts'
import { accepted, resolved } from '../config/told.ts'

const test = suite('src/pipelines/migrate-tasks')

const compose = 'services: {api: {build: api}, web: {image: nginx}}\n'
async function deploymentOf(databases: string) {
  const config = `project: {name: shop, registry: ghcr.io/acme/shop}
environments:
  prod: { hosts: {app: [h1], web: [h2]} }
services: {api: {role: app}, web: {role: web}}
databases:
${databases}`
  return accepted(await resolved(config, compose, { envFileNames: [] }, 'prod'))
}

async function tasksOf(databases: string): Promise<readonly Task[]> {
  return deployTasks(await deploymentOf(databases), { version: 'v1', envFileNames: [], buildArgs: {}, ignoreFiles: {} })
}

const of = (tasks: readonly Task[], id: string) => tasks.find((task) => task.id === id)

test('after the rollout: after health, one database after another, and before the end of the release', async () => {
  const tasks = await tasksOf(`  b: { connection_env: B, migrations: { path: b, strategy: post_deploy } }
  a: { connection_env: A, migrations: { path: a, strategy: post_deploy } }
  c: { connection_env: C, migrations: { path: c } }
`)
  accepted(taskGraph(tasks))
  assert.equal(of(tasks, 'migrate_post:a')?.after, ['health:prod'])
  assert.equal(of(tasks, 'migrate_post:b')?.after, ['health:prod', 'migrate_post:a'])
  assert.equal(of(tasks, 'finalize:prod')?.after, ['health:prod', 'migrate_post:a', 'migrate_post:b'])
  assert.not.ok(of(tasks, 'health:prod')?.after.includes('migrate_pre:c' as Task['id']))
  assert.is(of(tasks, 'migrate_pre:a'), undefined)
})

const inContainer = (more = '') => `  d: { connection_env: D, migrations: { engine: drizzle, on: api${more} } }\n`

test('in a container: the bundle is there first, and rollouts come after', async () => {
  const tasks = await tasksOf(inContainer())
  accepted(taskGraph(tasks))
  const migration = of(tasks, 'migrate_pre:d')
  assert.equal(migration?.needs, ['render:h1'])
  assert.equal(migration?.after, ['push:api', 'upload:h1'])
  assert.not.ok(of(tasks, 'upload:h1')?.after.includes('migrate_pre:d' as Task['id']))
  assert.ok(of(tasks, 'rollout:web@h2')?.after.includes('migrate_pre:d' as Task['id']))
  const params = kinds.get('migrate_pre')?.params.parse(migration?.params)
  assert.equal(params, migration?.params)
})

test('a part of the fleet without a host of its service is told of; one with it, and manual ones, are fine', async () => {
  const deployment = await deploymentOf(inContainer())
  assert.equal(
    withoutHost(deployment, { hosts: ['h2'] }).map(({ name }) => name),
    ['d'],
  )
  assert.equal(withoutHost(deployment, { hosts: ['h1'] }), [])
  assert.equal(withoutHost(await deploymentOf(inContainer(', strategy: manual')), { hosts: ['h2'] }), [])
})

test.run()
