/**
 * Without an edge: killed around a database that stops first, interrupted half-way, or raced by another deploy, the next plain deploy converges.
 * Every fault point, under traffic, is in `fault-loop.test.ts` and `fault-scenes.test.ts`.
 */
import type { ChildProcess } from 'node:child_process'
import * as assert from 'uvu/assert'
import { labSuite } from '../support/lab-suite.ts'
import { Shop } from '../support/shop.ts'

const suite = await labSuite('e2e/convergence')
const { test } = suite
let shop: Shop
let version = 1

test.before(async () => {
  shop = new Shop(suite.lab())
  const { code, stderr, stdout } = await shop.deploy()
  assert.is(code, 0, stderr + stdout)
})
test.after(() => shop.remove())

const services = ['api', 'db', 'web', 'worker']

function assertConverged(): void {
  assert.equal(
    shop
      .containers()
      .map(({ service, state }) => `${service} ${state}`)
      .sort(),
    services.map((service) => `${service} running`),
  )
  for (const { id } of shop.containers()) assert.match(shop.startedAt(id), / 0 unless-stopped$/)
  assert.is(shop.answer('api', '/version'), String(version))
  assert.is(shop.answer('web', '/version'), String(version))
  const left = shop
    .remoteFiles()
    .split('\n')
    .filter((line) => /incoming|\.tmp|lock/.test(line))
  assert.equal(left, [], 'nothing temporary is left, and no lock')
}

for (const moment of ['before-task', 'after-task']) {
  test(`killed at ${moment} rollout:db@node-1, which stops first: the next deploy converges, with the data`, async () => {
    version += 1
    for (const service of ['api', 'web']) shop.write(`${service}/www/version`, `${version}\n`)
    shop.edit('docker-compose.yml', (text) =>
      text.replace(/POSTGRES_DB: shop\n(.*STEP.*\n)?/, `POSTGRES_DB: shop\n      STEP: "${version}"\n`),
    )
    const killed = await shop.deploy([], { unbundled: true, env: { STAGECRAFT_FAULT: `${moment} rollout:db@node-1` } })
    assert.is(killed.signal, 'SIGKILL', killed.stdout + killed.stderr)
    const { code, stdout, stderr } = await shop.deploy()
    assert.is(code, 0, stderr + stdout)
    assertConverged()
    assert.is(shop.psql('select count(*) from products'), '2')
  })
}

test('Ctrl-C: exit 130, no process left, the lock given back, the old version serving', async () => {
  version += 1
  for (const service of ['api', 'web']) shop.write(`${service}/www/version`, `${version}\n`)
  shop.edit('api/Dockerfile', (text) => text.replace(/CMD .*/, 'CMD ["sh", "-c", "sleep 2; exec httpd -f -p 4000 -h /www"]'))
  const before = shop.container('api').id
  let child: ChildProcess | undefined
  const deploying = shop.deploy([], {
    onSpawn: (spawned) => {
      child = spawned
      let text = ''
      spawned.stdout?.on('data', (chunk: string) => {
        text += chunk
        if (/"type":"started"[^\n]*"task":"rollout:api@node-1"|"task":"rollout:api@node-1"[^\n]*"type":"started"/.test(text)) {
          text = ''
          setTimeout(() => spawned.kill('SIGINT'), 1000)
        }
      })
    },
  })
  const { code, stdout, stderr } = await deploying
  assert.is(code, 130, stdout + stderr)
  assert.is(child?.exitCode, 130)
  assert.is(shop.container('api').id, before, 'the old container serves on')
  assert.equal(shop.containers().length, services.length, 'the half-started one is gone')
  assert.equal(
    shop
      .remoteFiles()
      .split('\n')
      .filter((line) => line.includes('lock')),
    [],
  )
  const { code: next } = await shop.deploy()
  assert.is(next, 0)
  assertConverged()
})

test('two deploys at once: one wins whole, the other exits 2 naming the holder', async () => {
  version += 1
  for (const service of ['api', 'web']) shop.write(`${service}/www/version`, `${version}\n`)
  const results = await Promise.all([shop.run(['run', 'deploy', '--env', 'prod']), shop.run(['run', 'deploy', '--env', 'prod'])])
  const codes = results.map(({ code }) => code).sort()
  assert.equal(codes, [0, 2], results.map(({ stdout, stderr }) => stdout + stderr).join('\n---\n'))
  const loser = results.find(({ code }) => code === 2)
  assert.match(`${loser?.stdout}${loser?.stderr}`, /pid \d+/)
  assertConverged()
})

suite.run()
