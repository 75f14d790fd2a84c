import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { drawTree } from '../../../graph/forms/tree.ts'
import { taskGraph } from '../../../graph/task-graph.ts'
import type { Task } from '../../../graph/types.ts'
import { deployTasks } from '../../../src/pipelines/deploy.ts'
import { kinds } from '../../../tasks/index.ts'
import { accepted, resolved } from '../config/told.ts'

const test = suite('src/pipelines/deploy')

async function tasksOf(config: string, compose: string, version = 'v1', environment = 'prod'): Promise<readonly Task[]> {
  const deployment = accepted(await resolved(config, compose, { envFileNames: [] }, environment))
  return deployTasks(deployment, { version, envFileNames: [], buildArgs: {}, ignoreFiles: {} })
}

/** `kind:subject needs … after …`, sorted: every edge of the graph. */
function edges(tasks: readonly Task[]): string[] {
  accepted(taskGraph(tasks))
  return tasks
    .map(({ id, needs, after }) =>
      [id, ...(needs.length > 0 ? ['needs', ...needs] : []), ...(after.length > 0 ? ['after', ...after] : [])].join(' '),
    )
    .sort()
}

const shop = (environments: string, rest = '') => `project: {name: shop, registry: ghcr.io/acme/shop}
environments:
  prod:
    ${environments}
${rest}`

test('the least project: one image, one host', async () => {
  const tasks = await tasksOf(shop('hosts: [h1]'), 'services: {web: {image: nginx}}\n')
  assert.equal(edges(tasks), [
    'finalize:prod needs render:h1 after health:prod',
    'health:prod needs render:h1 after rollout:web@h1',
    'render:h1',
    'rollout:web@h1 needs render:h1 after upload:h1',
    'upload:h1 needs render:h1',
  ])
})

test('two services on two hosts: pushes wait for all builds, and of each service the first host goes first', async () => {
  const compose = 'services:\n  api: {build: ./api}\n  web: {build: ./web, depends_on: [api]}\n'
  const config = shop('hosts: {app: [h1, h2]}', 'services: {api: {role: app}, web: {role: app}}\n')
  const tasks = await tasksOf(config, compose)
  const perHost = (host: string, canary: (service: string) => string = () => '') => [
    `rollout:api@${host} needs render:${host} after upload:${host}${canary('api')}`,
    `rollout:web@${host} needs render:${host} after upload:${host} rollout:api@${host}${canary('web')}`,
    `upload:${host} needs render:${host}`,
  ]
  assert.equal(
    edges(tasks),
    [
      'build:api',
      'build:web',
      'push:api needs build:api after build:web',
      'push:web needs build:web after build:api',
      'render:h1 needs push:api push:web',
      'render:h2 needs push:api push:web',
      ...perHost('h1'),
      ...perHost('h2', (service) => ` rollout:${service}@h1`),
      'health:prod needs render:h1 render:h2 after rollout:api@h1 rollout:api@h2 rollout:web@h1 rollout:web@h2',
      'finalize:prod needs render:h1 render:h2 push:api push:web after health:prod',
    ].sort(),
  )
})

test('without hosts there is something to build, and nothing to push', async () => {
  const config = 'project: {name: shop}\nenvironments: {dev: {driver: local}}\n'
  assert.equal(edges(await tasksOf(config, 'services: {api: {build: .}, db: {image: postgres}}\n', 'v1', 'dev')), ['build:api'])
})

const database = (more: string) =>
  shop('hosts: [h1]', `databases: {main: {connection_env: DATABASE_URL, ${more}migrations: {path: migrations}}}\n`)

test('a database elsewhere is migrated before anything reaches a host', async () => {
  const tasks = await tasksOf(database(''), 'services: {api: {build: .}}\n')
  assert.equal(
    edges(tasks).filter((edge) => /^(migrate|upload|rollout)/.test(edge)),
    [
      'migrate_pre:main after push:api',
      'rollout:api@h1 needs render:h1 after upload:h1 migrate_pre:main',
      'upload:h1 needs render:h1 after migrate_pre:main',
    ],
  )
})

