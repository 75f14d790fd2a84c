import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { renderedServices } from '../../../../src/operations/status/rendered-bundle.ts'
import { versionOf } from '../../../../src/operations/status/report.ts'
import { type StatusOptions, showStatus } from '../../../../src/operations/status/show-status.ts'
import { shortAge } from '../../../../src/operations/status/status-text.ts'
import { renderHistory } from '../../../../src/releases/history-file.ts'
import { allPhases, type Release } from '../../../../src/releases/release.ts'
import { within } from '../../../support/assertions.ts'
import { type FakeFleet, release, withFakeFleet } from '../../../support/fake-fleet.ts'
import { eventually } from '../../../support/processes.ts'

const test = suite('src/operations/status/show-status')

const digest = `sha256:${'0123456789abcdef'.repeat(4)}`
const live: Release = {
  id: 'rel-20260108-120000000',
  kind: 'deploy',
  environment: 'prod',
  version: 'v7',
  commit_sha: '',
  timestamp: '2026-01-08T12:00:00.000Z',
  updated_at: '2026-01-08T12:01:00.000Z',
  by: 'anna@laptop',
  phases: allPhases('completed'),
  images: { api: { ref: 'registry.example/shop/api', digest } },
  finished: true,
}
const show = (fake: FakeFleet, change: Partial<StatusOptions> = {}) =>
  showStatus(fake.fleet, { format: 'text', watch: false, exitCode: false, ...change }, fake.globals, fake.app)

function deployed({ hosts }: FakeFleet, releases: readonly Release[] = [live]): void {
  hosts['node-1'].files.put('releases.json', renderHistory({ releases, fields: {} }))
  for (const host of Object.values(hosts)) {
    const own = host.name === 'node-1' ? { db: { hash: 'd', image: 'postgres:17' } } : {}
    release(host, { api: { hash: 'a', image: `registry.example/shop/api@${digest}`, scale: 2 }, ...own })
    for (const number of [1, 2]) {
      const name = `shop-prod-api-${number}`
      host.engine.add({
        name,
        service: 'api',
        hash: 'a',
        image: `registry.example/shop/api@${digest}`,
        restartPolicy: 'always',
        health: 'healthy',
      })
      host.engine.past(name, { startedAt: '2026-01-08T12:00:00.5Z' })
    }
  }
  hosts['node-1'].engine.add({ name: 'shop-prod-db-1', service: 'db', hash: 'd', image: 'postgres:17', restartPolicy: 'always' })
}

test('all as released is a table without drift, and nothing is written', () =>
  withFakeFleet({}, async (fake) => {
    deployed(fake)
    assert.is(await show(fake, { exitCode: true }), 0)
    assert.equal(fake.stdout.text.split('\n'), [
      'prod v7 · rel-20260108-120000000 · 12 hours ago · by anna@laptop',
      '',
      'HOST    SERVICE  VERSION  RUNNING  STATE    HEALTH   SINCE  DRIFT',
      'node-1  api      v7       2/2      running  healthy  11h    -',
      'node-1  db       17       1/1      running  -        -      -',
      'node-2  api      v7       2/2      running  healthy  11h    -',
      '',
    ])
    for (const host of Object.values(fake.hosts)) assert.equal(host.writes(), [])
  }))

test('what was done by hand shows, with what repairs it', () =>
  withFakeFleet({}, async (fake) => {
    deployed(fake)
    await fake.hosts['node-1'].engine.remove('shop-prod-api-2')
    await fake.hosts['node-2'].engine.stop('shop-prod-api-1', 1)
    fake.hosts['node-2'].engine.add({ name: 'shop-prod-old-1', service: 'old', hash: 'o' })
    assert.is(await show(fake), 0)
    assert.match(fake.stdout.text, /^node-1 {2}api .* 1\/2 {6}running .* replicas$/m)
    assert.match(fake.stdout.text, /^node-2 {2}api .* 1\/2 {6}exited .* replicas, stopped$/m)
    assert.match(fake.stdout.text, /^node-2 {2}old .* orphan$/m)
    assert.match(fake.stdout.text, 'node-2 api: shop-prod-api-1 was stopped by hand (exit code 0)')
    assert.match(fake.stdout.text, 'to repair: stagecraft deploy --env prod')
    assert.is(await show(fake, { exitCode: true }), 10)
  }))

