/** A gateway in front of two hosts with two containers each, under traffic. */
import * as assert from 'uvu/assert'
import { edgeSuite } from '../support/edge-suite.ts'

const suite = await edgeSuite('e2e/edge-fleet', 3)
const { test, open, users } = suite

test('a new version on two hosts behind a gateway loses no request', async () => {
  const shop = open({ replicas: 2, role: 'app', roles: ['gateway', 'app', 'app'] })
  const first = await shop.deploy()
  assert.is(first.code, 0, first.stderr)
  const traffic = await users(shop)
  shop.version('v2')
  const second = await shop.deploy()
  assert.is(second.code, 0, second.stderr)
  await traffic.until('v2')
  const report = await traffic.stop()
  assert.equal(report.failures, [], JSON.stringify(report))
  assert.equal((await shop.deploy()).ran, [])
})

test('a host that stops answering, or goes away, behind the gateway: the others serve on, and it comes back', async () => {
  const shop = open({ role: 'app', roles: ['gateway', 'app', 'app'] })
  assert.is((await shop.deploy()).code, 0)
  const lost = shop.lab.hosts[2]?.container ?? ''
  const statuses = (count: number) => Array.from({ length: count }, () => shop.curl('/', '--max-time', '8').split('\n')[0]?.trim())
  // As a host that froze, or whose cable was cut: nothing is answered, nothing refused.
  const silence = (change: '-I' | '-D') =>
    shop.onMachine('docker', 'exec', lost, 'iptables', '-t', 'raw', change, 'PREROUTING', '-i', 'eth0', '-j', 'DROP')
  silence('-I')
  try {
    await new Promise((resolve) => setTimeout(resolve, 6_000))
    assert.equal(new Set(statuses(30)), new Set(['HTTP/1.1 200 OK']), 'silent: found by asking it')
    const status = await shop.run(['status', '--env', 'prod'], { timeoutMs: 90_000 })
    assert.match(status.stdout + status.stderr, /node-3.*(not answer|unreachable|cannot be reached|no answer|timed out)/is)
  } finally {
    silence('-D')
  }
  const traffic = await users(shop)
  shop.onMachine('docker', 'exec', lost, 'docker', 'stop', '-t', '1', 'stagecraft-edge-proxy-1')
  await new Promise((resolve) => setTimeout(resolve, 3_000))
  assert.equal(new Set(statuses(20)), new Set(['HTTP/1.1 200 OK']))
  const mended = await shop.deploy()
  assert.is(mended.code, 0, mended.stderr)
  const { failures } = await traffic.stop()
  // What was in flight through it when it went is lost with it; nothing after.
  assert.ok(failures.length <= 3, failures.join('\n'))
})

suite.run()
