/** The main job, whole, on a real host: first deploy, no-op, the smallest rollouts, A-B-A-A. */
import { utimesSync } from 'node:fs'
import * as assert from 'uvu/assert'
import { labSuite } from '../support/lab-suite.ts'
import { Shop } from '../support/shop.ts'

const suite = await labSuite('e2e/deploy')
const { test } = suite
let shop: Shop

test.before(() => {
  shop = new Shop(suite.lab())
})
test.after(() => shop.remove())

const services = ['api', 'db', 'web', 'worker']

test('a first deploy brings everything up, migrated, and records six phases', async () => {
  const { code, stderr, stdout, ran } = await shop.deploy()
  assert.is(code, 0, stderr + stdout)
  assert.equal(
    [...ran].sort(),
    [
      ...['build:api', 'build:web', 'build:worker', 'push:api', 'push:web', 'push:worker'],
      ...['finalize:prod', 'migrate_pre:main', 'render:node-1', 'upload:node-1'],
      ...services.map((service) => `rollout:${service}@node-1`),
    ].sort(),
  )
  assert.is(shop.answer('api', '/version'), '1')
  assert.is(shop.answer('web', '/version'), '1')
  assert.match(shop.answer('api', '/cgi-bin/products'), '"greeting":"hello","products":["tea","cups"],"database":"configured"')
  assert.is(shop.psql('select string_agg(name, $$,$$ order by id) from products'), 'tea,cups')
  assert.equal(
    shop
      .containers()
      .map(({ service, state }) => `${service} ${state}`)
      .sort(),
    services.map((service) => `${service} running`),
  )
  assert.match(shop.startedAt(shop.container('api').id), / 0 unless-stopped$/)

  const list = JSON.parse((await shop.run(['releases', 'list', '--format', 'json'])).stdout) as {
    releases: { id: string; version: string }[]
  }
  assert.is(list.releases.length, 1)
  assert.is(list.releases[0]?.version, shop.git('rev-parse', 'HEAD'))
  const show = await shop.run(['releases', 'show', list.releases[0]?.id ?? ''])
  assert.is(show.code, 0)
  const phases = show.stdout.split('\n').filter((line) => /^\s*(build|push|migrate_pre|rollout|migrate_post|finalize)\b/.test(line))
  assert.is(phases.length, 6, show.stdout)
  for (const line of phases) assert.match(line, /migrate_post/.test(line) ? /skipped|completed/ : /completed/)
  const remote = JSON.parse(shop.onHost('cat', `${shop.remoteDirectory}/releases.json`)) as { releases: { id: string }[] }
  assert.is(remote.releases[0]?.id, list.releases[0]?.id, 'the primary host has the same history')
})

test('again there is nothing to do: no write on the host, no build, no lock, no release', async () => {
  const [files, containers] = [shop.remoteFiles(), shop.containers()]
  const started = containers.map(({ id }) => shop.startedAt(id))
  const history = shop.read('.stagecraft/releases.json')
  const { code, stdout, stderr } = await shop.run(['run', 'deploy', '--env', 'prod'])
  assert.is(code, 0, stderr)
  assert.match(stdout, /nothing to do/)
  assert.is(shop.remoteFiles(), files)
  assert.equal(
    shop.containers().map(({ id }) => id),
    containers.map(({ id }) => id),
  )
  assert.equal(
    containers.map(({ id }) => shop.startedAt(id)),
    started,
  )
  assert.is(shop.read('.stagecraft/releases.json'), history)
})

test('plan says the same beforehand, and touches nothing', async () => {
  const files = shop.remoteFiles()
  const { code, stdout } = await shop.run(['plan', '--env', 'prod'])
  assert.is(code, 0)
  assert.match(stdout, /nothing to do/)
  const json = JSON.parse((await shop.run(['plan', '--env', 'prod', '--format', 'json'])).stdout) as { tasks: { state: string }[] }
  assert.ok(json.tasks.every(({ state }) => state === 'fresh'))
  assert.is(shop.remoteFiles(), files)
})

test('one changed source file of api rolls api, and only api', async () => {
  const web = shop.container('web').id
  const api = shop.container('api').id
  shop.write('api/www/version', '2\n')
  const { code, ran, stderr } = await shop.deploy()
  assert.is(code, 0, stderr)
  assert.equal([...ran].sort(), ['build:api', 'finalize:prod', 'push:api', 'render:node-1', 'rollout:api@node-1', 'upload:node-1'])
  assert.is(shop.answer('api', '/version'), '2')
  assert.is(shop.container('web').id, web)
  assert.is.not(shop.container('api').id, api)
  assert.is(shop.containers().length, services.length, 'what it replaced is gone')
})

