import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { shareFiles } from '../../tasks/edge/shares.ts'
import { type EdgeParams, edge } from '../../tasks/edge.ts'
import type { Look, TaskContext } from '../../tasks/kind.ts'
import { rejects } from '../support/assertions.ts'
import { EdgeHost } from '../support/fake-host-edge.ts'
import { taskContext } from './rendering/task-context.ts'

const test = suite('tasks/edge')
const render = 'render:node-1'
const rendered = { files: {}, values: { services: { web: { hash: 'new' } } } }

function machine(more: ConstructorParameters<typeof EdgeHost>[0] = {}): EdgeHost {
  const host = new EdgeHost(more)
  host.engine.add({ name: 'web-1', hash: 'new', routePort: 8080 })
  host.engine.add({ name: 'web-0', hash: 'old', routePort: 8080 })
  return host
}
const params = (host: EdgeHost): EdgeParams => ({
  service: 'web',
  host: 'node-1',
  render: host.route.isLocal ? render : null,
  replicas: 1,
  route: host.route,
})
const context = (host: EdgeHost): TaskContext => taskContext({ host, needs: { [render]: rendered } })
async function look(host: EdgeHost): Promise<Look> {
  if (!edge.observe) throw new Error('an edge observes')
  host.changed()
  return edge.observe(params(host), context(host), undefined)
}
async function because(host: EdgeHost): Promise<string> {
  const found = await look(host)
  return found.fresh ? 'fresh' : `${found.because.reason}: ${found.because.detail}`
}
const run = (host: EdgeHost) => edge.run(params(host), context(host))
const reloads = (host: EdgeHost) => host.calls.filter((call) => call.startsWith('exec proxy caddy reload')).length

test('a route that is not there is made, verified as users see it, and fresh from then on', async () => {
  const host = machine()
  assert.is(await because(host), 'absent: node-1 has no route for shop.prod.web yet')
  assert.equal(await run(host), { files: {}, values: { key: 'shop.prod.web', domains: ['shop.example.com'] } })
  assert.equal(host.liveFiles(), shareFiles([{ name: 'web-1', port: 8080 }]))
  assert.equal(host.asked.slice(-3), Array(3).fill('shop.example.com'))
  assert.is(await because(host), 'fresh')
  assert.is(reloads(host), 1)
})

for (const [title, change, expected] of [
  ['a proxy that is stopped', (host) => host.alter({ isRunning: false }), /does not run$/],
  ['a file that was edited', (host) => host.edge.files.put('services/shop.prod.web.json', '{}'), /other settings, or was edited$/],
  ['a network that was left', (host) => host.alter({ networks: [] }), /is not in network/],
  ['a link that was turned', (host) => host.edge.files.link('live/shop.prod.web', '.sets/other'), /sends requests to other containers/],
  [
    'an assembled file that was edited',
    (host) => host.edge.files.put('caddy.json', '{}'),
    /configuration of the proxy of node-1 was edited$/,
  ],
] as readonly (readonly [string, (host: EdgeHost) => void, RegExp])[]) {
  test(`drift: ${title}`, async () => {
    const host = machine()
    await run(host)
    change(host)
    const found = await because(host)
    assert.match(found, /^drift: /)
    assert.match(found, expected)
  })
}

test('what was edited by hand is repaired', async () => {
  const host = machine()
  await run(host)
  host.edge.files.put('services/shop.prod.web.json', '{}')
  host.edge.files.link('live/shop.prod.web', '.sets/other')
  host.changed()
  await run(host)
  assert.is(await because(host), 'fresh')
  assert.is(reloads(host), 2)
})

test('a link alone is turned back', async () => {
  const host = machine()
  await run(host)
  host.edge.files.link('live/shop.prod.web', '.sets/other')
  host.changed()
  await run(host)
  assert.is(await because(host), 'fresh')
  assert.equal(host.liveFiles(), shareFiles([{ name: 'web-1', port: 8080 }]))
})

test('a service that does not answer fails the task', async () => {
  const host = machine()
  host.status = 502
  await rejects(run(host), /shop\.example\.com\/ answered 502/)
})

test('a machine that only passes requests on is configured, and asks no container', async () => {
  const host = machine({ open: { peers: ['10.0.0.2:8079'] }, isLocal: false })
  await run(host)
  assert.equal(host.asked, [])
  assert.equal(host.liveFiles(), [])
  assert.is(await because(host), 'fresh')
})

test('Traefik on a machine that only passes requests on has its file alone', async () => {
  const host = machine({ provider: 'traefik', open: { peers: ['10.0.0.2:8079'] }, isLocal: false })
  host.engine.onExec = () => ({ stdout: '{"status":"enabled","loadBalancer":{}}' })
  await run(host)
  assert.is(await because(host), 'fresh')
  assert.not.ok(host.edge.files.has('caddy.json'))
})

test('a rendering without the service is a mistake in the plan', async () => {
  const host = machine()
  const bare = taskContext({ host, needs: { [render]: { files: {}, values: {} } } })
  await rejects(edge.run(params(host), bare), /render:node-1 has no hash of web/)
})

test.run()
