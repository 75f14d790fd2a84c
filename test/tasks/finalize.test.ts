import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { type FinalizeParams, finalize } from '../../tasks/finalize.ts'
import type { TaskContext } from '../../tasks/kind.ts'
import type { EdgeState } from '../../tasks/ports.ts'
import { rejects } from '../support/assertions.ts'
import { FakeHost } from '../support/fake-host.ts'
import { taskContext } from './rendering/task-context.ts'

const test = suite('tasks/finalize')

const params: FinalizeParams = {
  environment: 'prod',
  version: 'v2',
  hosts: ['node-1'],
  primaryHost: 'node-1',
  renders: [{ host: 'node-1', render: 'render:node-1' }],
  pushes: [{ service: 'web', push: 'push:web' }],
  edge: null,
}
const needs = {
  'render:node-1': { files: {}, values: { services: { web: { hash: 'new', image: 'i' } } } },
  'push:web': { files: {}, values: { repository: 'registry.example/web', digest: 'sha256:1' } },
}

function contextOf(host: FakeHost, more: { guard?: () => Promise<void>; recorded?: unknown[] } = {}): TaskContext {
  const base = taskContext({ host, needs, ...(more.guard ? { guard: more.guard } : {}) })
  const release = {
    id: async () => 'rel-1',
    complete: async (images: unknown) => {
      more.recorded?.push(images)
      return '{"releases":[]}'
    },
  }
  const ports = Object.create(base.ports, { release: { value: release } }) as TaskContext['ports']
  return { ...base, ports }
}
const look = (host: FakeHost) => Promise.resolve(finalize.observe?.(params, contextOf(host), undefined))

test('no mark: there is no release yet', async () => {
  assert.equal(await look(new FakeHost()), { fresh: false, because: { reason: 'first-run', detail: 'no release yet' } })
})

test('another mark: another release is there', async () => {
  const host = new FakeHost()
  host.release = 'rel-0 other'
  assert.equal(await look(host), { fresh: false, because: { reason: 'drift', detail: 'the last release was rel-0' } })
})

test('its own mark and nothing left over: nothing to do', async () => {
  const host = new FakeHost()
  host.release = 'rel-1 fingerprint'
  host.engine.add({ name: 'web-1', hash: 'new' })
  assert.equal(await look(host), { fresh: true, result: { files: {}, values: { version: 'v2' } }, detail: 'rel-1 is live' })
})

test('its own mark, but a container that should be gone', async () => {
  const host = new FakeHost()
  host.release = 'rel-1 fingerprint'
  host.engine.add({ name: 'web-1', hash: 'old', state: 'exited' })
  assert.equal(await look(host), { fresh: false, because: { reason: 'drift', detail: 'left over: web-1' } })
})

test('it removes what was replaced and services that left, writes the history, and the mark last of all', async () => {
  const host = new FakeHost()
  host.engine.add({ name: 'web-2', hash: 'new' })
  host.engine.add({ name: 'web-1', hash: 'old', state: 'exited' })
  host.engine.add({ name: 'cron-1', hash: 'any' })
  const recorded: unknown[] = []
  const result = await finalize.run(params, contextOf(host, { recorded }))
  assert.equal(result, { files: {}, values: { version: 'v2' } })
  assert.equal(host.engine.running(), ['web-2'])
  assert.equal(host.writes(), [
    'stop id-cron-1 10',
    'remove id-cron-1',
    'remove id-web-1',
    'write releases.json 640',
    'point release rel-1 fingerprint',
  ])
  assert.equal(recorded, [{ web: { ref: 'registry.example/web', digest: 'sha256:1' } }])
  assert.is(host.files.text('releases.json'), '{"releases":[]}')
})

test('without the lock nothing is removed and no mark is left', async () => {
  const host = new FakeHost()
  host.engine.add({ name: 'web-1', hash: 'old' })
  await rejects(Promise.resolve(finalize.run(params, contextOf(host, { guard: () => Promise.reject(new Error('lost')) }))), /lost/)
  assert.equal(host.writes(), [])
})

test('a need without a result is a bug of ours', async () => {
  const context = { ...contextOf(new FakeHost()), needs: new Map() }
  await rejects(Promise.resolve(finalize.run(params, context)), /has no result of render:node-1/)
})

test('its title names the environment', () => assert.is(finalize.title(params), 'finish the release in prod'))

test('its own mark, but a route that nobody wants any more', async () => {
  const host = new FakeHost()
  host.release = 'rel-1 fingerprint'
  host.engine.add({ name: 'web-1', hash: 'new' })
  host.edgeState = () => ({ routes: { 'shop-prod-web': 'a', 'shop-prod-old': 'b' } }) as unknown as EdgeState
  const routed = (wanted: string[]) =>
    finalize.observe?.({ ...params, edge: { innerPort: 1, routes: { 'node-1': wanted } } }, contextOf(host), undefined)
  assert.equal(await routed(['shop-prod-web']), {
    fresh: false,
    because: { reason: 'drift', detail: 'left over: the route of shop-prod-old' },
  })
  assert.is((await routed(['shop-prod-web', 'shop-prod-old']))?.fresh, true)
})

test('an environment that routes nothing any more: every route it had is left over, unless the release is about a part', async () => {
  const host = new FakeHost()
  host.release = 'rel-1 fingerprint'
  host.engine.add({ name: 'web-1', hash: 'new' })
  host.edgeState = () => ({ routes: { 'shop.prod.web': { isPaused: false } } })
  const look = (more: object) => finalize.observe?.({ ...params, edge: null, ...more }, contextOf(host), undefined)
  assert.equal((await look({}))?.fresh, false)
  assert.is((await look({ only: ['web'] }))?.fresh, true)
})

test('its parameters are checked strictly', () => {
  const accepts = (more: object) => finalize.params.safeParse({ ...params, ...more }).success
  assert.ok(accepts({}))
  assert.ok(accepts({ only: ['web'], edge: { innerPort: 2019, routes: { 'node-1': ['k'] } } }))
  for (const wrong of [{ more: 1 }, { edge: { innerPort: 1.5, routes: {} } }, { only: undefined }, { hosts: 'node-1' }])
    assert.not.ok(accepts(wrong), JSON.stringify(wrong))
})

test.run()
