import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { ServiceRoute } from '../../../src/contracts.ts'
import { accepted, diagnosticsOf, resolved, told } from './told.ts'

const test = suite('config/edge')

const compose = 'services: {web: {image: nginx, expose: [8080], healthcheck: {test: [CMD, "true"]}}}\n'
const withRoute = (route: string, more = '', environment = '') =>
  `project: {name: shop}\n${more}services: {web: {route: ${route}}}\nenvironments: {prod: {hosts: [deploy@203.0.113.7]${environment}}}\n`
async function routeOf(route: string, more = '', environment = ''): Promise<ServiceRoute> {
  const [service] = accepted(await resolved(withRoute(route, more, environment), compose)).services
  if (!service?.route) throw new Error('no route')
  return service.route
}

test('a domain is enough', async () => {
  assert.equal(await routeOf('shop.example.com'), {
    domains: ['shop.example.com'],
    redirects: [],
    path: '/',
    port: 8080,
    tls: { mode: 'acme' },
    hsts: false,
    drainSeconds: 30,
  })
})

test('the proxy is caddy unless told, on every host of the service', async () => {
  const { edge, edgeDirectory } = accepted(await resolved(withRoute('shop.example.com'), compose))
  assert.is(edge?.provider, 'caddy')
  assert.equal(edge?.gateways, ['203.0.113.7'])
  assert.is(edgeDirectory, '/opt/stagecraft/edge')
})

for (const [title, block] of [
  ['a word', 'edge: caddy\n'],
  ['a block without settings', 'edge: {provider: caddy}\n'],
  ['a block with some', 'edge: {provider: caddy, providers: {caddy: {inner_port: 9000}}}\n'],
] as const) {
  test(`the provider is chosen by ${title}`, async () => {
    const { edge } = accepted(await resolved(withRoute('shop.example.com', block), compose))
    assert.is(edge?.provider, 'caddy')
    assert.is(edge?.innerPort, title.endsWith('some') ? 9000 : 8079)
  })
}

test('what an environment says of all routes is said again by a route', async () => {
  const none = ', edge: {tls: none, hsts: true}'
  assert.equal((await routeOf('shop.example.com', '', none)).tls, { mode: 'none' })
  assert.is((await routeOf('shop.example.com', '', none)).hsts, true)
  assert.equal((await routeOf('{domains: shop.example.com, tls: acme}', '', none)).tls, { mode: 'acme' })
})

test('settings under their older names', async () => {
  assert.equal((await routeOf('shop.example.com', '', ', traefik: {mode: none}')).tls, { mode: 'none' })
  const { edge } = accepted(
    await resolved(withRoute('shop.example.com', '', ', traefik: {mode: acme, acme_email_env: MAIL, hsts: true}'), compose),
  )
  assert.is(edge?.acmeEmailEnv, 'MAIL')
})

test('an environment has another route, or none', async () => {
  assert.equal((await routeOf('shop.example.com', '', ', services: {web: {route: staging.example.com}}')).domains, ['staging.example.com'])
  const { services, edge } = accepted(await resolved(withRoute('shop.example.com', '', ', services: {web: {route: false}}'), compose))
  assert.is(services[0]?.route, undefined)
  assert.is(edge, undefined)
})

test('a given certificate is a pair of files', async () => {
  const { tls } = await routeOf('{domains: a.example.com, tls: {certificate: tls/a.pem, key: tls/a.key}}')
  assert.equal(tls, { mode: 'files', certificate: 'tls/a.pem', key: 'tls/a.key' })
})

test('hosts of role gateway are where users come in', async () => {
  const manifest = `project: {name: shop}
hosts: {gateway: [edge-1], app: [node-1, node-2]}
services: {web: {role: app, route: shop.example.com}}
environments: {prod: {}}
`
  assert.equal(accepted(await resolved(manifest, compose)).edge?.gateways, ['edge-1'])
})

test('between hosts, users’ requests go by the private addresses; what the environment says of an address wins', async () => {
  const manifest = `project: {name: shop}
hosts:
  - {name: node-1, address: 203.0.113.7, private_address: 10.0.0.7, roles: [app]}
  - {name: node-2, address: 203.0.113.8, private_address: 10.0.0.8, roles: [app]}
  - {name: node-3, address: 203.0.113.9, roles: [app]}
services: {web: {role: app, port: 8080, route: shop.example.com}}
environments: {prod: {edge: {inner_addresses: {node-2: 10.9.9.9}}}}
`
  const deployment = accepted(await resolved(manifest, noPort))
  assert.equal(deployment.edge?.innerAddresses, { 'node-1': '10.0.0.7', 'node-2': '10.9.9.9', 'node-3': '203.0.113.9' })
  assert.is(deployment.services[0]?.route?.port, 8080, 'where it listens is said once')
})

const noPort = 'services: {web: {image: nginx, healthcheck: {test: [CMD, "true"]}}}\n'
const noNetwork = 'services: {web: {image: nginx, network_mode: host, expose: [80], healthcheck: {test: [CMD, "true"]}}}\n'
const two = 'services: {web: {image: nginx, expose: [80], healthcheck: {}}, api: {image: nginx, expose: [80], healthcheck: {}}}\n'
for (const [title, manifest, file, expected] of [
  ['a port that nothing tells', withRoute('shop.example.com'), noPort, /SC1140.*port of service `web` is not known/s],
  ['a service in its host’s network', withRoute('shop.example.com'), noNetwork, /SC1141/],
  [
    'kept assets with traefik',
    withRoute('{domains: a.example.com, assets: {path: /assets, directory: /srv}}', 'edge: traefik\n'),
    compose,
    /SC1142.*edge: caddy/s,
  ],
  [
    'two services at one place',
    'project: {name: shop}\nservices: {web: {route: a.example.com}, api: {route: a.example.com}}\nenvironments: {prod: {hosts: [h]}}\n',
    two,
    /SC1143.*both answer `a.example.com\/`/s,
  ],
  ['an address of a host that is not there', withRoute('a.example.com', '', ', edge: {inner_addresses: {x: 10.0.0.1}}'), compose, /SC1144/],
] as const) {
  test(`refused, with the line: ${title}`, async () =>
    assert.match(told(diagnosticsOf(await resolved(manifest, file))).join('\n'), expected))
}

test.run()
