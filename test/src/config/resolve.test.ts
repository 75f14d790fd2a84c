import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { Deployment, Service } from '../../../src/contracts.ts'
import { aboutConfig, accepted, diagnosticsOf, least, resolved, told } from './told.ts'

const test = suite('config/resolve')

const web = 'services: {web: {image: nginx, healthcheck: {test: [CMD, "true"]}}}\n'
const built = 'services: {web: {build: ., healthcheck: {test: [CMD, "true"]}}}\n'
const local = 'project: {name: shop}\nenvironments: {prod: {}}\n'
const fleet = `project: {name: shop, registry: ghcr.io/acme/shop}
hosts: {app: [node-2, node-1], db: [data-1]}
services: {web: {role: app}, db: {role: db}}
environments: {prod: {}}
`
const stack = 'services: {web: {image: nginx, depends_on: [db], healthcheck: {}}, db: {image: postgres, healthcheck: {}}}\n'

const deployment = async (config: string, compose: string): Promise<Deployment> => accepted(await resolved(config, compose))
async function service(config: string, compose: string, name = 'web'): Promise<Service> {
  const found = (await deployment(config, compose)).services.find((candidate) => candidate.name === name)
  if (!found) throw new Error(`no service ${name}`)
  return found
}
/** A manifest of one host whose environment has more. */
const withEnvironment = (more: string) => least.replace('203.0.113.7]', `203.0.113.7], ${more}`)

test('the least manifest deploys a Compose project to one server', async () => {
  const { services, ...rest } = await deployment(least, built)
  assert.equal(
    { ...rest, hosts: rest.hosts.map(({ origin: _, ...host }) => host) },
    {
      project: 'shop',
      environment: 'prod',
      composeProject: 'shop-prod',
      registry: 'ghcr.io/acme/shop',
      directory: '/opt/stagecraft/shop/prod',
      edgeDirectory: '/opt/stagecraft/edge',
      hosts: [{ name: '203.0.113.7', address: '203.0.113.7', user: 'deploy', roles: [] }],
      primaryHost: '203.0.113.7',
      databases: [],
      compose: { file: 'docker-compose.yml', topLevel: {} },
      variables: { plain: {}, secret: [] },
      knownHosts: ['stagecraft.known_hosts', '~/.ssh/known_hosts', '/etc/ssh/ssh_known_hosts'],
      fleet: { onFailure: 'rollback' },
    },
  )
  assert.equal(
    services.map(({ origin, ...found }) => ({ ...found, at: [origin?.file, origin?.line] })),
    [
      {
        name: 'web',
        hosts: ['203.0.113.7'],
        replicas: 1,
        build: {
          repository: 'ghcr.io/acme/shop/web',
          context: '.',
          dockerfile: 'Dockerfile',
          args: {},
          platforms: [],
          secrets: {},
          ssh: [],
          additionalContexts: {},
          cacheFrom: [],
          labels: {},
        },
        definition: { healthcheck: { test: ['CMD', 'true'] } },
        dependsOn: [],
        rollout: { driver: 'native', order: 'start-first', timeoutSeconds: 60, minReadySeconds: 5, stopGraceSeconds: 10 },
        at: ['docker-compose.yml', 1],
      },
    ],
  )
})
test('a deployment cannot be changed', async () => {
  const { services } = await deployment(least, built)
  assert.ok(Object.isFrozen(services) && Object.isFrozen(services[0]?.definition))
})
test('an unknown environment lists those there are', async () => {
  const config = 'project: {name: shop}\nenvironments: {staging: {}, prod: {}}\n'
  assert.equal(told(diagnosticsOf(await resolved(config, web, {}, 'prdo'))), [
    '2:1 SC1020 there is no environment `prdo` → prod | there is `prod`, `staging`',
  ])
})
test('hosts of an environment replace those of the top', async () => {
  const config = 'project: {name: shop}\nhosts: [a]\nenvironments: {prod: {hosts: [{address: b, name: c, port: 22, identity_file: k}]}}\n'
  assert.equal(
    (await deployment(config, web)).hosts.map(({ origin, ...host }) => [host, origin?.line]),
    [[{ name: 'c', address: 'b', port: 22, identityFile: 'k', roles: [] }, 3]],
  )
})
test('roles place services, and hosts are sorted', async () => {
  const { hosts, services, primaryHost } = await deployment(fleet, stack)
  assert.equal(
    hosts.map(({ name, roles }) => [name, roles]),
    [
      ['data-1', ['db']],
      ['node-1', ['app']],
      ['node-2', ['app']],
    ],
  )
  assert.is(primaryHost, 'node-1')
  assert.equal(
    services.map(({ name, hosts: placed, dependsOn }) => [name, placed, dependsOn]),
    [
      ['db', ['data-1'], []],
      ['web', ['node-1', 'node-2'], ['db']],
    ],
  )
})
test('the roles of a host under several roles are joined', async () => {
  const config = 'project: {name: shop}\nhosts: {db: [a], app: [{address: a, roles: [web]}]}\nenvironments: {prod: {}}\n'
  assert.equal((await deployment(config, web)).hosts[0]?.roles, ['app', 'db', 'web'])
})
test('a single host without roles takes services of any role', async () => {
  assert.equal((await service(`${least}services: {web: {role: app}}\n`, web)).hosts, ['203.0.113.7'])
})
test('the grace of a stop is rounded up to whole seconds', async () => {
  const found = await service(least, 'services: {web: {image: a, healthcheck: {}, stop_grace_period: 1200ms}}')
  assert.is(found.rollout.stopGraceSeconds, 2)
})
test('the primary host is the one named', async () => {
  assert.is((await deployment(fleet.replace('{prod: {}}', '{prod: {primary_host: data-1}}'), stack)).primaryHost, 'data-1')
})
test('a local environment has no hosts, whatever stands at the top', async () => {
  const { hosts, services, ...rest } = await deployment(fleet.replace('{prod: {}}', '{prod: {driver: local}}'), stack)
  assert.equal([hosts, services[1]?.dependsOn, 'primaryHost' in rest], [[], ['db'], false])
})
test('paths and known hosts of an environment are used', async () => {
  const found = await deployment(withEnvironment('path: /srv/, known_hosts: [ops/keys]'), web)
  assert.is(found.directory, '/srv/shop/prod')
  assert.is(found.knownHosts[0], 'ops/keys')
})
test('profiles guard only local starts, and the definition goes without build', async () => {
  const found = await service(least, 'services: {web: {build: ., profiles: [x], restart: always, healthcheck: {}}}')
  assert.equal(found.definition, { restart: 'always', healthcheck: {} })
})