const withDatabase = 'services:\n  api: {build: ., depends_on: [db]}\n  db: {image: postgres, depends_on: [disk]}\n  disk: {image: disk}\n'

for (const [title, via] of [
  ['', ''],
  [', reached from this machine', 'via: direct, '],
] as const) {
  test(`a database of ours${title} is up, with what it depends on, before it is migrated; everything else comes after`, async () => {
    const tasks = await tasksOf(database(`service: db, ${via}`), withDatabase)
    assert.equal(
      edges(tasks).filter((edge) => /^(migrate|upload|rollout)/.test(edge)),
      [
        'migrate_pre:main after push:api rollout:db@h1',
        'rollout:api@h1 needs render:h1 after upload:h1 rollout:db@h1 migrate_pre:main',
        'rollout:db@h1 needs render:h1 after upload:h1 rollout:disk@h1',
        'rollout:disk@h1 needs render:h1 after upload:h1',
        'upload:h1 needs render:h1',
      ],
    )
  })
}

test('a database that is migrated by hand has no task', async () => {
  const config = shop('hosts: [h1]', 'databases: {main: {connection_env: D, migrations: {path: m, strategy: manual}}}\n')
  assert.not.ok(edges(await tasksOf(config, withDatabase)).some((edge) => edge.includes('migrate')))
})

test('the version is in the parameters of finalize alone: another commit changes nothing else', async () => {
  const of = async (version: string) => tasksOf(database('service: db, '), withDatabase, version)
  const [one, two] = [await of('v1'), await of('other')]
  assert.equal(
    one.map(({ id }) => id),
    two.map(({ id }) => id),
  )
  const changed = one.filter((task, index) => JSON.stringify(task.params) !== JSON.stringify(two[index]?.params))
  assert.equal(
    changed.map(({ id }) => id),
    ['finalize:prod'],
  )
})

test('every task’s parameters are what its kind accepts', async () => {
  for (const task of await tasksOf(database('service: db, '), withDatabase)) {
    const kind = kinds.get(task.kind)
    assert.ok(kind, `no kind ${task.kind}`)
    kind?.params.parse(task.params)
  }
})

for (const [restart, expected] of [
  [undefined, { name: 'no', maximumRetryCount: 0 }],
  ['always', { name: 'always', maximumRetryCount: 0 }],
  ['unless-stopped', { name: 'unless-stopped', maximumRetryCount: 0 }],
  ['on-failure', { name: 'on-failure', maximumRetryCount: 0 }],
  ['"on-failure:5"', { name: 'on-failure', maximumRetryCount: 5 }],
  ['"no"', { name: 'no', maximumRetryCount: 0 }],
  ['"${POLICY:-always}"', { name: 'always', maximumRetryCount: 0 }],
] as const) {
  test(`restart: ${restart ?? '(none)'}`, async () => {
    const tasks = await tasksOf(shop('hosts: [h1]'), `services: {web: {image: i${restart ? `, restart: ${restart}` : ''}}}\n`)
    const roll = tasks.find(({ kind }) => kind === 'rollout')?.params as { readonly restart: unknown }
    assert.equal(roll.restart, expected)
  })
}

test('the whole graph draws', async () => {
  const graph = accepted(taskGraph(await tasksOf(database('service: db, '), withDatabase)))
  assert.match(drawTree(graph), 'finalize:prod')
})

