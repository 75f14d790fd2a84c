/** What goes wrong on a real host, and what the user and the traffic see of it. */
import * as assert from 'uvu/assert'
import { labSuite } from '../support/lab-suite.ts'
import { startRequestLoop } from '../support/request-loop.ts'
import { Shop } from '../support/shop.ts'

const suite = await labSuite('e2e/failures')
const { test } = suite
let shop: Shop

test.before(async () => {
  shop = new Shop(suite.lab())
  const { code, stderr, stdout } = await shop.deploy()
  assert.is(code, 0, stderr + stdout)
})
test.after(() => shop.remove())

const good = '["httpd", "-f", "-p", "8080", "-h", "/www"]'

async function failingDeployServesOn(version: string): Promise<{ stdout: string; stderr: string; code: number | null }> {
  const before = shop.container('web').id
  const loop = startRequestLoop(shop, 'web', '/version')
  const failed = await shop.run(['run', 'deploy', '--env', 'prod'])
  const { requests, failures } = await loop.stop()
  assert.is(failed.code, 2, failed.stderr + failed.stdout)
  assert.is(shop.container('web').id, before, 'the old container still runs')
  assert.ok(requests > 5, `${requests} requests`)
  assert.equal(failures, [])
  assert.is(shop.answer('web', '/version'), version)
  assert.equal(shop.containers().filter(({ service }) => service === 'web').length, 1, 'nothing is left over')
  return failed
}

test('an image that exits at once, without a healthcheck: exit 2 with its last lines, the old one serves on', async () => {
  shop.edit('docker-compose.yml', (text) => text.replace(/(127\.0\.0\.1:8080\/healthz"\])/, '$1\n      disable: true'))
  shop.edit('web/Dockerfile', (text) => text.replace(good, '["sh", "-c", "echo cannot find the shop window; exit 3"]'))
  const { stderr, stdout } = await failingDeployServesOn('1')
  const said = stdout + stderr
  assert.match(said, /cannot find the shop window/)
  assert.match(said, /exited with code 3/)
  const list = JSON.parse((await shop.run(['releases', 'list', '--format', 'json'])).stdout) as { releases: { status: string }[] }
  assert.is(list.releases[0]?.status, 'failed')
})

test('an image that never becomes healthy: bounded, and the old one serves on', async () => {
  shop.edit('docker-compose.yml', (text) => text.replace('\n      disable: true', ''))
  shop.edit('web/Dockerfile', (text) => text.replace(/CMD .*/, 'CMD ["sh", "-c", "echo thinking; exec sleep 1000"]'))
  const { stderr, stdout } = await failingDeployServesOn('1')
  assert.match(stdout + stderr, /is unhealthy|was not ready within/)
  assert.match(stdout + stderr, /thinking/)
})

test('mended, the next deploy completes and repeats no finished task', async () => {
  shop.edit('web/Dockerfile', (text) => text.replace(/CMD .*/, `CMD ${good}`))
  shop.write('web/www/version', '2\n')
  const { code, ran, stderr } = await shop.deploy()
  assert.is(code, 0, stderr)
  for (const done of ['build:api', 'push:api', 'build:worker', 'migrate_pre:main', 'rollout:api@node-1', 'rollout:db@node-1'])
    assert.not.ok(ran.includes(done), done)
  assert.is(shop.answer('web', '/version'), '2')
})

test('a migration that fails: nothing is rolled out; mended, only the remaining files run', async () => {
  const api = shop.container('api').id
  shop.write('api/www/version', '7\n')
  shop.write('migrations/003_prices.sql', 'ALTER TABLE products ADD COLUMN price int;\n')
  shop.write('migrations/004_broken.sql', 'SELECT 1;\nALTER TABLE nothing_there ADD COLUMN x int;\n')
  const failed = await shop.run(['run', 'deploy', '--env', 'prod'])
  assert.is(failed.code, 2)
  assert.match(failed.stdout + failed.stderr, /004_broken\.sql/)
  assert.match(failed.stdout + failed.stderr, /nothing_there/)
  assert.is(shop.container('api').id, api)
  assert.is(shop.answer('api', '/version'), '1')
  assert.is(
    shop.psql('select string_agg(id, $$ $$ order by id) from stagecraft_migrations'),
    '001_products.sql 002_seed.sql 003_prices.sql',
  )

  shop.write('migrations/004_broken.sql', 'ALTER TABLE products ADD COLUMN stock int;\n')
  const { code, ran, stdout } = await shop.deploy()
  assert.is(code, 0)
  assert.ok(ran.includes('migrate_pre:main') && ran.includes('rollout:api@node-1'))
  assert.match(stdout, /004_broken\.sql/)
  assert.not.match(stdout, /applying 003/)
  assert.is(shop.answer('api', '/version'), '7')
})

test('the database made anew: all migrations run again, although everything here remembers them', async () => {
  shop.psql('drop table products, stagecraft_migrations')
  const { code, ran } = await shop.deploy()
  assert.is(code, 0)
  assert.equal(ran, ['migrate_pre:main'])
  assert.is(shop.psql('select count(*) from products'), '2')
})

test('an edited migration that was applied already is refused before anything happens', async () => {
  shop.edit('migrations/001_products.sql', (text) => `${text}-- edited\n`)
  const { code, stdout, stderr } = await shop.run(['run', 'deploy', '--env', 'prod'])
  assert.is(code, 2)
  assert.match(stdout + stderr, /001_products\.sql/)
  shop.edit('migrations/001_products.sql', (text) => text.replace('-- edited\n', ''))
})

suite.run()
