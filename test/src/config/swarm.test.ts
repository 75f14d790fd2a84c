import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { Deployment } from '../../../src/contracts.ts'
import { accepted, diagnosticsOf, resolved, told } from './told.ts'

const test = suite('config/swarm')

const hosts = `[{name: m1, address: 10.0.0.1, roles: [app]}, {name: w1, address: w1.example.com, private_address: 10.0.0.2, roles: [app]}, {name: d1, address: 10.0.0.3, roles: [db]}]`
const manifest = (more = '', environment = '', rollout = '{target: swarm}') => `project: {name: shop, registry: ghcr.io/acme/shop}
environments: {prod: {hosts: ${hosts}, rollout: ${rollout}${environment}}}
${more}`
const check = 'healthcheck: {test: [CMD, "true"]}'
const compose = (web = '', more = '') => `services: {web: {image: "web:1", ${check}${web === '' ? '' : `, ${web}`}}}\n${more}`
const said = async (config: string, file: string) => told(diagnosticsOf(await resolved(config, file)))
const deployed = async (config: string, file: string): Promise<Deployment> => accepted(await resolved(config, file))

test('to all the rest a swarm is its manager; machines are nodes, with all their addresses', async () => {
  const { hosts, services, swarm, primaryHost } = await deployed(manifest('services: {web: {role: app, replicas: 3}}'), compose())
  assert.equal([hosts.map(({ name }) => name), primaryHost, services[0]?.hosts], [['m1'], 'm1', ['m1']])
  assert.equal(swarm, {
    manager: 'm1',
    labelPrefix: 'stagecraft.shop.prod.',
    nodes: [
      { name: 'd1', addresses: ['10.0.0.3'], roles: ['db'] },
      { name: 'm1', addresses: ['10.0.0.1'], roles: ['app'] },
      { name: 'w1', addresses: ['w1.example.com', '10.0.0.2'], roles: ['app'] },
    ],
  })
  assert.equal(services[0]?.rollout.constraints, ['node.labels.stagecraft.shop.prod.app==true'])
})

test('a service without a role runs on any node; one host without roles asks for none', async () => {
  const { services } = await deployed(manifest(), compose())
  assert.equal(services[0]?.rollout.constraints, [])
  const one = manifest('services: {web: {role: app}}').replace(hosts, '[deploy@10.0.0.1]')
  const { swarm, services: placed } = await deployed(one, compose())
  assert.equal([swarm?.nodes, placed[0]?.rollout.constraints], [[], []])
})

test('without `target: swarm`, or without hosts, nothing is a swarm', async () => {
  assert.is((await deployed(manifest('services: {web: {role: app}}', '', '{}'), compose())).swarm, undefined)
  const local = `project: {name: shop}\nenvironments: {prod: {driver: local, rollout: {target: swarm}}}\n`
  assert.is((await deployed(local, compose())).swarm, undefined)
})

for (const [what, web, order, reason] of [
  ['says nothing', '', 'start-first', undefined],
  ['publishes on every node', 'ports: ["80:80"]', 'start-first', undefined],
  ['takes a port of its node', 'ports: [{target: 80, published: "80", mode: host}]', 'stop-first', 'takes a port of its node'],
  ['uses the network of its node', 'network_mode: host', 'stop-first', 'uses the network of its node'],
] as const) {
  test(`what ${what} is rolled ${order}, with any number of copies`, async () => {
    const { services } = await deployed(manifest('services: {web: {replicas: 2}}'), compose(web))
    assert.equal([services[0]?.rollout.order, services[0]?.rollout.reason], [order, reason])
  })
}

test('whoever has nodes to spare may start the new one first', async () => {
  const port = 'ports: [{target: 80, published: "80", mode: host}]'
  const { services } = await deployed(manifest('services: {web: {rollout: {order: start-first}}}'), compose(port))
  assert.is(services[0]?.rollout.order, 'start-first')
})