test('replicas: the nearest to the environment wins', async () => {
  const compose = (more: string) => `services: {web: {image: a, healthcheck: {}${more}}}`
  const manifest = `${least}services: {web: {replicas: 3}}\n`
  const both = `${withEnvironment('services: {web: {replicas: 4}}')}services: {web: {replicas: 3}}\n`
  assert.is((await service(least, compose(''))).replicas, 1)
  assert.is((await service(least, compose(', scale: 2'))).replicas, 2)
  assert.is((await service(least, compose(', deploy: {replicas: 2}'))).replicas, 2)
  assert.is((await service(least, compose(', deploy: {replicas: "${N:-5}"}'))).replicas, 5)
  assert.is((await service(manifest, compose(', deploy: {replicas: 2}'))).replicas, 3)
  assert.is((await service(both, compose(''))).replicas, 4)
})
test('rollout: the service of the environment, the service, the environment, what is usual', async () => {
  const config = `project: {name: shop}
services: {web: {rollout: {timeout_seconds: 20, min_ready_seconds: 2}}}
environments:
  prod:
    hosts: [a]
    rollout: {timeout_seconds: 10, min_ready_seconds: 1, surge: 3, driver: recreate}
    services: {web: {rollout: {timeout_seconds: 30}}}
`
  assert.equal((await service(config, `services: {web: {image: a, healthcheck: {}, stop_grace_period: 1m30s}}`)).rollout, {
    driver: 'recreate',
    order: 'start-first',
    timeoutSeconds: 30,
    minReadySeconds: 2,
    steadySeconds: 2,
    surge: 3,
    stopGraceSeconds: 90,
  })
})

