import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { lookAtEdge } from '../../../../src/operations/status/look-at-edge.ts'
import { showStatus } from '../../../../src/operations/status/show-status.ts'
import { configureCaddy } from '../../../../tasks/edge/configure-caddy.ts'
import { publish } from '../../../../tasks/edge/publish.ts'
import type { Route } from '../../../../tasks/edge/route.ts'
import { isAsSealed, sealed } from '../../../../tasks/edge/sealed-text.ts'
import { release, withFakeFleet } from '../../../support/fake-fleet.ts'
import { EdgeHost } from '../../../support/fake-host-edge.ts'

const test = suite('src/operations/status/edge')

const key = 'shop.prod.api'
const upstreams = [1, 2].map((number) => ({ name: `shop-prod-api-${number}`, port: 8080 }))
const edgeFolder = '/opt/stagecraft/edge'
const ownFile = `services/${key}.json`

/** A host that has `api`, routed as a deploy leaves it. */
async function routed(more: Partial<Route> = {}): Promise<EdgeHost> {
  const host = new EdgeHost({ key, ...more })
  release(host, { api: { hash: 'a', scale: 2 } })
  for (const { name, port } of upstreams) {
    host.engine.add({ name, service: 'api', hash: 'a', image: 'api:1', restartPolicy: 'always', routePort: port })
  }
  if (host.route.provider === 'traefik') {
    host.alter({ labels: { provider: 'traefik' } })
    const servers = upstreams.map(({ name, port }) => ({ url: `http://${name}:${port}` }))
    host.engine.onExec = () => ({ stdout: JSON.stringify({ status: 'enabled', loadBalancer: { servers } }) })
  }
  await publish(host.site(), host.route.isLocal ? upstreams : [])
  if (host.route.provider === 'caddy') await configureCaddy(host.site())
  host.calls.length = 0
  host.changed()
  return host
}

interface Shown {
  readonly code: number
  readonly text: string
  readonly edge: unknown
}

/** @returns what `status --exit-code` says of a fleet whose first host is this one. */
async function status(host: EdgeHost, options: Parameters<typeof withFakeFleet>[0] = {}): Promise<Shown> {
  let shown: Shown | undefined
  await withFakeFleet({ selection: { host: ['node-1'] }, ...options, hosts: { 'node-1': host } }, async (fake) => {
    const show = (format: 'text' | 'json') =>
      showStatus(fake.fleet, { format, watch: false, exitCode: true }, { ...fake.globals, color: false }, fake.app)
    const code = await show('text')
    const text = fake.stdout.text
    await show('json')
    const { hosts } = JSON.parse(fake.stdout.text.slice(text.length)) as { hosts: { edge: unknown }[] }
    shown = { code, text, edge: hosts[0]?.edge }
  })
  if (!shown) throw new Error('nothing was shown')
  return shown
}

for (const [title, route] of [
  ['behind Caddy', {}],
  ['behind Traefik', { provider: 'traefik' }],
] as const) {
  test(`a route as a deploy left it is a row and no drift: ${title}`, async () => {
    const host = await routed(route)
    const { code, text, edge } = await status(host)
    assert.is(code, 0, text)
    assert.match(text, /^node-1 {2}\(proxy\) .* running .* -$/m)
    assert.equal(edge, { proxy: 'running', drift: [], routes: [{ service: 'api', maintenance: false, drift: [] }] })
    assert.equal(
      host.writes().filter((call) => call !== 'changed'),
      [],
    )
  })
}