test('what no service is made from changes nothing: an unrelated file, an mtime, the checkout moved', async () => {
  shop.write('README.md', '# about this shop\n')
  utimesSync(shop.path('web/www/index.html'), new Date(), new Date())
  shop.move()
  const { code, ran, stdout } = await shop.deploy()
  assert.is(code, 0)
  assert.equal(ran, [], stdout)
})

test('one changed environment variable of web: no build, no push, no pull, and only web rolls', async () => {
  const api = shop.container('api').id
  shop.edit('docker-compose.yml', (text) => text.replace('THEME: light', 'THEME: dark'))
  const { code, ran, stdout } = await shop.deploy()
  assert.is(code, 0)
  assert.equal([...ran].sort(), ['finalize:prod', 'render:node-1', 'rollout:web@node-1', 'upload:node-1'])
  assert.not.match(stdout, /pulling/)
  assert.is(shop.container('api').id, api)
})

test('a commit that touches nothing rolls nothing; the release is recorded with the same digests', async () => {
  const ids = () => shop.containers().map(({ id }) => id)
  const before = ids()
  const commit = shop.commit('words only')
  const { code, ran } = await shop.deploy()
  assert.is(code, 0)
  assert.equal(ran, ['finalize:prod'])
  assert.equal(ids(), before)
  const { releases } = JSON.parse(shop.read('.stagecraft/releases.json')) as {
    releases: { version: string; timestamp: string; images: Record<string, { digest: string }> }[]
  }
  const [last, previous] = [...releases].sort((a, b) => (a.timestamp < b.timestamp ? 1 : -1))
  assert.is(last?.version, commit)
  assert.equal(last?.images, previous?.images)
})

test('A, B, A, A: three rollouts, then nothing', async () => {
  const rolls: string[] = []
  for (const version of ['A', 'B', 'A', 'A']) {
    shop.write('api/www/version', `${version}\n`)
    const { code, ran } = await shop.deploy()
    assert.is(code, 0)
    if (ran.includes('rollout:api@node-1')) rolls.push(version)
    assert.is(shop.answer('api', '/version'), version)
  }
  assert.equal(rolls, ['A', 'B', 'A'])
})

test('a fresh clone without caches finds everything done, from the registry and the host', async () => {
  const clone = shop.path('../clone-of-shop')
  shop.commit('all of it')
  await shop.deploy()
  shop.git('clone', '-q', shop.directory, clone)
  try {
    for (const file of ['.env.prod', 'stagecraft.known_hosts']) shop.onMachine('cp', shop.path(file), `${clone}/${file}`)
    const files = shop.remoteFiles()
    const { code, ran, stderr } = await shop.deploy([], { cwd: clone })
    assert.is(code, 0, stderr)
    assert.equal(ran, ['render:node-1'], 'rendering is local and pure; nothing else runs')
    const list = await shop.run(['releases', 'list', '--env', 'prod', '--remote', '--format', 'json'], { cwd: clone })
    assert.ok((JSON.parse(list.stdout) as { releases: unknown[] }).releases.length > 3, 'the host knows the history')
    assert.is(shop.remoteFiles(), files)
  } finally {
    shop.onMachine('rm', '-rf', clone)
  }
})

test('containers stopped or removed by hand are drift: the next deploy repairs them', async () => {
  shop.onHost('docker', 'stop', '--time', '1', shop.container('web').id)
  shop.onHost('docker', 'rm', '--force', shop.container('worker').id)
  const plan = await shop.run(['plan', '--env', 'prod'])
  assert.match(plan.stdout, /rollout:web@node-1\s+run\s+\S+ is exited/)
  const { code, ran } = await shop.deploy()
  assert.is(code, 0)
  assert.equal([...ran].sort(), ['rollout:web@node-1', 'rollout:worker@node-1'])
  assert.is(shop.containers().filter(({ state }) => state === 'running').length, services.length)
})

test('a forced rollout makes a new container of the same definition', async () => {
  const { id, hash } = shop.container('web')
  const { code, ran } = await shop.deploy(['--force=rollout:web@*'])
  assert.is(code, 0)
  assert.equal(ran, ['rollout:web@node-1'])
  assert.is.not(shop.container('web').id, id)
  assert.is(shop.container('web').hash, hash)
})

test('a service that leaves the project is removed; its volume is not', async () => {
  shop.edit('docker-compose.yml', (text) => text.replace(/ {2}worker:[\s\S]*?\n\n/, ''))
  shop.edit('stagecraft.yml', (text) => text.replace(/services:\n {2}worker:.*\n/, ''))
  const { code, stderr } = await shop.deploy()
  assert.is(code, 0, stderr)
  assert.equal(
    shop
      .containers()
      .map(({ service }) => service)
      .sort(),
    ['api', 'db', 'web'],
  )
  assert.is(shop.psql('select count(*) from products'), '2')
})

suite.run()
