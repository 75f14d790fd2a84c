/** A world that says no: each time a clear error that names the host and the remedy, exit 2, and nothing changed. Then: secrets. */
import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import * as assert from 'uvu/assert'
import { labSuite } from '../support/lab-suite.ts'
import { sampleArguments } from '../support/process-arguments.ts'
import { Shop } from '../support/shop.ts'

const suite = await labSuite('e2e/hostile')
const { test } = suite
let shop: Shop

test.before.each(() => {
  shop = new Shop(suite.lab())
})
test.after.each(() => shop.remove())

async function refused(expected: readonly RegExp[]): Promise<void> {
  const { code, stdout, stderr } = await shop.run(['run', 'deploy', '--env', 'prod'])
  const said = stdout + stderr
  assert.is(code, 2, said)
  for (const pattern of expected) assert.match(said, pattern)
  assertUntouched()
}

/** No container, and no file of this shop. */
function assertUntouched(): void {
  assert.equal(shop.containers(), [])
  assert.is(shop.onHost('find', '/opt/stagecraft', '-path', `*/${shop.name}*`), '')
}

test('an unknown host key', async () => {
  shop.write('stagecraft.known_hosts', '')
  await refused([/node-1/, /SHA256:/, /stagecraft\.known_hosts/])
})

test('a changed host key', async () => {
  shop.edit('stagecraft.known_hosts', (text) =>
    text.replaceAll(/ (ssh-\S+|ecdsa-\S+) \S+/g, ' ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl'),
  )
  await refused([/node-1/, /changed|differs|not the one/i])
})

test('a host nobody can reach', async () => {
  shop.edit('stagecraft.yml', (text) => text.replace(/port: 22/, 'port: 9'))
  await refused([/node-1/, /refused|reach/i])
})

test('no Docker for this user on the host', async () => {
  shop.onHost('chmod', '700', '/var/run/docker.sock')
  try {
    await refused([/node-1/, /docker/i, /usermod|group|permission/i])
  } finally {
    shop.onHost('chmod', '660', '/var/run/docker.sock')
  }
})

test('a registry without credentials', async () => {
  const empty = shop.path('.empty-docker-config')
  execFileSync('mkdir', ['-p', empty])
  const { code, stdout, stderr } = await shop.run(['run', 'deploy', '--env', 'prod'], { env: { DOCKER_CONFIG: empty } })
  assert.is(code, 2)
  assert.match(stdout + stderr, /docker login/)
  assertUntouched()
})

test('a folder on the host that cannot be written', async () => {
  shop.onHost('chmod', '755', '/opt/stagecraft')
  shop.onHost('chown', 'root:root', '/opt/stagecraft')
  try {
    await refused([/node-1/, /\/opt\/stagecraft/, /install -d|chown|writ/i])
  } finally {
    shop.onHost('chown', 'deploy:docker', '/opt/stagecraft')
    shop.onHost('chmod', '2775', '/opt/stagecraft')
  }
})

test('config errors exit 1, all at once, before anything is touched', async () => {
  shop.edit('stagecraft.yml', (text) => text.replace('registry:', 'regstry:').replace('env_file:', 'env_fil:'))
  const { code, stderr, stdout } = await shop.run(['run', 'deploy', '--env', 'prod'], { env: { DOCKER_CONFIG: '/nonexistent' } })
  assert.is(code, 1)
  assert.match(stderr, /regstry[\s\S]*did you mean `registry`/)
  assert.match(stderr, /env_fil[\s\S]*did you mean `env_file`/)
  assert.is(stdout, '')
})

