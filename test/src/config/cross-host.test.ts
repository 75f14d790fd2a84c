import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { deployTasks } from '../../../src/pipelines/deploy.ts'
import type { RenderParams } from '../../../tasks/render.ts'
import { accepted, diagnosticsOf, resolved, told } from './told.ts'

const test = suite('config/cross-host')

const hosts = `hosts:
  app: [{name: n1, address: 10.0.0.1}, {name: n2, address: 10.0.0.2}]
  db: [{name: d1, address: db.example.com, private_address: 10.0.0.9}]
`
const manifest = (more = '', environment = '{}', placed = hosts) => `project: {name: shop, registry: ghcr.io/acme/shop}
${placed}services: {web: {role: app}, db: {role: db}}
environments: {prod: ${environment}}
${more}`
const check = 'healthcheck: {test: [CMD, "true"]}'
const compose = (web: string, db = 'expose: ["5432"]') => `services:
  web: {image: web, ${check}, ${web}}
  db: {image: postgres, ${check}, ${db}}
`
const said = async (config: string, file: string) => told(diagnosticsOf(await resolved(config, file)))

async function rendered(host: string, config: string, file: string): Promise<RenderParams> {
  const tasks = deployTasks(accepted(await resolved(config, file)), { version: 'v', envFileNames: [], buildArgs: {}, ignoreFiles: {} })
  return tasks.find(({ id }) => id === `render:${host}`)?.params as unknown as RenderParams
}

test('asked for by a variable, a service on another host is its private address and a port published there alone', async () => {
  const file = compose('environment: {DB: "${DB_HOST}:${DB_PORT}"}')
  const web = await rendered('n1', manifest(), file)
  assert.equal(web.plain, { DB_HOST: '10.0.0.9', DB_PORT: '5432' })
  assert.equal((await rendered('d1', manifest(), file)).services['db']?.definition['ports'], ['10.0.0.9:5432:5432'])
  assert.equal(web.services['web']?.definition['extra_hosts'], { db: '10.0.0.9' })
})

test('what only depends on it finds it by the name it would have on its own host', async () => {
  const web = await rendered('n2', manifest(), compose('depends_on: [db], extra_hosts: ["mail:10.0.0.8"]'))
  assert.equal(web.services['web']?.definition['extra_hosts'], { db: '10.0.0.9', mail: '10.0.0.8' })
  assert.equal(web.plain, {})
})

test('on the same host the name is the service’s own, and nothing is published', async () => {
  const placed = 'hosts: {app: [{name: n1, address: 10.0.0.1}], db: [{name: n1, address: 10.0.0.1}]}\n'
  const { plain, services } = await rendered('n1', manifest('', '{}', placed), compose('environment: {DB: "${DB_HOST}:$DB_PORT"}'))
  assert.equal(plain, { DB_HOST: 'db', DB_PORT: '5432' })
  assert.is(services['db']?.definition['ports'], undefined)
})

test('a port the user publishes is used as it is, and a variable of the user’s is left alone', async () => {
  const file = compose('environment: {DB: "${DB_HOST}:${DB_PORT}"}', 'ports: ["6000:5432"]')
  const { plain } = await rendered('n1', manifest('', '{variables: {DB_HOST: own}}'), file)
  assert.equal(plain, { DB_HOST: 'own', DB_PORT: '6000' })
  assert.equal((await rendered('d1', manifest(), file)).services['db']?.definition['ports'], ['6000:5432'])
})

test('the port may be said in the manifest', async () => {
  const config = manifest().replace('db: {role: db}', 'db: {role: db, port: 7000}')
  assert.is((await rendered('n1', config, compose('environment: [DB_PORT]', 'read_only: true'))).plain['DB_PORT'], '7000')
})

