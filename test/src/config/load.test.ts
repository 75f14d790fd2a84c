import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { configExists, loadConfig, parseConfig } from '../../../src/config/load.ts'
import { aboutConfig, accepted, diagnosticsOf, least, told } from './told.ts'

const test = suite<{ directory: string }>('config/load')

test.before.each(async (context) => {
  context.directory = await mkdtemp(join(tmpdir(), 'stagecraft-load-'))
})
test.after.each(async ({ directory }) => {
  await rm(directory, { recursive: true, force: true })
})

const parse = (text: string) => parseConfig(text, '/project/stagecraft.yml', { shownAs: 'stagecraft.yml' })

test('an absent manifest is named, with what to do', async ({ directory }) => {
  const path = join(directory, 'stagecraft.yml')
  assert.equal(told(diagnosticsOf(await loadConfig(path, { shownAs: 'stagecraft.yml' }))), [
    '- SC1001 `stagecraft.yml` does not exist | run `stagecraft init` to write one, or name another with `--config`',
  ])
})
test('a manifest under a name that is not read is pointed out', async ({ directory }) => {
  await writeFile(join(directory, 'stagecraft.yaml'), least)
  const [message] = told(diagnosticsOf(await loadConfig(join(directory, 'stagecraft.yml'), { shownAs: 'stagecraft.yml' })))
  assert.match(message ?? '', '`stagecraft.yaml` is there, but only `stagecraft.yml` is read')
})
test('a directory is not a manifest', async ({ directory }) => {
  assert.equal(told(diagnosticsOf(await loadConfig(directory, { shownAs: 'here' }))), ['- SC1002 `here` is a directory, expected a file'])
})
test('a path through a file is an absent manifest', async ({ directory }) => {
  await writeFile(join(directory, 'file'), '')
  const [message] = told(diagnosticsOf(await loadConfig(join(directory, 'file', 'stagecraft.yml'), { shownAs: 'x' })))
  assert.match(message ?? '', /^- SC1001 `x` does not exist/)
})
test('bytes that are not UTF-8 are refused', async ({ directory }) => {
  const path = join(directory, 'stagecraft.yml')
  await writeFile(path, Buffer.from([0x70, 0xff, 0xfe]))
  assert.equal(told(diagnosticsOf(await loadConfig(path, { shownAs: 'stagecraft.yml' }))), ['- SC1004 `stagecraft.yml` is not UTF-8 text'])
})
test('a manifest that may not be read says why', async ({ directory }) => {
  const path = join(directory, 'n'.repeat(300))
  assert.equal(told(diagnosticsOf(await loadConfig(path, { shownAs: 'stagecraft.yml' }))), [
    '- SC1004 cannot read `stagecraft.yml`: ENAMETOOLONG',
  ])
})
test('only a regular file exists', async ({ directory }) => {
  const path = join(directory, 'stagecraft.yml')
  assert.is(await configExists(path), false)
  await mkdir(join(directory, 'folder'))
  assert.is(await configExists(join(directory, 'folder')), false)
  await writeFile(path, '')
  assert.is(await configExists(path), true)
  assert.is(await configExists(join(path, 'below')), false)
})
test('existence does not hide other errors', async ({ directory }) => {
  let code: unknown
  await chmod(directory, 0o700)
  await configExists(join(directory, 'n'.repeat(300))).catch((error: NodeJS.ErrnoException) => {
    code = error.code
  })
  assert.is(code, 'ENAMETOOLONG')
})
test('a byte order mark does not move columns', async ({ directory }) => {
  const path = join(directory, 'stagecraft.yml')
  await writeFile(path, `\ufeffprojekt: 1\n${least}`)
  assert.match(told(diagnosticsOf(await loadConfig(path)))[0] ?? '', /^1:1 SC1003 unknown key `projekt`/)
})

test('the least manifest has every default', () => {
  const { config, directory, path, file } = accepted(parse(least))
  assert.equal({ directory, path, file }, { directory: '/project', path: '/project/stagecraft.yml', file: 'stagecraft.yml' })
  assert.equal(config, {
    project: { name: 'shop', registry: 'ghcr.io/acme/shop', compose_file: 'docker-compose.yml' },
    services: {},
    databases: {},
    migrations: { enabled: true, default_engine: 'raw', engine_config: {} },
    tasks: {},
    hooks: {},
    pools: {},
    pipelines: {},
    cache: {},
    environments: {
      prod: {
        hosts: [{ user: 'deploy', address: '203.0.113.7', roles: [], name: '203.0.113.7' }],
        path: '/opt/stagecraft',
        variables: {},
        known_hosts: [],
        rollout: {},
        edge: {},
        traefik: {},
        services: {},
        databases: {},
        hooks: {},
      },
    },
  })
})

test('a project that only runs tasks needs no environment', () => {
  assert.equal(accepted(parse('project: {name: shop}\n')).config.environments, {})
  assert.equal(accepted(parse('project: {name: shop}\nenvironments: {}\n')).config.environments, {})
})