const orders: readonly (readonly [definition: string, order: string, reason?: string])[] = [
  ['image: a', 'start-first'],
  ['image: a, container_name: one', 'stop-first', 'has a fixed `container_name`'],
  ['image: a, ports: ["80:80"]', 'stop-first', 'publishes host port 80'],
  ['image: a, ports: ["8080-8081:80"]', 'start-first'],
  ['image: a, ports: ["80"]', 'start-first'],
  ['image: a, network_mode: host', 'stop-first', 'uses the network of its host'],
  ['image: a, volumes: ["data:/data"]', 'stop-first', 'keeps data in `data`'],
  ['image: a, volumes: ["data:/data:ro"]', 'start-first'],
  ['image: a, volumes: ["data:/data"], deploy: {replicas: 2}', 'start-first'],
  ['build: ., volumes: ["data:/data"]', 'start-first'],
]
for (const [definition, order, reason] of orders) {
  test(`{${definition}} is rolled ${order}`, async () => {
    const { rollout } = await service(least, `services: {web: {${definition}, healthcheck: {}}}`)
    assert.equal([rollout.order, rollout.reason], [order, reason])
  })
}
test('the manifest may ask for stop-first, or start a stateful service first', async () => {
  const stop = await service(`${least}services: {web: {rollout: {order: stop-first}}}\n`, web)
  assert.equal([stop.rollout.order, stop.rollout.reason], ['stop-first', 'the manifest says so'])
  const compose = 'services: {web: {image: a, volumes: ["data:/data"], healthcheck: {}}}'
  assert.is((await service(`${least}services: {web: {rollout: {order: start-first}}}\n`, compose)).rollout.order, 'start-first')
})
test('health of the environment goes before that of the service', async () => {
  const config = `${withEnvironment('services: {web: {health: {path: /b, port: 2, expected_status: 204}}}')}services: {web: {health: {path: /a, port: 1}}}\n`
  assert.equal((await service(config, web)).health, { path: '/b', port: 2, expectedStatus: 204 })
})
test('what shares a namespace, a link or volumes must be up before', async () => {
  const compose = `services:
  web: { image: a, network_mode: "service:net", links: ["api:backend"], volumes_from: ["data:ro", "container:x"], depends_on: { gone: { condition: service_started, required: false } } }
  net: { image: a }
  api: { image: a }
  data: { image: a }
`
  assert.equal((await service(least, compose)).dependsOn, ['api', 'data', 'net'])
})