type Harm = (host: EdgeHost) => void | Promise<void>
const harms: readonly (readonly [title: string, route: Partial<Route>, harm: Harm, row: string, line: string])[] = [
  [
    'the service’s own file edited',
    {},
    (host) => host.edge.files.put(ownFile, '{}'),
    'edited file',
    `api: ${edgeFolder}/${ownFile} is not as a deploy wrote it`,
  ],
  [
    'the service’s own file removed',
    {},
    (host) => host.edge.files.remove(ownFile),
    'missing file',
    `api: ${edgeFolder}/${ownFile} is missing`,
  ],
  [
    'the whole edited',
    {},
    (host) => host.edge.files.put('caddy.json', '{}'),
    'edited file',
    `(proxy): ${edgeFolder}/caddy.json is not as a deploy wrote it`,
  ],
  ['the whole removed', {}, (host) => host.edge.files.remove('caddy.json'), 'missing file', `(proxy): ${edgeFolder}/caddy.json is missing`],
  [
    'Traefik’s file edited',
    { provider: 'traefik' },
    (host) => host.edge.files.put(`services/${key}.yml`, `${host.edge.files.text(`services/${key}.yml`)}# mine\n`),
    'edited file',
    `api: ${edgeFolder}/services/${key}.yml is not as a deploy wrote it`,
  ],
  ['the proxy stopped', {}, (host) => host.alter({ isRunning: false }), 'proxy', '(proxy): the proxy does not run: nobody is served'],
  ['the live link removed', {}, (host) => host.edge.files.remove(`live/${key}`), 'requests', 'api: requests reach no container'],
  ['the live link turned', {}, (host) => host.edge.files.point(`live/${key}`, '/tmp'), 'requests', 'api: requests reach no container'],
  [
    'requests for a container that was stopped',
    {},
    (host) => host.engine.stop('shop-prod-api-2', 1),
    'requests',
    'api: requests are sent to shop-prod-api-2, which does not run',
  ],
  [
    'the same behind Traefik',
    { provider: 'traefik' },
    (host) => host.engine.remove('shop-prod-api-2'),
    'requests',
    'api: requests are sent to shop-prod-api-2, which does not run',
  ],
  [
    'a container that runs and serves nobody',
    {},
    async (host) => {
      await publish(host.site(), upstreams.slice(0, 1))
    },
    'requests',
    'api: shop-prod-api-2 runs and is sent no requests',
  ],
]
for (const [title, route, harm, row, line] of harms) {
  test(`${title}: told with exit code 10, the file and what repairs it`, async () => {
    const host = await routed(route)
    await harm(host)
    host.changed()
    const { code, text } = await status(host)
    assert.is(code, 10, text)
    assert.match(text, new RegExp(`^node-1 {2}\\(proxy\\) .* ${row}$`, 'm'))
    assert.ok(text.includes(`\nnode-1 ${line}`), text)
    assert.match(text, 'to repair: stagecraft deploy --env prod')
  })
}

test('a proxy that was removed is told of', async () => {
  const host = await routed()
  host.proxy = undefined
  host.changed()
  const { code, text, edge } = await status(host)
  assert.is(code, 10)
  assert.match(text, 'node-1 (proxy): there is no proxy: nobody is served')
  assert.is((edge as { proxy: string }).proxy, 'missing')
})

test('Traefik that was removed is known by its files', async () => {
  const host = await routed({ provider: 'traefik' })
  host.proxy = undefined
  host.changed()
  const look = await lookAtEdge(host)
  assert.is(look?.assembled, undefined)
  assert.is(look?.routes[0]?.fileState, 'as written')
})

test('maintenance is told with what ends it, and is no drift: somebody wanted it', async () => {
  const host = await routed()
  host.edge.files.put(`maintenance/${key}.html`, 'soon')
  host.changed()
  const { code, text, edge } = await status(host)
  assert.is(code, 0)
  assert.match(text, /^node-1 {2}\(proxy\) .* maintenance$/m)
  assert.match(text, 'node-1 api: users meet the maintenance page\nto end maintenance: stagecraft maintenance off --env prod --service api')
  assert.not.match(text, 'to repair')
  assert.equal((edge as { routes: object[] }).routes, [{ service: 'api', maintenance: true, drift: [] }])
})

test('a gateway without containers of the service is looked at too', async () => {
  const host = new EdgeHost({ key, open: { peers: ['10.0.0.2:8079'] }, isLocal: false })
  await configureCaddy(host.site())
  assert.is((await lookAtEdge(host))?.routes[0]?.targets, undefined)
  host.edge.files.put(ownFile, '{}')
  host.changed()
  const { text } = await status(host)
  assert.match(text, `node-1 api: ${edgeFolder}/${ownFile} is not as a deploy wrote it`)
})

test('where nothing is routed, there is no row and nothing more is read', async () => {
  const host = await routed()
  host.edgeState = () => ({ routes: {}, assembled: 'a', recorded: 'b' })
  host.changed()
  const { code, text, edge } = await status(host)
  assert.is(code, 0, text)
  assert.is(edge, null)
  assert.not.match(text, 'proxy')
  assert.equal(
    host.calls.filter((call) => call.startsWith('edge ')),
    [],
  )
})

test('a service that nobody asked for is left out, with its proxy', async () => {
  const host = await routed()
  host.edge.files.put(ownFile, '{}')
  host.changed()
  const { code, edge } = await status(host, { selection: { host: ['node-1'], service: ['db'] } })
  assert.is(code, 0)
  assert.is(edge, null)
})

test('while a run is at work, requests may go elsewhere', async () => {
  const host = await routed()
  await host.edge.files.remove(`live/${key}`)
  host.lock = { owner: 'run-1', fence: 1, description: 'ben@ci pid 7', startedAt: '2026-01-08T23:59:00.000Z' }
  host.answer(/^date/, { stdout: '1000\n' })
  host.answer(/^stat -c %Y .*lock\.beat\.run-1/, { stdout: '997\n' })
  host.changed()
  assert.is((await status(host)).code, 0)
})

test('a sealed text tells of any change', () => {
  const text = sealed('a: 1\n')
  assert.ok(isAsSealed(text))
  for (const other of ['', 'a: 1\n', `${text}b`, text.replace('1', '2'), text.slice(1), `\n${text}`])
    assert.not.ok(isAsSealed(other), other)
})

test.run()
