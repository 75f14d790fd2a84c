import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { taskGraph } from '../../../graph/task-graph.ts'
import type { JsonObject, Task } from '../../../graph/types.ts'
import { deployTasks } from '../../../src/pipelines/deploy.ts'
import { kinds } from '../../../tasks/index.ts'
import { accepted, resolved } from '../config/told.ts'

const test = suite('pipelines/swarm-tasks')

const manifest = `project: {name: shop, registry: ghcr.io/acme/shop}
environments:
  prod:
    hosts: [{name: m1, address: 10.0.0.1, roles: [app, db]}, {name: w1, address: 10.0.0.2, roles: [app]}]
    rollout: {target: swarm}
services: {web: {role: app}, store: {role: db}}
`
const check = 'healthcheck: {test: [CMD, "true"]}'
const compose = `services:
  web: {build: ., depends_on: [store], ${check}}
  store: {image: "redis:8", ${check}}
`

async function tasksOf(options: Partial<Parameters<typeof deployTasks>[1]> = {}): Promise<readonly Task[]> {
  const deployment = accepted(await resolved(manifest, compose))
  return deployTasks(deployment, { version: 'v1', envFileNames: [], buildArgs: {}, ignoreFiles: {}, ...options })
}
const one = (tasks: readonly Task[], id: string) => tasks.find((task) => task.id === id)
const paramsOf = (tasks: readonly Task[], id: string) => (one(tasks, id)?.params ?? {}) as JsonObject

test('one graph as ever: a stack in the place of renders and uploads, and a rollout for each service', async () => {
  const tasks = await tasksOf()
  assert.equal(tasks.map(({ id }) => id).sort(), [
    ...['build:web', 'finalize:prod', 'health:prod', 'push:web', 'rollout:store', 'rollout:web', 'stack:prod', 'swarm:prod'],
  ])
  assert.ok(accepted(taskGraph(tasks)))
  for (const { kind, params } of tasks) assert.ok(kinds.get(kind)?.params.safeParse(params).success, kind)
  assert.equal(one(tasks, 'stack:prod')?.needs, ['push:web'])
  assert.equal(one(tasks, 'rollout:web')?.after, ['swarm:prod', 'rollout:store'])
  assert.equal(one(tasks, 'rollout:store')?.needs, ['stack:prod'])
  assert.equal(one(tasks, 'health:prod')?.after, ['rollout:store', 'rollout:web'])
  assert.equal(one(tasks, 'finalize:prod')?.needs, ['stack:prod', 'push:web'])
})

test('a rollback waits for all images before it writes', async () => {
  const pin = { repository: 'ghcr.io/acme/shop/web', digest: 'sha256:1', version: 'v0', release: 'rel' }
  const tasks = await tasksOf({ pins: { web: pin } })
  assert.equal(one(tasks, 'swarm:prod')?.after, ['pin:web'])
  assert.equal(one(tasks, 'stack:prod')?.needs, ['pin:web'])
})

test('some services only: the others are neither rolled nor removed', async () => {
  const tasks = await tasksOf({ part: { services: ['store'] } })
  assert.equal(
    tasks.filter(({ kind }) => kind === 'rollout').map(({ id }) => id),
    ['rollout:store'],
  )
  assert.equal(paramsOf(tasks, 'finalize:prod')['only'], ['store'])
  assert.equal((paramsOf(tasks, 'health:prod')['swarm'] as JsonObject)['services'], ['store'])
})

test.run()