const faults: readonly (readonly [config: string, compose: string, ...expected: string[]])[] = [
  [
    fleet.replace('db: {role: db}', 'db: {}'),
    stack,
    '3:30 SC1025 service `db` has no role, and environment `prod` has 3 hosts | set `services.db.role` to one of `app`, `db`',
  ],
  [
    'project: {name: shop}\nenvironments: {prod: {hosts: [a, b]}}\n',
    web,
    '1:12 SC1025 service `web` has no role, and environment `prod` has 2 hosts | set `services.web.role`, and roles of hosts',
  ],
  [`${local}services: {wbe: {}}\n`, web, '3:12 SC1030 service `wbe` is not in `docker-compose.yml` → web | it has `web`'],
  [
    'project: {name: shop}\nenvironments: {prod: {services: {api: {}}}}\n',
    web,
    '2:34 SC1030 service `api` is not in `docker-compose.yml` | it has `web`',
  ],
  [local, 'services: {web: {restart: always}}', '1:12 SC1031 service `web` has neither `image` nor `build`'],
  [`${local}services: {web: {build: none}}\n`, built, '1:12 SC1031 service `web` has no `image`, and `build: none`'],
  [
    `${local}services: {web: {build: backend}}\n`,
    built,
    '3:25 SC1032 service `web` is built by the backend, but there is no `backend` block',
  ],
  [
    `${local}backend: {provider: generic, providers: {generic: {}}}\nservices: {web: {build: backend}}\n`,
    built,
    '4:25 SC1032 service `web` is built by the backend, but `backend.providers.generic.build` is not set',
  ],
  [
    `${local}backend: {provider: generic, providers: {generic: {build: {context: ../api}}}}\nservices: {web: {build: backend}}\n`,
    built,
    '3:69 SC1036 `backend.providers.generic.build.context` is outside the project',
  ],
  [
    'project: {name: shop}\nenvironments: {prod: {hosts: [a]}}\n',
    built,
    '1:1 SC1033 `project.registry` is required: service `web` is built here and runs on hosts | such as `registry: ghcr.io/acme/shop`; or set `transfer: ssh`, which needs none',
  ],
  [
    'project: {name: shop, transfer: ssh}\nenvironments: {prod: {hosts: [a], transfer: registry}}\n',
    built,
    '1:1 SC1033 `project.registry` is required: service `web` is built here and runs on hosts | such as `registry: ghcr.io/acme/shop`; or set `transfer: ssh`, which needs none',
  ],
  [least, 'services: {Web: {build: .}}', '1:12 SC1034 `ghcr.io/acme/shop/Web` cannot be the name of an image | say it with `image`'],
  [local, 'services: {web: {build: ., image: Web}}', '1:35 SC1034 `Web` cannot be the name of an image'],
  [
    least,
    'services: {web: {build: ., image: "web:1"}}',
    '1:35 SC1034 image `web` cannot be pushed: it names no registry | remove `image` to use `ghcr.io/acme/shop/web`',
  ],
  [
    'project: {name: shop}\nenvironments: {prod: {hosts: [a]}}\n',
    'services: {web: {build: ., image: web}}',
    '1:35 SC1034 image `web` cannot be pushed: it names no registry | name its registry, such as `ghcr.io/acme/shop`',
  ],
  [
    local,
    'services: {web: {build: ., image: "${REGISTRY}/web:${TAG}"}}',
    '1:35 SC1035 the name of the image needs `REGISTRY`, which has no value | set it in `environments.prod.variables`',
  ],
  [local, 'services: {web: {build: ../up}}', '1:25 SC1036 `services.web.build.context` is outside the project'],
  [local, 'services: {web: {build: {context: ., dockerfile: ../D}}}', '1:50 SC1036 `services.web.build.dockerfile` is outside the project'],
  [
    local,
    'services: {web: {build: "https://github.com/a/b.git"}}',
    '1:25 SC1012 `services.web.build.context: https://github.com/a/b.git` is not supported by this version: it is not on this machine',
  ],
  [
    local,
    'services: {web: {build: {context: ., network: host}}}',
    '1:38 SC1012 `services.web.build.network` is not supported by this version',
  ],
  [
    local,
    'services: {web: {build: {context: ., additional_contexts: {base: "service:x"}}}}',
    '1:66 SC1012 `services.web.build.additional_contexts.base: service:x` is not supported by this version',
  ],
  [
    local,
    'services: {web: {build: {context: ., secrets: [token]}}}',
    '1:48 SC1037 build secret `token` has neither `environment` nor `file` in the top-level `secrets`',
  ],
  [
    `${least}services: {web: {rollout: {order: start-first}}}\n`,
    'services: {web: {image: a, ports: ["80:80"]}}',
    '3:35 SC1040 service `web` cannot start the new container first: it publishes host port 80 → stop-first',
  ],
  [
    withEnvironment('rollout: {order: start-first}'),
    'services: {web: {image: a, container_name: one}}',
    '2:69 SC1040 service `web` cannot start the new container first: it has a fixed `container_name` → stop-first',
  ],
  [
    withEnvironment('services: {web: {rollout: {order: start-first}}}'),
    'services: {web: {image: a, network_mode: host}}',
    '2:86 SC1040 service `web` cannot start the new container first: it uses the network of its host → stop-first',
  ],
  [
    `${least}services: {web: {replicas: 2}}\n`,
    'services: {web: {image: a, ports: ["80:80"]}}',
    '3:12 SC1041 service `web` wants 2 replicas but publishes host port 80',
  ],
  [
    `${least}services: {web: {replicas: 2}}\n`,
    'services: {web: {image: a, ports: ["8080-8081:80"]}}',
    '3:12 SC1038 service `web` publishes a range of host ports for 2, but 2 on a host need 3: new ones start beside the old ones | make the range longer, or publish none: what has a `route` is reached without',
  ],
  [
    `${least}services: {web: {replicas: 2, rollout: {driver: docker-rollout}}}\n`,
    'services: {web: {image: a, ports: ["8080-8082:80"]}}',
    '3:12 SC1038 service `web` publishes a range of host ports for 3, but 2 on a host need 4: new ones start beside the old ones | make the range longer, or publish none: what has a `route` is reached without',
  ],
  [
    `${least}services: {web: {replicas: 3, rollout: {order: stop-first}}}\n`,
    'services: {web: {image: a, ports: [{published: 8080-8081, target: 80}]}}',
    '3:12 SC1038 service `web` publishes a range of host ports for 2, but 3 on a host need 3 | make the range longer, or publish none: what has a `route` is reached without',
  ],
  [
    local,
    'services: {web: {image: a, deploy: {replicas: 0}}}',
    '1:47 SC1042 expected a whole number of at least 1 in services.web.deploy.replicas, found `0`',
  ],
  [
    local,
    'services: {web: {image: a, scale: "${N}"}}',
    '1:35 SC1042 expected a whole number of at least 1 in services.web.scale, found `${N}`',
  ],
  [
    local,
    'services: {web: {image: a, stop_grace_period: soon}}',
    '1:47 SC1043 expected a duration such as `30s` in services.web.stop_grace_period, found `soon`',
  ],
  [
    local,
    'services: {web: {image: a, depends_on: [dbs]}, db: {image: b}}',
    '1:28 SC1044 service `web` depends on `dbs`, which is not in the Compose file → db',
  ],
  [
    `${local}databases: {main: {connection_env: D, service: db}}\n`,
    web,
    '3:48 SC1051 database `main` runs in service `db`, which is not in the Compose file',
  ],
]
for (const [config, compose, ...expected] of faults) {
  test(expected.join(' and '), async () => {
    const checked = await resolved(config, compose)
    const errors = diagnosticsOf(checked).filter(({ severity }) => severity === 'error')
    assert.equal(told(errors), expected)
    assert.not(checked.ok)
  })
}

