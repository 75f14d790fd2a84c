/** Where hooks stand in the graph of a deploy, and which an environment has. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { taskGraph } from '../../../graph/task-graph.ts'
import type { TaskGraph } from '../../../graph/types.ts'
import { deployTasks } from '../../../src/pipelines/deploy.ts'
import { scopeOf } from '../../../src/pipelines/fleet-part.ts'
import { failureHook } from '../../../src/pipelines/hook-tasks.ts'
import { targetGraph } from '../../../src/session/targets.ts'
import { aboutConfig, accepted, resolved } from '../config/told.ts'

const test = suite('src/pipelines/hook-tasks')

const compose = 'services:\n  api: {build: ./api}\n  web: {build: ./web}\n'
const manifest = (hooks: string, environment = '') => `project: {name: shop, registry: ghcr.io/acme/shop}
environments:
  prod: {hosts: [h1]${environment}}
databases: {main: {connection_env: DB_URL, migrations: {path: sql}}}
hooks: ${hooks}
`

async function graphOf(hooks: string, environment?: string): Promise<TaskGraph> {
  const deployment = accepted(await resolved(manifest(hooks, environment), compose, { envFileNames: [] }, 'prod'))
  return accepted(taskGraph(deployTasks(deployment, { version: 'v1', envFileNames: [], buildArgs: {}, ignoreFiles: {} })))
}

test('before each task of its kind, and between the last of them and whatever follows', async () => {
  const graph = await graphOf('{before_rollout: a, after_rollout: b, "before_rollout:web": c, after_deploy: d, before_deploy: e}')
  assert.equal(graph.dependencies('hook:before_rollout' as never), ['hook:before_deploy'])
  assert.equal(graph.dependencies('hook:before_rollout/web' as never), ['hook:before_deploy', 'hook:before_rollout'])
  const waits = graph.dependencies('rollout:web@h1' as never)
  for (const hook of ['hook:before_deploy', 'hook:before_rollout', 'hook:before_rollout/web'])
    assert.ok(waits.includes(hook as never), hook)
  assert.not(graph.dependencies('rollout:api@h1' as never).includes('hook:before_rollout/web' as never))
  assert.equal(graph.dependencies('hook:after_rollout' as never), ['rollout:api@h1', 'rollout:web@h1'])
  assert.ok(graph.dependencies('health:prod' as never).includes('hook:after_rollout' as never))
  assert.is(graph.order.at(-1), 'hook:after_deploy')
})

test('in a container before a migration: the new file is on the host before the migration, and nothing goes in circles', async () => {
  const graph = await graphOf('{before_migrate_pre: {command: check, on: api}, after_migrate_pre: {command: done, on: web}}')
  assert.ok(graph.dependencies('hook:before_migrate_pre' as never).includes('upload:h1' as never))
  assert.not(graph.dependencies('upload:h1' as never).includes('migrate_pre:main' as never))
  assert.ok(graph.dependencies('rollout:web@h1' as never).includes('hook:after_migrate_pre' as never))
})

test('who only builds gets the hooks around builds, and none of the deploy', async () => {
  const graph = await graphOf('{before_deploy: a, before_build: b, "after_build:api": c, after_failure: d}')
  const built = accepted(targetGraph(['build'], graph))
  assert.equal(
    built.order.filter((id) => id.startsWith('hook:')),
    ['hook:before_build', 'hook:after_build/api'],
  )
  assert.ok(accepted(targetGraph(['deploy'], graph)).order.includes('hook:before_deploy' as never))
})

test('an environment adds, replaces and takes away by name', async () => {
  const own = ', hooks: {before_build: false, after_rollout: other, after_failure: {command: [tell], timeout: 5s}}'
  const text = manifest('{before_build: a, after_rollout: b, before_push: c}', own)
  const deployment = accepted(await resolved(text, compose, { envFileNames: [] }, 'prod'))
  assert.equal(
    deployment.hooks?.map(({ point, command }) => [point, command]),
    [
      ['after_failure', ['tell']],
      ['after_rollout', 'other'],
      ['before_push', 'c'],
    ],
  )
  const params = failureHook(deployment, scopeOf(deployment))
  assert.equal([params?.status, params?.timeoutMs, params?.hosts], ['failed', 5000, ['h1']])
})

test('what is no point of a deploy, and what cannot be there, is told', async () => {
  const cases: readonly (readonly [hooks: string, expected: RegExp])[] = [
    ['{before_rolout: a}', /SC1150 `before_rolout` is no point of a deploy → before_rollout/],
    ['{before_failure: a}', /SC1150/],
    ['{"before_deploy:web": a}', /SC1150/],
    ['{before_build: {command: a, on: web}}', /SC1152 `before_build` cannot run in a container of the release/],
    ['{after_failure: {command: a, on: web}}', /SC1152/],
    ['{after_rollout: {command: a, on: web, secrets: [TOKEN]}}', /SC1152 a hook in a container cannot be given secrets/],
    ['{after_rollout: {command: a, retries: 2}}', /SC1003/],
  ]
  for (const [hooks, expected] of cases) assert.match(aboutConfig(manifest(hooks)).join('\n'), expected, hooks)
  const own: readonly (readonly [hooks: string, expected: RegExp])[] = [
    ['{after_rollout: {command: a, on: wep}}', /there is no service `wep` to run it in/],
    ['{"before_build:wep": a}', /there is no `build:wep`/],
    ['{"before_migrate_pre:mian": a}', /there is no `migrate_pre:mian`/],
  ]
  for (const [hooks, expected] of own) {
    const found = await resolved(manifest(hooks), compose, { envFileNames: [] }, 'prod')
    assert.match(found.ok ? '' : found.diagnostics.map(({ message }) => message).join('\n'), expected, hooks)
  }
})

test.run()