test('a rollback: pins in the place of builds and pushes, no migrations, and nothing is written before all pins', async () => {
  const compose = 'services:\n  api: {build: ./api}\n  web: {build: ./web}\n  db: {image: postgres}\n'
  const config = shop('hosts: [h1]', 'databases: {main: {connection_env: DATABASE_URL, service: db, migrations: {engine: raw, path: m}}}\n')
  const deployment = accepted(await resolved(config, compose, { envFileNames: ['DATABASE_URL'] }, 'prod'))
  const pin = (name: string) => ({ repository: `old.example/${name}`, digest: 'sha256:1', version: 'v1', release: 'rel-1' })
  const pins = { api: pin('api'), web: pin('web') }
  const tasks = deployTasks(deployment, { version: 'v1', envFileNames: [], buildArgs: {}, ignoreFiles: {}, pins })
  const kindsThere = new Set(tasks.map(({ kind }) => kind))
  for (const kind of ['build', 'push', 'migrate_pre']) assert.not.ok(kindsThere.has(kind), kind)
  const graph = accepted(taskGraph(tasks))
  for (const { id, kind } of tasks) {
    if (kind === 'upload' || kind === 'proxy')
      assert.equal(
        graph.task(id).after.filter((other) => other.startsWith('pin:')),
        ['pin:api', 'pin:web'],
      )
  }
  const rendered = tasks.find(({ kind }) => kind === 'render')?.params as { services: Record<string, { image: unknown }> }
  assert.equal(rendered.services['api']?.image, { push: 'pin:api', repository: 'old.example/api' })
  const finalize = tasks.find(({ kind }) => kind === 'finalize')?.params as { pushes: unknown }
  assert.equal(finalize.pushes, [
    { service: 'api', push: 'pin:api' },
    { service: 'web', push: 'pin:web' },
  ])
})

test('where images are sent, a transfer to each host stands for the push, and nothing else is written before all of them', async () => {
  const config = 'project: {name: shop, transfer: ssh}\nenvironments: {prod: {hosts: {app: [h1, h2]}}}\nservices: {web: {role: app}}\n'
  const tasks = await tasksOf(config, 'services: {web: {build: ., healthcheck: {test: [CMD, x]}}}\n')
  const found = edges(tasks).filter((line) => !/^(health|rollout)/.test(line))
  assert.equal(found, [
    'build:web',
    'finalize:prod needs render:h1 render:h2 build:web after health:prod',
    'render:h1 needs build:web',
    'render:h2 needs build:web',
    'transfer:web@h1 needs build:web',
    'transfer:web@h2 needs build:web',
    'upload:h1 needs render:h1 after transfer:web@h1 transfer:web@h2',
    'upload:h2 needs render:h2 after transfer:web@h1 transfer:web@h2',
  ])
  const params = (id: string) => tasks.find((task) => task.id === id)?.params as Readonly<Record<string, unknown>>
  assert.equal(
    [params('build:web')['remote'], params('build:web')['hosts'], params('build:web')['repository']],
    [false, ['h1', 'h2'], 'shop-web'],
  )
  assert.is(params('rollout:web@h1')['sent'], true)
  assert.equal(params('transfer:web@h1')['others'], ['h2'])
  for (const { kind, params: given } of tasks) assert.equal(kinds.get(kind)?.params.parse(given), given)
})

test('a rollback sends what was sent, and pulls what was pulled, whatever the manifest says now', async () => {
  const config = 'project: {name: shop, registry: ghcr.io/acme/shop}\nenvironments: {prod: {hosts: [h1]}}\n'
  const deployment = accepted(await resolved(config, 'services: {api: {build: ./a}, web: {build: ./w}}\n', { envFileNames: [] }, 'prod'))
  const pinned = { repository: 'r', digest: 'sha256:1', version: 'v1', release: 'rel-1' }
  const tasks = deployTasks(deployment, {
    ...{ version: 'v1', envFileNames: [], buildArgs: {}, ignoreFiles: {} },
    pins: { api: { ...pinned, transfer: 'ssh' }, web: pinned },
  })
  assert.equal(
    tasks.map(({ id }) => id).filter((id) => /^(pin|push|build|transfer)/.test(id)),
    ['pin:api', 'pin:web', 'transfer:api@h1'],
  )
  const pin = tasks.find(({ id }) => id === 'pin:api')?.params as Readonly<Record<string, unknown>>
  assert.equal([pin['sent'], pin['transfer']], [['h1'], undefined])
})

test.run()