test('JSON is the same as long as nothing changes, whatever time it is', async () => {
  const texts: string[] = []
  for (const now of ['2026-01-09T00:00:00Z', '2026-02-09T00:00:00Z']) {
    await withFakeFleet({ now: () => new Date(now) }, async (fake) => {
      deployed(fake)
      await show(fake, { format: 'json' })
      texts.push(fake.stdout.text)
    })
  }
  assert.is(texts[0], texts[1])
  const { env, release: current, hosts } = JSON.parse(texts[0] ?? '') as { env: string; release: object; hosts: { services: object[] }[] }
  assert.is(env, 'prod')
  assert.equal(current, { id: live.id, version: 'v7', status: 'completed', timestamp: live.timestamp, by: 'anna@laptop' })
  assert.equal(hosts[0]?.services[1], {
    ...{
      name: 'db',
      image: 'postgres:17',
      version: '17',
      replicas: { wanted: 1, running: 1 },
      state: 'running',
      health: 'none',
      hash: 'd',
      drift: [],
    },
    containers: [{ name: 'shop-prod-db-1', state: 'running', health: 'none' }],
  })
})

test('a host that does not answer is a row and exit code 10; none that does, 2', () =>
  withFakeFleet({}, async (fake) => {
    deployed(fake)
    fake.hosts['node-2'].dieAfter(0)
    assert.is(await show(fake), 10)
    assert.match(fake.stdout.text, /^node-2 {2}- .* unreachable/m)
    assert.match(fake.stdout.text, /^node-2: connection lost/m)
    fake.hosts['node-1'].dieAfter(0)
    fake.hosts['node-1'].changed()
    assert.is(await show(fake), 2)
    assert.match(fake.stdout.text, 'prod has no finished release that could be read')
  }))

test('a lock, and a release under way, are told of', () =>
  withFakeFleet({}, async (fake) => {
    const failed: Release = {
      ...live,
      id: 'rel-20260108-130000000',
      version: 'v8',
      phases: { ...allPhases('completed'), rollout: 'failed', finalize: 'skipped' },
    }
    deployed(fake, [live, failed])
    const host = fake.hosts['node-1']
    host.lock = { owner: 'run-1', fence: 1, description: 'ben@ci pid 7', startedAt: '2026-01-08T23:59:00.000Z' }
    host.answer(/^date/, { stdout: '1000\n' })
    host.answer(/^stat -c %Y .*lock\.beat\.run-1/, { stdout: '997\n' })
    await show(fake)
    assert.match(fake.stdout.text, /^last attempt v8 · rel-20260108-130000000 .*: failed$/m)
    assert.match(fake.stdout.text, 'locked by ben@ci pid 7 since 2026-01-08T23:59:00.000Z, last sign of life 3 s ago (node-1)')
  }))

test('a host that nothing was deployed to yet says so', () =>
  withFakeFleet({}, async (fake) => {
    assert.is(await show(fake, { exitCode: true }), 10)
    assert.match(fake.stdout.text, /^node-1 {2}- .* not deployed/m)
  }))

test('a damaged history is warned of, and hosts are shown all the same', () =>
  withFakeFleet({}, async (fake) => {
    deployed(fake)
    fake.hosts['node-1'].files.put('releases.json', '{')
    assert.is(await show(fake), 0)
    assert.match(fake.stderr.text, /warning: node-1:.*releases\.json: the release history is damaged/)
    assert.match(fake.stdout.text, /^node-2 {2}api/m)
  }))