test('planted secrets appear nowhere, and a rotated one rolls just what uses it', async () => {
  const planted = { file: `file-${shop.password}`, build: `build-${shop.password}` }
  shop.writeEnvironment({
    POSTGRES_PASSWORD: shop.password,
    DATABASE_URL: `postgres://shop:${shop.password}@db:5432/shop`,
    API_TOKEN: planted.file,
    NPM_TOKEN: planted.build,
  })
  shop.edit('docker-compose.yml', (text) =>
    text.replace('context: worker\n', 'context: worker\n      secrets: [npm]\n').concat('\nsecrets:\n  npm:\n    environment: NPM_TOKEN\n'),
  )
  shop.edit('worker/Dockerfile', (text) => text.replace('CMD', 'RUN --mount=type=secret,id=npm test -s /run/secrets/npm\nCMD'))
  const sampler = sampleArguments()
  const deployed = await shop.run(['run', 'deploy', '--env', 'prod', '--verbose'])
  const argumentsSeen = sampler.stop()
  assert.is(deployed.code, 0, deployed.stderr + deployed.stdout)
  const outputs = [deployed]
  for (const args of [
    ['plan', '--verbose'],
    ['plan', '--format', 'json'],
    ['graph', '--format', 'json'],
    ['explain', 'rollout:worker@node-1'],
    ['explain', 'build:worker', '--format', 'json'],
  ]) {
    outputs.push(await shop.run([...args, '--env', 'prod']))
  }
  outputs.push(await shop.run(['releases', 'list', '--format', 'json']))
  const ids = shop.containers().map(({ id }) => id)
  const images = shop
    .onHost('docker', 'inspect', '--format', '{{.Image}}', ...ids)
    .trim()
    .split('\n')
  const places: Record<string, string> = {
    output: outputs.map(({ stdout, stderr }) => stdout + stderr).join('\n'),
    arguments: argumentsSeen,
    'rendered file': shop.onHost('cat', `${shop.remoteDirectory}/current/docker-compose.yml`),
    'release history on the host': shop.onHost('cat', `${shop.remoteDirectory}/releases.json`),
    'audit on the host': shop.onHost('cat', `${shop.remoteDirectory}/audit.jsonl`),
    labels: shop.onHost('docker', 'inspect', '--format', '{{json .Config.Labels}}', ...ids),
    'image history': images.map((image) => shop.onHost('docker', 'history', '--no-trunc', image)).join('\n'),
  }
  for (const file of filesBelow(shop.path('.stagecraft'))) places[file] = readFileSync(file, 'latin1')
  for (const [place, text] of Object.entries(places)) {
    for (const secret of [shop.password, planted.file, planted.build]) assert.not.ok(text.includes(secret), `${place} holds a secret`)
  }
  const modes = shop.onHost('find', shop.remoteDirectory, '-name', '.env', '-printf', '%m\n').trim().split('\n')
  assert.equal([...new Set(modes)], ['600'])

  const [db, web] = [shop.container('db').id, shop.container('web').id]
  shop.edit('.env.prod', (text) => text.replace(planted.file, `${planted.file}-rotated`))
  const { code, ran } = await shop.deploy()
  assert.is(code, 0)
  assert.ok(ran.includes('rollout:api@node-1'))
  assert.not.ok(ran.includes('build:api') || ran.includes('rollout:db@node-1'))
  assert.is(shop.container('db').id, db)
  assert.is.not(shop.container('web').id, web, 'our own services get the whole environment file')
  assert.match(shop.onHost('docker', 'exec', shop.container('api').id, 'env'), `API_TOKEN=${planted.file}-rotated`)
})

test('a context that is the whole project gives the image neither our own files nor the environment file', async () => {
  const dockerfile = 'ARG BASE_IMAGE\nFROM ${BASE_IMAGE}\nCOPY . /all\nCMD ["sh", "-c", "sleep 1000"]\n'
  shop.write('Dockerfile', dockerfile)
  shop.edit('docker-compose.yml', (text) => text.replace('context: worker\n', 'context: .\n'))
  const { code, stdout, stderr } = await shop.deploy()
  assert.is(code, 0, stderr + stdout)
  const inImage = shop.onHost('docker', 'exec', shop.container('worker').id, 'find', '/all')
  assert.match(inImage, '/all/docker-compose.yml')
  for (const secret of ['.stagecraft', 'project.key', '.env.prod\n']) assert.not.ok(inImage.includes(`/${secret}`), secret)
  const again = await shop.deploy()
  assert.equal(again.ran, [], 'what we write into the project does not make it another')
})

function filesBelow(directory: string): string[] {
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
}

suite.run()
