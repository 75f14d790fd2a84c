import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { type HealthParams, health } from '../../tasks/health.ts'
import { TaskFailure } from '../../tasks/kind.ts'
import { rejects, within } from '../support/assertions.ts'
import { FakeHost } from '../support/fake-host.ts'
import { taskContext } from './rendering/task-context.ts'

const test = suite('tasks/health')

const params: HealthParams = {
  environment: 'prod',
  services: [{ service: 'web', host: 'node-1', render: 'render:node-1', replicas: 1 }],
  timeoutSeconds: 0.1,
}
const rendered = { files: {}, values: { services: { web: { hash: 'new', image: 'i' } } } }
const contextOf = (host: FakeHost) => taskContext({ host, needs: { 'render:node-1': rendered } })

test('everything as wanted is fresh, and says how many', async () => {
  const host = new FakeHost()
  host.engine.add({ name: 'web-1', hash: 'new' })
  const look = await health.observe?.(params, contextOf(host), undefined)
  assert.equal(look, { fresh: true, result: { files: {}, values: { healthy: ['web@node-1'] } }, detail: '1 healthy' })
  assert.equal(await health.run(params, contextOf(host)), { files: {}, values: { healthy: ['web@node-1'] } })
  assert.is(health.title(params), 'check the health of prod')
})

test('what is not as wanted is named', async () => {
  const host = new FakeHost()
  host.engine.add({ name: 'web-1', hash: 'old' })
  const look = await health.observe?.(params, contextOf(host), undefined)
  assert.equal(look, { fresh: false, because: { reason: 'drift', detail: 'web on node-1: web-1 runs another definition' } })
})

test('it waits for a service that becomes healthy', async () => {
  const host = new FakeHost()
  host.engine.add({ name: 'web-1', hash: 'new', health: 'starting' })
  const changed = host.changed.bind(host)
  host.changed = () => {
    host.engine.become('web-1', 'healthy')
    changed()
  }
  await within(2000, health.run({ ...params, timeoutSeconds: 1 }, contextOf(host)))
})

test('a service that comes up and falls again has not come up', async () => {
  const host = new FakeHost()
  host.engine.add({ name: 'web-1', hash: 'new', health: 'starting' })
  const changed = host.changed.bind(host)
  let looks = 0
  host.changed = () => {
    host.engine.become('web-1', looks++ % 3 === 1 ? 'unhealthy' : 'healthy')
    changed()
  }
  const error = await rejects(within(3000, health.run({ ...params, timeoutSeconds: 1 }, contextOf(host))))
  assert.match(error.message, /web-1 is unhealthy/)
  assert.ok(looks > 5, 'all the time there was')
})

test('when time is up it fails with the last lines of what is not ready', async () => {
  const host = new FakeHost()
  host.engine.add({ name: 'web-1', hash: 'new', health: 'unhealthy' })
  host.engine.print('web-1', 'no database')
  const error = (await rejects(within(2000, health.run(params, contextOf(host))))) as TaskFailure
  assert.instance(error, TaskFailure)
  assert.is(error.failure.message, 'after the rollout, prod is not as wanted: web on node-1: web-1 is unhealthy')
  assert.equal(error.failure.output, ['web-1 │ no database'])
})

test('a render without the service is a bug of ours', async () => {
  const context = taskContext({ host: new FakeHost(), needs: {} })
  await rejects(Promise.resolve(health.observe?.(params, context, undefined)), /render:node-1 has no hash of web/)
})

test('its parameters are checked strictly', () => {
  const accepts = (more: object) => health.params.safeParse({ ...params, ...more }).success
  assert.ok(accepts({}) && accepts({ services: [] }))
  for (const wrong of [{ services: [{ service: 'web' }] }, { timeoutSeconds: '1' }, { more: 1 }])
    assert.not.ok(accepts(wrong), JSON.stringify(wrong))
})

test.run()
