import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { JsonObject } from '../../../graph/types.ts'
import { type Detected, detect, slug } from '../../../src/scaffold/detect.ts'
import type { Listing } from '../../../src/scaffold/listing.ts'

const test = suite('src/scaffold/detect')

function found(services: Readonly<Record<string, JsonObject>>, more: Partial<Listing> = {}): Detected {
  const compose = { name: 'compose.yml', services: Object.entries(services).map(([name, definition]) => ({ name, definition })) }
  return detect({ folder: 'My Shop', names: [], migrations: {}, withoutIgnoreFile: [], compose, ...more })
}

for (const [text, expected] of [
  ['My Shop', 'my-shop'],
  ['shop_2', 'shop_2'],
  ['--Café & Bar--', 'cafe-bar'],
  ['日本', 'app'],
  ['_x', 'x'],
] as const) {
  test(`${text} becomes ${expected}`, () => assert.is(slug(text), expected))
}

test('services are described by how they come to be', () => {
  const { services } = found({
    api: { build: { context: 'api' }, image: 'shop/api' },
    here: { build: { dockerfile: 'web.Dockerfile' } },
    far: { build: { context: 'https://github.com/a/b.git' } },
    db: { image: 'registry.example.com/mirror/postgis:16@sha256:aa' },
    own: { image: `\${POSTGRES_IMAGE:-postgres:17}` },
    legacy: { image: 'mariadb' },
    kv: { image: 'valkey/valkey:8' },
    proxy: { image: 'nginx:1' },
  })
  assert.equal(
    services.map(({ name, what, isBuilt, runs }) => [name, what, isBuilt, runs]),
    [
      ['api', 'built from ./api', true, undefined],
      ['here', 'built from .', true, undefined],
      ['far', 'built', true, undefined],
      ['db', 'registry.example.com/mirror/postgis:16@sha256:aa, a database', false, 'postgres'],
      ['own', `\${POSTGRES_IMAGE:-postgres:17}, a database`, false, 'postgres'],
      ['legacy', 'mariadb, a database', false, 'database'],
      ['kv', 'valkey/valkey:8, a cache', false, 'cache'],
      ['proxy', 'nginx:1', false, undefined],
    ],
  )
})

const postgres = { image: 'postgres:17' }
const migrations = { migrations: ['001.sql'] }

test('migrations and a Postgres service make a database, connected by the variable services use', () => {
  const database = (environment: JsonObject) =>
    found({ db: postgres, api: { build: { context: '.' }, environment } }, { migrations }).database
  assert.equal(database({ PG_CONN: 'postgresql://u@db/x', DATABASE_URL: '' })?.connectionEnv, {
    value: 'PG_CONN',
    from: 'the environment of api',
  })
  assert.is(database({ POSTGRES_DSN: null })?.connectionEnv.value, 'POSTGRES_DSN')
  assert.is(database({ lower: 'postgres://x' })?.connectionEnv.value, 'DATABASE_URL')
  assert.equal(database({}), {
    connectionEnv: { value: 'DATABASE_URL', from: 'custom' },
    service: 'db',
    migrations: { value: 'migrations', from: 'its .sql files' },
  })
})

test('migrations without a database service are taken for a database elsewhere', () => {
  assert.is(found({ api: { build: {} } }, { migrations }).database?.service, undefined)
  assert.ok(found({ api: { build: {} } }, { migrations }).database)
})

test('what cannot be migrated is left out with a word about it', () => {
  const undoing = found({ db: postgres }, { migrations: { migrations: ['1.up.sql', '1.down.sql'] } })
  assert.is(undoing.database, undefined)
  assert.match(undoing.hints.join(), 'has files that undo migrations')
  assert.is(
    found({ db: postgres }, { migrations: { migrations: ['1.down.sql'], 'db/migrations': ['1.sql'] } }).database?.migrations.value,
    'db/migrations',
  )
  assert.match(found({ db: { image: 'mysql:8' } }, { migrations }).hints.join(), 'PostgreSQL only')
  assert.is(found({ db: postgres }).database, undefined)
})

test('dotenv files are found, examples are not', () => {
  const names = ['.env', '.env.prod', '.env.example', '.env.sample', '.envrc', 'a.env']
  assert.equal(found({}, { names }).envFiles, ['.env', '.env.prod'])
})

test('a build without ignore file is worth a hint', () => {
  assert.match(found({}, { withoutIgnoreFile: ['.', 'api'] }).hints.join('\n'), /^`\.` has no `\.dockerignore`.*\n`\.\/api` has no/)
})

test.run()
