/** Routes on real hosts, with a real Caddy, under traffic. */
import * as assert from 'uvu/assert'
import { edgeSuite } from '../support/edge-suite.ts'

const suite = await edgeSuite('e2e/edge')
const { test, open, users } = suite

test('a second version takes over without a request lost, and a slow one and a WebSocket finish', async () => {
  const shop = open()
  const first = await shop.deploy()
  assert.is(first.code, 0, first.stderr)
  const traffic = await users(shop)
  shop.version('v2')
  const second = await shop.deploy()
  assert.is(second.code, 0, second.stderr)
  await traffic.until('v2')
  const report = await traffic.stop()
  assert.equal(report.failures, [], JSON.stringify(report))
  assert.ok(report.slow.finished > 0)
  const third = await shop.deploy()
  assert.equal(third.ran, [], third.stderr)
})

test('a version that answers 500 is undone: the old one never stops answering', async () => {
  const shop = open()
  assert.is((await shop.deploy()).code, 0)
  const traffic = await users(shop)
  shop.version('broken')
  const broken = await shop.deploy()
  assert.is(broken.code, 2, broken.stderr)
  assert.match(broken.stdout + broken.stderr, /answered 500/)
  shop.version('v2')
  assert.is((await shop.deploy()).code, 0)
  await traffic.until('v2')
  const { failures } = await traffic.stop()
  assert.equal(failures, [], 'no user met the broken version')
})

test('what somebody changed by hand is found and put right, and a restarted proxy serves on', async () => {
  const shop = open()
  assert.is((await shop.deploy()).code, 0)
  const key = `${shop.name}.prod.web`
  const answer = () =>
    shop
      .onMachine(
        'curl',
        '-s',
        '--retry',
        '5',
        '--retry-connrefused',
        '--retry-delay',
        '1',
        '-H',
        `Host: ${shop.domain}`,
        `http://${shop.host.address}/`,
      )
      .trim()

  shop.onHost('docker', 'restart', 'stagecraft-edge-proxy-1')
  assert.is(answer(), 'v1')
  assert.equal((await shop.deploy()).ran, [])

  for (const harm of [
    `rm services/${key}.json`,
    `echo '{}' > services/${key}.json`,
    `rm live/${key}`,
    `echo '{}' > caddy.json`,
    'docker stop -t 1 stagecraft-edge-proxy-1',
    'docker rm -f stagecraft-edge-proxy-1',
  ]) {
    shop.onHost('sh', '-c', `cd /opt/stagecraft/edge && ${harm}`)
    const plan = await shop.run(['plan', '--env', 'prod'])
    assert.match(plan.stdout, /(proxy|edge):\S+ +run /, `${harm}: ${plan.stdout}`)
    const mended = await shop.deploy()
    assert.is(mended.code, 0, `${harm}: ${mended.stderr}`)
    assert.is(answer(), 'v1', harm)
    assert.equal((await shop.deploy()).ran, [], harm)
  }
})

test('a page is in the way until it is taken away, deploys or not', async () => {
  const shop = open()
  assert.is((await shop.deploy()).code, 0)
  const head = () => shop.onMachine('curl', '-s', '-i', '-H', `Host: ${shop.domain}`, `http://${shop.host.address}/`)
  assert.is((await shop.run(['maintenance', 'on', '--env', 'prod'])).code, 0)
  assert.match(head(), /503.*Retry-After: 60.*Back soon/s)
  shop.version('v2')
  assert.is((await shop.deploy()).code, 0)
  assert.match(head(), /503/)
  const off = await shop.run(['maintenance', 'off', '--env', 'prod'])
  assert.is(off.code, 0, off.stderr)
  assert.match(head(), /200 OK.*v2/s)
})

suite.run()