const warnings: readonly (readonly [config: string, compose: string, ...expected: string[]])[] = [
  [local, 'services: {web: {image: a}}'],
  [
    least,
    'services: {web: {image: a}}',
    '1:12 SC1060 (warning) service `web` has no healthcheck: it counts as ready when it stays up | add `healthcheck` in the Compose file, or `services.web.health`',
  ],
  [
    least,
    'services: {web: {image: a, healthcheck: {disable: true}}}',
    '1:12 SC1060 (warning) service `web` has no healthcheck: it counts as ready when it stays up | add `healthcheck` in the Compose file, or `services.web.health`',
  ],
  [
    least,
    'services: {web: {image: a, healthcheck: {}, profiles: [x]}}',
    '1:45 SC1061 (warning) service `web` has `profiles`, which are for local use: it is deployed all the same',
  ],
  [
    `${local}frontend: {provider: generic, providers: {generic: {}}}\n`,
    web,
    '3:1 SC1062 (warning) `frontend` is not used: no service is built by it | say so with `services.<name>.build: frontend`',
  ],
  [local, 'services: {web: {build: {context: ., pull: true}}}', '1:38 SC1063 (warning) `services.web.build.pull` is not used'],
]
for (const [config, compose, ...expected] of warnings) {
  test(expected.join(' and ') || 'nothing to warn of', async () => {
    const checked = await resolved(config, compose)
    assert.equal(told(diagnosticsOf(checked)), expected)
    assert.ok(checked.ok)
  })
}

test('variables: plain ones have values, secret ones only names', async () => {
  const config = `project: {name: shop}
databases: {main: {connection_env: DATABASE_URL}}
environments:
  prod:
    env_file: ./.env.prod
    postgres_volume: pg
    db_port_publish: ""
    variables: { LEVEL: info, TOKEN: t }
`
  const checked = await resolved(config, web, { envFileNames: ['TOKEN', 'A'] })
  assert.equal(accepted(checked).variables, {
    plain: { DB_PORT_PUBLISH: '', LEVEL: 'info', POSTGRES_VOLUME: 'pg', TOKEN: 't' },
    secret: ['A', 'DATABASE_URL', 'TOKEN'],
    envFile: '.env.prod',
  })
  assert.equal(told(diagnosticsOf(checked)), ['8:31 SC1064 (warning) `TOKEN` is set both here and in the environment file'])
})
test('an absolute environment file is on the hosts of a remote environment, on this machine otherwise', async () => {
  assert.equal((await deployment(withEnvironment('env_file: /etc/shop/env'), web)).variables, {
    plain: {},
    secret: [],
    hostEnvFile: '/etc/shop/env',
  })
  const here = 'project: {name: shop}\nenvironments: {prod: {env_file: /etc/shop/env}}\n'
  assert.is((await deployment(here, web)).variables.envFile, '/etc/shop/env')
})

