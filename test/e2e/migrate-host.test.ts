/** Migrations around a rollout on a real host: after it, in a container of the release, and what a failing one leaves. */
import { mkdirSync } from 'node:fs'
import * as assert from 'uvu/assert'
import { labSuite } from '../support/lab-suite.ts'
import { Shop } from '../support/shop.ts'

const suite = await labSuite('e2e/migrate-host')
const { test } = suite
let shop: Shop

test.before(() => {
  shop = new Shop(suite.lab())
  mkdirSync(shop.path('late'))
  mkdirSync(shop.path('tool'))
  shop.write('late/001.sql', `create table late as select count(*)::int as products from products;`)
  shop.write('tool/001', 'one')
  // It knows the database by its name in the network, and the connection string by its variable.
  const command = `case "$DATABASE_URL" in postgres://shop:*) nc -w 2 db 5432 </dev/null && echo "migrating $(hostname | wc -c) $MODE";; *) exit 9;; esac`
  shop.edit('stagecraft.yml', (text) =>
    text.replace(
      /^databases:\n/m,
      `databases:
  late: { connection_env: DATABASE_URL, service: db, migrations: { path: late, strategy: post_deploy, table: late_migrations } }
  tool:
    connection_env: DATABASE_URL
    service: db
    migrations: { engine: command, path: tool, on: api, env: [MODE], table: tool_migrations, command: [sh, -c, ${JSON.stringify(command)}] }
`,
    ),
  )
  shop.commit('migrations')
})
test.after(() => shop.remove())

const rows = (table: string) => shop.psql(`select string_agg(id, $$,$$ order by id) from ${table}`)

test('a deploy migrates before the rollout and after it, and the release says so', async () => {
  const { code, stdout, stderr, ran } = await shop.deploy([], { env: { MODE: 'fast' } })
  assert.is(code, 0, stderr + stdout)
  const at = (id: string) => ran.indexOf(id)
  assert.ok(at('migrate_pre:main') >= 0 && at('migrate_pre:tool') >= 0, ran.join())
  assert.ok(at('migrate_pre:tool') < at('rollout:web@node-1'), ran.join())
  assert.ok(at('migrate_post:late') > at('rollout:web@node-1') && at('migrate_post:late') < at('finalize:prod'), ran.join())
  assert.match(stdout, /migrating \d+ fast/)
  assert.is(rows('late_migrations'), '001.sql')
  assert.is(rows('tool_migrations'), 'command')
  assert.not.match((stdout + stderr).replaceAll('postgres://shop:*)', ''), shop.password)
  const listed = await shop.run(['releases', 'list', '--format', 'json'])
  const { releases } = JSON.parse(listed.stdout) as { releases: { id: string }[] }
  const shown = await shop.run(['releases', 'show', releases[0]?.id ?? ''])
  assert.match(shown.stdout, /migrate_post +completed/)
})

test('again nothing is to do, and other files of a tool are its business', async () => {
  const again = await shop.deploy()
  assert.is(again.code, 0, again.stderr)
  assert.equal(again.ran, [])
  shop.write('tool/002', 'two')
  const plan = await shop.run(['migrate', 'plan', '--env', 'prod', '--all-databases'])
  assert.is(plan.code, 0, plan.stderr)
  assert.match(plan.stdout, /late: 1 applied .*\n.*\n\nmain: 2 applied [\s\S]*tool: 1 pending/)
})

test('its container has one name on a host: one that runs is left alone, one that has ended is cleared away', async () => {
  const name = `stagecraft-migrate-${shop.name}-prod-tool`
  shop.onHost('docker', 'run', '--detach', '--name', name, suite.lab().images.busybox, 'sleep', '300')
  const run = () => shop.run(['migrate', 'run', '--env', 'prod', '--database', 'tool', '--format', 'text'])
  const busy = await run()
  assert.is(busy.code, 2)
  assert.match(busy.stdout + busy.stderr, /already runs on node-1: its migrations are being applied/)
  shop.onHost('docker', 'kill', name)
  const done = await run()
  assert.is(done.code, 0, done.stderr + done.stdout)
  assert.match(done.stdout + done.stderr, /migrating/)
  assert.not.match(shop.onHost('docker', 'ps', '--all', '--format', '{{.Names}}'), name)
  assert.match((await shop.run(['migrate', 'plan', '--env', 'prod', '--database', 'tool'])).stdout, /tool: 1 applied/)
})

test('one that fails after the rollout: what is rolled out stays, no release is finished, and the next deploy goes on', async () => {
  shop.write('late/002.sql', 'insert into nowhere values (1);')
  shop.edit('api/www/version', (text) => `${text.trim()}-next\n`)
  const failed = await shop.deploy()
  assert.is(failed.code, 2, failed.stderr + failed.stdout)
  assert.match(
    failed.stdout + failed.stderr,
    /the new containers run, and the release is not finished; a rollback does not undo migrations/,
  )
  assert.match(shop.answer('api', '/version'), /-next$/)
  assert.not.ok(failed.ran.includes('finalize:prod'))
  shop.write('late/002.sql', 'insert into late values (1);')
  const mended = await shop.deploy()
  assert.is(mended.code, 0, mended.stderr + mended.stdout)
  assert.equal(
    [...mended.ran].filter((id) => !/^(build|push|render|upload):/.test(id)),
    ['migrate_post:late', 'finalize:prod'],
  )
  assert.is(rows('late_migrations'), '001.sql,002.sql')
})

suite.run()
