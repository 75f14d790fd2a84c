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

suite.run()
