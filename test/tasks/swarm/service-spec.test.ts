import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { JsonObject } from '../../../graph/types.ts'
import { serviceSpec } from '../../../tasks/swarm/service-spec.ts'
import { golden } from '../../support/golden.ts'

const test = suite('tasks/swarm/service-spec')

const input = (definition: JsonObject, parts: Partial<Parameters<typeof serviceSpec>[0]> = {}) => ({
  ...{ name: 'web', definition, image: 'ghcr.io/acme/shop/web@sha256:abc', replicas: 2 },
  policy: { order: 'start-first' as const, monitorSeconds: 5 },
  ...{
    constraints: [],
    project: 'shop',
    environment: 'prod',
    composeProject: 'shop-prod',
    networks: {},
    volumes: {},
    configs: {},
    secrets: {},
  },
  bound: { configs: {}, directory: '/opt/stagecraft/shop/prod' },
  ...parts,
})

test('a service that says little is started first, watched, and taken back by the engine', () => {
  golden('swarm/small.json', `${JSON.stringify(serviceSpec(input({})), null, 2)}\n`)
})

test('a service that says all it can', () => {
  const definition: JsonObject = {
    command: 'serve --port 80',
    entrypoint: ['/entry'],
    environment: { A: '1', SECRET: '${SECRET}' },
    working_dir: '/srv',
    user: '1000:1000',
    hostname: 'web',
    labels: { team: 'shop' },
    stop_signal: 'SIGQUIT',
    stop_grace_period: '1m30s',
    healthcheck: { test: 'curl -f localhost', interval: '5s', timeout: '2s', retries: 3, start_period: '10s' },
    ...{ tty: true, stdin_open: true, read_only: true, init: true, cap_add: ['NET_ADMIN'], cap_drop: ['ALL'], group_add: [7] },
    ...{ sysctls: ['net.core.somaxconn=1024'], ulimits: { nofile: { soft: 1, hard: 2 }, nproc: 3 } },
    ...{ dns: '1.1.1.1', dns_search: ['example.com'], dns_opt: ['ndots:1'], extra_hosts: ['db:10.0.0.1', 'cache=[::1]'] },
    volumes: [
      'data:/var/lib/data',
      '/srv/files:/files:ro',
      { type: 'bind', source: '/opt/stagecraft/shop/prod/files/1234/conf', target: '/etc/conf' },
      { type: 'tmpfs', target: '/tmp', tmpfs: { size: '64m' } },
      { type: 'volume', source: 'shared', target: '/shared', read_only: true },
    ],
    tmpfs: '/run:size=1m',
    configs: ['plain', { source: 'inner', target: '/etc/inner', uid: '1', mode: '0440' }],
    secrets: ['token', { source: 'token', target: 'other', mode: 0o400 }],
    networks: { default: null, front: { aliases: ['www'] }, theirs: null },
    ports: ['80:8080', { target: 9090, published: '9090', mode: 'host' }],
    logging: { driver: 'json-file', options: { 'max-size': '10m' } },
    platform: 'linux/arm64',
    restart: 'on-failure:3',
    deploy: {
      endpoint_mode: 'dnsrr',
      labels: { shown: 'yes' },
      resources: { limits: { cpus: '0.5', memory: '256m', pids: 100 }, reservations: { memory: '64m' } },
      placement: { constraints: ['node.role==worker'], preferences: [{ spread: 'node.labels.zone' }], max_replicas_per_node: 1 },
      update_config: { parallelism: 2, delay: '3s', monitor: '7s' },
      rollback_config: { parallelism: 0 },
    },
  }
  const spec = serviceSpec(
    input(definition, {
      constraints: ['node.labels.stagecraft.shop.prod.app==true'],
      policy: { order: 'stop-first', monitorSeconds: 0 },
      networks: { front: {}, theirs: { external: true, name: 'edge' } },
      volumes: { data: {}, shared: { driver: 'nfs', driver_opts: { share: 'a:/b' }, name: 'all' } },
      configs: { plain: { kind: 'Config', object: 'shop-prod_plain_1' }, inner: { kind: 'Secret', object: 'shop-prod_inner_2' } },
      secrets: { token: { kind: 'Secret', object: 'shop-prod_token_3' } },
      bound: {
        directory: '/opt/stagecraft/shop/prod',
        configs: {
          'files/1234/conf/a': { kind: 'Config', object: 'shop-prod_a_4', executable: false },
          'files/1234/conf/b/run': { kind: 'Config', object: 'shop-prod_run_5', executable: true },
          'files/9999/conf/a': { kind: 'Config', object: 'other', executable: false },
        },
      },
    }),
  )
  golden('swarm/whole.json', `${JSON.stringify(spec, null, 2)}\n`)
})

for (const [restart, condition] of [
  ['no', 'none'],
  ['always', 'any'],
  ['unless-stopped', 'any'],
  [undefined, 'any'],
] as const) {
  test(`restart ${restart} is the condition ${condition}`, () => {
    const { TaskTemplate } = serviceSpec(input(restart === undefined ? {} : { restart })) as { TaskTemplate: JsonObject }
    assert.equal(TaskTemplate['RestartPolicy'], { Condition: condition, Delay: 1e9 })
  })
}

test('the network of a node is attached by its name; a healthcheck can be taken away', () => {
  const { TaskTemplate } = serviceSpec(input({ network_mode: 'host', healthcheck: { disable: true } })) as {
    TaskTemplate: { Networks: unknown; ContainerSpec: JsonObject }
  }
  assert.equal(TaskTemplate.Networks, [{ Target: 'host' }])
  assert.equal(TaskTemplate.ContainerSpec['Healthcheck'], { Test: ['NONE'] })
})

test.run()