for (const [title, config, file, expected] of [
  [
    'no port is known',
    manifest(),
    compose('environment: [DB_HOST]', 'read_only: true'),
    /SC1047 service `web` needs `db`, and nothing says/,
  ],
  [
    'no port is known, and it only depends',
    manifest(),
    compose('depends_on: [db]', 'read_only: true'),
    /SC1065 \(warning\) .*nothing says/,
  ],
  [
    'it runs on several other hosts',
    manifest('', '{}', 'hosts: {app: [10.0.0.1], db: [10.0.0.2, 10.0.0.3]}\n'),
    compose('environment: [DB_HOST]'),
    /SC1045 service `web` on `10.0.0.1` needs `db`, which runs on `10.0.0.2`, `10.0.0.3`/,
  ],
  [
    'its host has a name and no private address',
    manifest('', '{}', 'hosts: {app: [10.0.0.1], db: [db.example.com]}\n'),
    compose('environment: [DB_HOST]'),
    /SC1048 .*`db.example.com` is not an IP address/,
  ],
] as const) {
  test(`told when ${title}`, async () => {
    const lines = await said(config, file)
    assert.ok(
      lines.some((line) => expected.test(line)),
      lines.join('\n'),
    )
  })
}

test('two that are needed elsewhere cannot have one port of one host', async () => {
  const file = `${compose('environment: {A: "${DB_HOST} ${CACHE_HOST}"}')}  cache: {image: cache, expose: [5432], ${check}}\n`
  const lines = await said(manifest().replace('db: {role: db}', 'db: {role: db}, cache: {role: db}'), file)
  assert.ok(
    lines.some((line) => line.includes('SC1049')),
    lines.join('\n'),
  )
})

test('an external service is not deployed; what depends on it is told where it is', async () => {
  const config = manifest('', '{services: {db: {mode: external, url: "postgres://db.example.com/shop"}}}')
  const file = compose('depends_on: [db], environment: {DB: "${DB_HOST}:${DB_PORT} ${DB_URL}"}')
  const { services } = accepted(await resolved(config, file))
  assert.equal(
    services.map(({ name, dependsOn }) => [name, dependsOn]),
    [['web', []]],
  )
  const { plain } = await rendered('n1', config, file)
  assert.equal(plain, { DB_HOST: 'db.example.com', DB_PORT: '5432', DB_URL: 'postgres://db.example.com/shop' })
})

test('api and web may be external in the environment itself', async () => {
  const config = manifest('', '{web: {mode: external, url: "https://shop.example.com"}}')
  assert.equal(
    accepted(await resolved(config, compose('read_only: true'))).services.map(({ name }) => name),
    ['db'],
  )
})

for (const [given, expected] of [
  ['{mode: external}', 'service `db` is external and has no `url`'],
  ['{url: "https://x.example"}', 'service `db` has a `url` but is deployed here'],
] as const) {
  test(`${given} is refused`, async () => {
    const lines = await said(manifest('', `{services: {db: ${given}}}`), compose('read_only: true'))
    assert.ok(
      lines.some((line) => line.includes(`SC1046 ${expected}`)),
      lines.join('\n'),
    )
  })
}

test('a canary that is no host is refused; docker-rollout for what cannot run twice is told', async () => {
  const refused = await said(manifest('', '{rollout: {canary: n3}}'), compose('read_only: true'))
  assert.ok(
    refused.some((line) => line.includes('SC1027 there is no host `n3` to go first')),
    refused.join('\n'),
  )
  const lines = await said(manifest('', '{rollout: {driver: docker-rollout}}'), compose('container_name: web'))
  assert.ok(
    lines.some((line) => /SC1066 \(warning\) service `web` has a fixed `container_name`/.test(line)),
    lines.join('\n'),
  )
})

test('a surge is told to be without effect where the driver does not know it, and only there', async () => {
  for (const [driver, what] of [
    ['recreate', 'replaces all containers of a host at once'],
    ['docker-rollout', 'starts as many new containers as there are old ones'],
  ] as const) {
    const lines = await said(manifest('', `{rollout: {driver: ${driver}, surge: 2}}`), compose('read_only: true'))
    const expected = `SC1067 (warning) service \`web\`: driver \`${driver}\` does not know \`surge\`: it ${what}`
    assert.ok(
      lines.some((line) => line.includes(expected)),
      lines.join('\n'),
    )
  }
  for (const rollout of ['{surge: 2}', '{driver: docker-rollout, order: stop-first, surge: 2}']) {
    const lines = await said(manifest('', `{rollout: ${rollout}}`), compose('read_only: true'))
    assert.not.match(lines.join('\n'), 'SC1067')
  }
})

test.run()
