/** The driver `docker-rollout` with the plugin as it is published, where this machine has it. */
import * as assert from 'uvu/assert'
import { installedPlugin, installPlugin } from '../support/docker-rollout.ts'
import { labSuite } from '../support/lab-suite.ts'
import { Shop } from '../support/shop.ts'
import { withoutDatabase } from '../support/shop-variants.ts'

const suite = await labSuite('e2e/docker-rollout')
const { test } = suite
const plugin = installedPlugin()
const withPlugin = plugin === undefined ? skipped : test
let shop: Shop
let takeAway = () => {}

function skipped(title: string): void {
  test.skip(`${title} (the plugin is not on this machine: name its file in STAGECRAFT_TEST_DOCKER_ROLLOUT)`)
}

test.before(() => {
  shop = new Shop(suite.lab())
  withoutDatabase(shop)
  shop.edit('stagecraft.yml', (text) =>
    text.replace(/services:\n( .*\n)+/, 'services:\n  web: { rollout: { driver: docker-rollout, timeout_seconds: 20 } }\n'),
  )
})
test.after(() => {
  takeAway()
  shop.remove()
})

const versionNow = (version: string) => {
  shop.write('web/www/version', `${version}\n`)
  shop.commit(`version ${version}`)
}

test('a host without the plugin: says so before anything is replaced', async () => {
  const { code, stdout, stderr } = await shop.run(['deploy', '--env', 'prod'])
  assert.is(code, 2, stdout + stderr)
  assert.match(stdout + stderr, /node-1 does not have that plugin/)
  assert.equal(
    shop.containers().filter(({ service }) => service === 'web'),
    [],
  )
})

withPlugin('first deploy, second version, nothing to do', async () => {
  takeAway = installPlugin(shop, plugin ?? '')
  const first = await shop.deploy()
  assert.is(first.code, 0, first.stderr + first.stdout)
  assert.is(shop.answer('web', '/version'), '1')
  const before = shop.container('web').id

  versionNow('2')
  const second = await shop.deploy()
  assert.is(second.code, 0, second.stderr + second.stdout)
  assert.ok(second.ran.includes('rollout:web@node-1'))
  assert.is(shop.answer('web', '/version'), '2')
  const { id, status } = shop.container('web')
  assert.is.not(id, before)
  assert.match(status, /healthy/)
  assert.match(shop.startedAt(id), / 0 unless-stopped$/, 'it has its own restart policy')

  const again = await shop.deploy()
  assert.equal([again.code, again.ran], [0, []], again.stderr)
})

withPlugin('a version that never becomes healthy: the old container is still the one, nothing is left over, and it is mended', async () => {
  const before = shop.container('web').id
  const good = shop.read('web/Dockerfile')
  shop.edit('web/Dockerfile', (text) => text.replace(/CMD .*/, 'CMD ["sh", "-c", "echo thinking; exec sleep 1000"]'))
  versionNow('3')
  const { code, stdout, stderr } = await shop.run(['deploy', '--env', 'prod'])
  assert.is(code, 2, stdout + stderr)
  assert.is(shop.container('web').id, before)
  assert.equal(shop.containers().filter(({ service }) => service === 'web').length, 1)
  assert.is(shop.answer('web', '/version'), '2')

  shop.write('web/Dockerfile', good)
  versionNow('4')
  const mended = await shop.deploy()
  assert.is(mended.code, 0, mended.stderr + mended.stdout)
  assert.is(shop.answer('web', '/version'), '4')
})

withPlugin('three of it, where there were one: what the plugin does not count is made', async () => {
  shop.edit('docker-compose.yml', (text) => text.replace(/( {2}web:\n)/, '$1    deploy: { replicas: 3 }\n'))
  versionNow('5')
  const { code, stdout, stderr } = await shop.deploy()
  assert.is(code, 0, stderr + stdout)
  assert.equal(
    shop
      .containers()
      .filter(({ service }) => service === 'web')
      .map(({ state }) => state),
    ['running', 'running', 'running'],
  )
})

suite.run()
