/** Routes on real hosts, with a real Caddy, under traffic. */
import * as assert from 'uvu/assert'
import { EdgeShop } from '../support/edge-shop.ts'
import { labSuite } from '../support/lab-suite.ts'
import { startTraffic } from '../support/traffic.ts'

const { test, lab, run } = await labSuite('e2e/edge')
const shops: EdgeShop[] = []
const open = (options: ConstructorParameters<typeof EdgeShop>[1] = {}) => {
  const shop = new EdgeShop(lab(), options)
  shops.push(shop)
  return shop
}
test.after(() => {
  for (const shop of shops) shop.remove()
})

test('a second version takes over without a request lost, and a slow one and a WebSocket finish', async () => {
  const shop = open()
  const first = await shop.deploy()
  assert.is(first.code, 0, first.stderr)
  const traffic = startTraffic(shop.route())
  await traffic.until('v1')
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

run()