for (const [what, web, more, expected] of [
  [
    'a fixed name',
    'container_name: web',
    '',
    /SC1055 `services\.web\.container_name` cannot be had on a swarm \| the swarm names its copies/,
  ],
  ['a right it has no word for', 'privileged: true', '', /SC1055 `services\.web\.privileged` .*cap_add/],
  ['a file of variables', 'env_file: .env.web', '', /SC1055 `services\.web\.env_file`/],
  ['another network mode', 'network_mode: bridge', '', /SC1055 .*only `host`/],
  ['a port of one address', 'ports: ["127.0.0.1:80:80"]', '', /SC1055 `services\.web\.ports\[0\]` is bound to one address/],
  ['half an update', 'deploy: {update_config: {failure_action: pause}}', '', /SC1055 .*is `rollback` always/],
  ['a network of one host', '', 'networks: {default: {driver: bridge}}', /SC1055 `networks\.default\.driver` is `bridge`/],
  ['data that may be left behind', 'volumes: ["data:/data"]', 'volumes: {data: {}}', /SC1056 service `web` keeps data in `data` of a node/],
  ['a path of some node', 'volumes: ["/srv/data:/data"]', '', /SC1056 .*`\/srv\/data`/],
] as const) {
  test(`${what} is refused`, async () => {
    const lines = await said(manifest(), compose(web, more))
    assert.is(lines.length, 1, lines.join('\n'))
    assert.match(lines[0] ?? '', expected)
  })
}

for (const [what, config, web, more] of [
  ['the role of one host', 'services: {web: {role: db}}', 'volumes: ["data:/data"]', 'volumes: {data: {}}'],
  ['constraints of the user’s own', '', 'volumes: ["data:/data"], deploy: {placement: {constraints: [node.id==x]}}', 'volumes: {data: {}}'],
  ['a driver that reaches every node', '', 'volumes: ["data:/data"]', 'volumes: {data: {driver: nfs}}'],
  ['files that are only read', '', 'volumes: ["/etc/ssl:/ssl:ro"]', ''],
  ['files of the project', '', 'volumes: ["./conf:/conf"]', ''],
] as const) {
  test(`data stays where it is by ${what}`, async () => assert.equal(await said(manifest(config), compose(web, more)), []))
}

for (const [what, more, environment, rollout, expected] of [
  [
    'a canary',
    '',
    '',
    '{target: swarm, canary: m1}',
    /SC1055 `rollout\.canary` cannot be had on a swarm \| copies follow each other by `deploy\.update_config`/,
  ],
  ['batches', '', '', '{target: swarm, batch: 2}', /SC1055 `rollout\.batch`/],
  ['another driver', '', '', '{target: swarm, driver: recreate}', /SC1055 driver `recreate`/],
  ['another driver of a service', 'services: {web: {rollout: {driver: recreate}}}', '', undefined, /SC1055 driver `recreate`/],
  ['variables that lie on hosts', '', ', env_file: /etc/shop.env', undefined, /SC1055 `env_file` on hosts/],
  ['a question over HTTP', 'services: {web: {health: {path: /, port: 80}}}', '', undefined, /SC1055 `health` of service `web`/],
  ['a route', 'services: {web: {route: {domains: [a.example], port: 80}}}', '', undefined, /SC1057 service `web` has a `route`/],
  ['a hook in a container', 'hooks: {after_rollout: {command: "true", on: web}}', '', undefined, /SC1055 hook `after_rollout`/],
] as const) {
  test(`${what} is refused with what to do instead`, async () => {
    const lines = await said(manifest(more, environment, rollout), compose())
    assert.is(lines.length, 1, lines.join('\n'))
    assert.match(lines[0] ?? '', expected)
  })
}

test('secrets as variables are warned of, with what would hide them', async () => {
  const lines = await said(manifest('', ', env_file: .env.prod'), `services: {web: {build: ., ${check}}}\n`)
  assert.is(lines.length, 1, lines.join('\n'))
  assert.match(lines[0] ?? '', /SC1058 \(warning\) service `web` is given secrets as variables.*\| what is named under `secrets`/)
})

test.run()