test('without the primary host among those selected, its history is still asked for', () =>
  withFakeFleet({ selection: { host: ['node-2'] } }, async (fake) => {
    deployed(fake)
    await show(fake)
    assert.match(fake.stdout.text, /^prod v7/)
    assert.not.match(fake.stdout.text, /^node-1/m)
  }))

test('only selected services are shown', () =>
  withFakeFleet({ selection: { service: ['db'] } }, async (fake) => {
    deployed(fake)
    await show(fake)
    assert.not.match(fake.stdout.text, / api /)
    assert.match(fake.stdout.text, /^node-1 {2}db/m)
  }))

test('a watch that nobody looks at prints a line per change, and ends with 0', () =>
  withFakeFleet({}, async (fake) => {
    deployed(fake)
    const ended = show(fake, { watch: true })
    await eventually(() => fake.hosts['node-2'].engine.subscriptions === 1)
    const before = fake.stdout.text
    fake.hosts['node-2'].engine.become('shop-prod-api-1', 'unhealthy')
    await eventually(() => fake.stdout.text.length > before.length)
    assert.is(
      fake.stdout.text.slice(before.length),
      '2026-01-09T00:00:00Z node-2 api: 2 of 2 replicas, running, unhealthy, version v7, shop-prod-api-1 is unhealthy\n',
    )
    fake.interrupt()
    assert.is(await within(5_000, ended), 0)
    assert.is(fake.hosts['node-2'].engine.subscriptions, 0)
  }))

test('a watch on a terminal draws the table over itself, cut to the screen', () =>
  withFakeFleet({}, async (fake) => {
    deployed(fake)
    Object.assign(fake.stdout, { isTTY: true, columns: 30, rows: 8 })
    const ended = show(fake, { watch: true })
    await eventually(() => fake.hosts['node-1'].engine.subscriptions === 1)
    fake.hosts['node-1'].engine.become('shop-prod-db-1', 'dead')
    await eventually(() => fake.stdout.writes.length >= 2)
    fake.interrupt()
    await within(5_000, ended)
    const [first = '', second = ''] = fake.stdout.writes
    assert.is(first.split('\n').length - 1, 7)
    assert.ok(second.startsWith('\u001b[7A\r'))
    assert.match(second, /… \d+ more lines/)
  }))

// --- small parts ------------------------------------------------------------------------------------------------------

test('what a release wants is read from its Compose file', () => {
  const text =
    'services:\n  b: { image: "b:2", labels: { stagecraft.hash: h2 }, restart: "on-failure:3", scale: 3 }\n  a: { image: "a:1", labels: { stagecraft.hash: h1 } }\n'
  assert.equal(renderedServices(text), [
    { name: 'a', hash: 'h1', image: 'a:1', replicas: 1, restart: 'no' },
    { name: 'b', hash: 'h2', image: 'b:2', replicas: 3, restart: 'on-failure' },
  ])
  assert.throws(() => renderedServices('services: { a: { image: x } }'), /no hash/)
})

for (const [image, expected] of [
  [`registry.example/shop/api@${digest}`, 'v7'],
  [`registry.example/shop/api@sha256:${'f'.repeat(64)}`, 'sha256:ffffffffffff'],
  [`postgres:17@sha256:${'f'.repeat(64)}`, '17'],
  ['registry.example:5000/shop/api', 'latest'],
  ['registry.example:5000/shop/api:3', '3'],
] as const) {
  test(`the version of ${image} is ${expected}`, () => assert.is(versionOf(image, 'api', [live]), expected))
}

for (const [ageMs, text] of [
  [-5, '0s'],
  [59_000, '59s'],
  [61_000, '1m'],
  [3_600_000, '1h'],
  [47 * 3_600_000, '47h'],
  [49 * 3_600_000, '2d'],
] as const) {
  test(`${ageMs} ms is ${text}`, () => assert.is(shortAge(ageMs), text))
}

test.run()
