import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { Deployment, Service } from '../../../src/contracts.ts'
import { edgeTasks, proxyHosts, proxyTasks, routeOn, wantedRoutes, withEdgeNetwork } from '../../../src/pipelines/edge-tasks.ts'
import { scopeOf } from '../../../src/pipelines/fleet-part.ts'
import type { EdgeParams } from '../../../tasks/edge.ts'
import type { ProxyParams } from '../../../tasks/proxy.ts'

const test = suite('src/pipelines/edge-tasks')

const web: Service = {
  name: 'web',
  hosts: ['app-1', 'app-2'],
  replicas: 2,
  definition: { image: 'web' },
  dependsOn: [],
  rollout: { driver: 'native', order: 'start-first', timeoutSeconds: 60, minReadySeconds: 5, stopGraceSeconds: 10 },
  route: { domains: ['shop.example.com'], redirects: [], path: '/', port: 8080, tls: { mode: 'acme' }, hsts: false, drainSeconds: 30 },
}
function deployment(gateways: readonly string[], service: Service = web): Deployment {
  const addresses = { 'edge-1': '10.0.0.1', 'app-1': '10.0.0.2', 'app-2': '10.0.0.3' }
  return {
    project: 'shop',
    environment: 'prod',
    composeProject: 'shop-prod',
    directory: '/opt/stagecraft/shop/prod',
    edgeDirectory: '/opt/stagecraft/edge',
    edge: { provider: 'caddy', image: 'caddy:2', gateways, innerPort: 8079, innerAddresses: addresses, acmeEmailEnv: 'MAIL' },
    hosts: Object.entries(addresses).map(([name, address]) => ({ name, address, roles: [] })),
    services: [service],
    databases: [],
    fleet: { onFailure: 'rollback' },
    compose: { file: 'docker-compose.yml', topLevel: {} },
    variables: { plain: {}, secret: [] },
    knownHosts: [],
  }
}
const inner = (of: Deployment) => proxyTasks(of, scopeOf(of)).map(({ id, params }) => `${id} ${(params as ProxyParams).innerAddress}`)

test('without a gateway, every host of the service answers for its own containers', () => {
  const given = deployment(['app-1', 'app-2'])
  assert.equal(inner(given), ['proxy:app-1 null', 'proxy:app-2 null'])
  assert.is(routeOn('app-1', web, given)?.open, 'local')
})

test('a gateway sends requests to the inner addresses of the hosts behind it, which answer nobody else', () => {
  const given = deployment(['edge-1'])
  assert.equal(inner(given), ['proxy:app-1 10.0.0.2', 'proxy:app-2 10.0.0.3', 'proxy:edge-1 null'])
  assert.equal(routeOn('edge-1', web, given)?.open, { peers: ['10.0.0.2:8079', '10.0.0.3:8079'] })
  assert.is(routeOn('edge-1', web, given)?.isLocal, false)
  assert.is(routeOn('app-1', web, given)?.open, null)
  assert.equal(routeOn('app-1', web, given)?.gateways, ['10.0.0.1'])
})

test('a gateway with containers of its own reaches them without leaving its own', () => {
  assert.equal(routeOn('app-1', web, deployment(['app-1']))?.open, { peers: ['127.0.0.1:8079', '10.0.0.3:8079'] })
})

test('a gateway waits for the hosts behind it', () => {
  const given = deployment(['edge-1'])
  const task = edgeTasks(given, scopeOf(given)).find(({ id }) => id === 'edge:web@edge-1')
  assert.equal(task?.after, ['proxy:edge-1', 'rollout:web@app-1', 'rollout:web@app-2', 'edge:web@app-1', 'edge:web@app-2'])
  assert.is((task?.params as EdgeParams | undefined)?.render, null)
})

test('a part of the fleet has only its own services and hosts at the edge', () => {
  const given = deployment(['edge-1'])
  const one = scopeOf(given, { hosts: ['app-1'] })
  assert.equal(
    [...proxyTasks(given, one), ...edgeTasks(given, one)].map(({ id, after }) => [id, after]),
    [
      ['proxy:app-1', []],
      ['edge:web@app-1', ['proxy:app-1', 'rollout:web@app-1']],
    ],
  )
  assert.equal(edgeTasks(given, scopeOf(given, { services: ['api'] })), [])
})

test('routes that are wanted are known for every host, also where there are none', () => {
  assert.equal(wantedRoutes(deployment(['edge-1']))?.routes, {
    'edge-1': ['shop.prod.web'],
    'app-1': ['shop.prod.web'],
    'app-2': ['shop.prod.web'],
  })
})

test('a deployment without routes has no proxy', () => {
  const { edge: _, ...rest } = deployment([])
  assert.equal([...proxyTasks(rest, scopeOf(rest)), ...edgeTasks(rest, scopeOf(rest)), ...proxyHosts(rest)], [])
})

for (const [title, definition, networks] of [
  ['none', {}, { default: null, 'stagecraft-edge': null }],
  ['a list', { networks: ['back'] }, ['back', 'stagecraft-edge']],
  ['a map', { networks: { back: { aliases: ['a'] } } }, { back: { aliases: ['a'] }, 'stagecraft-edge': null }],
] as const) {
  test(`a routed service joins the network for requests beside its own: ${title}`, () => {
    const joined = withEdgeNetwork({ ...web, definition: definition as Service['definition'] })
    assert.equal(joined['networks'], networks)
    assert.equal(joined['labels'], { 'stagecraft.port': '8080' })
  })
}

test('a service without a route is left as it is', () => {
  const { route: _, ...plain } = web
  assert.is(withEdgeNetwork(plain), plain.definition)
})

test.run()