/** Every key there is. */
const whole = `
project: { name: shop, registry: "registry.example.com:5000/acme/shop", compose_file: ./deploy/compose.yaml }
backend:
  provider: generic
  providers:
    generic:
      build: { dockerfile: Dockerfile.prod, context: ./api, target: run, args: { A: b }, labels: { c: d }, platform: linux/arm64 }
    other: not looked at
frontend: { provider: generic, providers: { generic: } }
hosts:
  app: [node-1, { address: 10.0.0.2, name: node-2, user: deploy, port: 2222, identity_file: ~/.ssh/id, roles: [worker] }]
  db: ["deploy@[fd00::1]:2222", fd00::2]
services:
  api: { role: app, build: backend, replicas: 2, health: { path: /healthz, port: 4000, expected_status: 204 } }
  db: { role: db, rollout: { driver: recreate, order: stop-first, timeout_seconds: 90, min_ready_seconds: 0 } }
  cache:
databases:
  main: { connection_env: DATABASE_URL, service: db, via: direct, migrations: { engine: raw, path: ./db/, strategy: manual, table: app.ledger } }
migrations: { enabled: true, default_engine: raw, engine_config: { raw: { schema_table: ledger } } }
environments:
  dev: { driver: local, env_file: .env }
  test:
  prod:
    driver: remote
    hosts: [a@one, b@two:22]
    primary_host: two
    path: /srv/apps/
    env_file: /etc/shop.env
    variables: { LEVEL: info }
    known_hosts: [ops/known_hosts]
    rollout: { order: start-first }
    services: { api: { replicas: 3, rollout: { driver: recreate }, health: { path: /, port: 1 } }, db: }
    databases: { main: { via: one, migrations: { strategy: pre_deploy } } }
    postgres_volume: pg
    postgres_init_scripts: ./init
    redis_volume: redis
    db_port_publish: "5432:5432"
    redis_port_publish: ""
`.replace('[a@one, b@two:22]', '{ app: [a@one], db: [b@two:22] }')

test('a manifest with every key loads', () => {
  const { config } = accepted(parse(whole))
  assert.is(config.project.compose_file, 'deploy/compose.yaml')
  assert.equal(config.databases['main']?.migrations?.path, 'db')
  assert.is(config.environments['prod']?.path, '/srv/apps')
  assert.equal(config.backend?.providers, {
    generic: {
      build: {
        dockerfile: 'Dockerfile.prod',
        context: './api',
        target: 'run',
        args: { A: 'b' },
        labels: { c: 'd' },
        platform: 'linux/arm64',
      },
    },
  })
})
test('what is loaded, written down and loaded again is the same', () => {
  for (const text of [least, whole]) {
    const { config } = accepted(parse(text))
    assert.equal(accepted(parse(JSON.stringify(config))).config, config)
  }
})
test('a loaded config cannot be changed', () => {
  const { config } = accepted(parse(whole))
  const frozen = (value: unknown): boolean =>
    typeof value !== 'object' || value === null || (Object.isFrozen(value) && Object.values(value).every(frozen))
  assert.ok(frozen(config))
})
test('a path of the manifest leads to its line', () => {
  const { locate, locateKey } = accepted(parse(whole))
  const port = locate(['services', 'api', 'health', 'port'])
  assert.equal([port.line, port.length, port.text.slice(port.column - 1, port.column + 3)], [14, 4, '4000'])
  const api = locateKey(['services', 'api'])
  assert.equal([api.file, api.line, api.column, api.length], ['stagecraft.yml', 14, 3, 3])
  assert.is(locate(['services', 'api', 'rollout', 'order']).line, 14, 'what is left out is located at what is around it')
  assert.is(locate(['services', 'cache']).line, 16)
})

// D31: unknown keys were ignored, the first error hid the others, only some providers were checked.
test('every problem is told at once, in the order of lines', () => {
  const text = `project:
  name: Shop
  registri: ghcr.io/acme
backend: { provider: generik }
frontend: { provider: generic }
servces: {}
network: { provider: tailscale }
hosts: [node 1]
environments:
  prod: { drivr: remote, path: here }
`
  assert.equal(aboutConfig(text), [
    '2:9 SC1011 expected lower-case letters, digits, `-` and `_`, beginning with a letter or digit in project.name, found `Shop`',
    '3:3 SC1003 unknown key `registri` in project → registry',
    '4:22 SC1015 there is no backend provider `generik`, only `encore-ts`, `generic` → generic',
    '5:1 SC1016 `frontend.providers` is required',
    '6:1 SC1003 unknown key `servces` → services',
    '7:1 SC1012 `network` is not supported by this version',
    '8:9 SC1011 expected `[user@]address[:port]` in hosts[0], found `node 1`',
    '10:11 SC1003 unknown key `drivr` in environments.prod → driver',
    '10:32 SC1011 expected an absolute path of letters, digits, `.`, `_`, `-` and `/` in environments.prod.path, found `here`',
  ])
})

const yamlish = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 200 }),
  fc
    .array(fc.constantFrom(...'abc:-{}[]&*!|>"\'#%@`,?~\n\t  '.split(''), 'project', 'environments', '<<: ', '- ', '&a ', '*a'), {
      maxLength: 60,
    })
    .map((parts) => parts.join('')),
  fc
    .tuple(fc.nat(whole.length), fc.nat(40), fc.string({ maxLength: 8 }))
    .map(([at, cut, put]) => whole.slice(0, at) + put + whole.slice(at + cut)),
)
test('no text makes it throw, and every problem stands in the text', () => {
  fc.assert(
    fc.property(yamlish, (text) => {
      for (const { message, location } of diagnosticsOf(parse(text))) {
        assert.ok(message.length > 0)
        if (!location) continue
        assert.ok(location.line >= 1 && location.column >= 1 && location.length >= 1)
        assert.ok(location.column <= location.text.length + 1, `${location.column} is outside ${JSON.stringify(location.text)}`)
      }
    }),
    { numRuns: 600 },
  )
})
for (const depth of [150, 1500, 50_000]) {
  for (const [open, close] of [
    ['[', ']'],
    ['{a: ', '}'],
    ['- ', ''],
  ] as const) {
    test(`${depth} times ${open} is a problem, not a crash`, () => {
      const [message] = aboutConfig(open.repeat(depth) + close.repeat(depth))
      assert.match(message ?? '', /SC1005 invalid YAML: nested too deeply|SC1007 nested more than 100 deep/)
    })
  }
}

test.run()