test('a database is reached through the host of its service', async () => {
  const config = `${fleet}databases: {main: {connection_env: D, service: db, migrations: {path: db/migrations}}}\n`
  assert.equal((await deployment(config, stack)).databases, [
    {
      name: 'main',
      connectionEnv: 'D',
      engine: 'raw',
      path: 'db/migrations',
      strategy: 'pre_deploy',
      ledgerTable: 'stagecraft_migrations',
      service: 'db',
      via: { host: 'data-1' },
    },
  ])
})
test('a database of the environment: its changes go before the manifest', async () => {
  const config = `project: {name: shop}
hosts: [a, b]
services: {web: {}}
databases:
  main: { connection_env: D, via: direct, migrations: { path: one, strategy: manual } }
  other: { connection_env: O }
migrations: { engine_config: { raw: { schema_table: ledger } } }
environments:
  prod: { hosts: [a], databases: { main: { via: a, migrations: { path: two, table: own.ledger } } } }
  local: { driver: local, databases: { main: { migrations: { strategy: pre_deploy } } } }
`
  assert.equal((await deployment(config, web)).databases, [
    { name: 'main', connectionEnv: 'D', engine: 'raw', path: 'two', strategy: 'manual', ledgerTable: 'own.ledger', via: { host: 'a' } },
  ])
  assert.equal(accepted(await resolved(config, web, {}, 'local')).databases, [
    { name: 'main', connectionEnv: 'D', engine: 'raw', path: 'one', strategy: 'pre_deploy', ledgerTable: 'ledger', via: 'direct' },
  ])
})
test('migrations that are switched off leave no database to migrate', async () => {
  const config = `${local}databases: {main: {connection_env: D, migrations: {path: m}}}\nmigrations: {enabled: false}\n`
  const found = await deployment(config, web)
  assert.equal([found.databases, found.variables.secret], [[], ['D']])
})
test('the place of a change in an environment is the place of its mistake', () => {
  const config = `${local.replace('{prod: {}}', '{prod: {databases: {main: {migrations: {engine: dbmate}}}}}')}databases: {main: {connection_env: D, migrations: {path: m}}}\n`
  assert.equal(aboutConfig(config), [
    '2:63 SC1053 database `main`: there is no migration engine `dbmate`, only `command`, `drizzle`, `knex`, `prisma`, `raw`',
  ])
})

test('a known tool needs neither a command nor a folder, and runs in a container where there are hosts', async () => {
  const on = (where: string) => `${where}databases: {main: {connection_env: D, via: direct, migrations: {engine: prisma}}}\n`
  const [here] = (await deployment(on(local), web)).databases
  const argv = ['npx', '--no-install', 'prisma', 'migrate', 'deploy']
  const check = ['npx', '--no-install', 'prisma', 'migrate', 'status']
  assert.equal([here?.engine, here?.path, here?.command], ['prisma', 'prisma/migrations', { argv, check, env: [], timeoutMs: 600_000 }])
})
/** What is said of the manifest by itself, or else with its Compose file. */
async function problemsOf(config: string): Promise<readonly string[]> {
  const early = aboutConfig(config)
  return early.length > 0 ? early : told(diagnosticsOf(await resolved(config, web)))
}
const oneHost = 'project: {name: shop}\nenvironments: {prod: {hosts: [a]}}\n'
const refusedMigrations: readonly (readonly [where: string, migrations: string, expected: string])[] = [
  [local, 'engine: command, path: m', 'SC1071 database `main`: engine `command` needs `command`, what applies what is pending'],
  [local, 'path: m, command: x', 'SC1072 database `main`: `command` is not for engine `raw`, which runs no program'],
  [
    local,
    'engine: knex, runner: container, on: web',
    'SC1073 database `main`: this environment has no hosts that run containers of ours: use `runner: host`',
  ],
  [oneHost, 'engine: knex', 'SC1071 database `main`: `on` is required: the service whose image has the command; or say `runner: host`'],
  [oneHost, 'engine: knex, on: wbe', 'SC1073 database `main`: there is no service `wbe` to run in, only `web` → web'],
  [
    oneHost,
    'engine: knex, on: web, check: x',
    'SC1073 database `main`: `check` is run on this machine: with `runner: container`, a row in the database tells what was applied',
  ],
  [oneHost, 'engine: knex, on: web, runner: host', 'SC1073 database `main`: `on` is for `runner: container`'],
]
for (const [where, migrations, expected] of refusedMigrations) {
  test(`migrations: ${migrations}: ${expected.slice(0, 6)}`, async () => {
    const config = `${where}databases: {main: {connection_env: D, migrations: {${migrations}}}}\n`
    assert.equal(
      (await problemsOf(config)).map((line) => line.replace(/^\d+:\d+ /, '')),
      [expected],
    )
  })
}
test('a command here cannot reach what is behind a host', async () => {
  const config = `${oneHost}databases: {main: {connection_env: D, via: a, migrations: {engine: knex, runner: host}}}\n`
  assert.match((await problemsOf(config)).join(), /SC1073 database `main`: `runner: host` cannot reach it: it is reached through a/)
})

test.run()
