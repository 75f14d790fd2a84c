/** A gateway in front of two hosts with two containers each, under traffic. */
import * as assert from 'uvu/assert'
import { EdgeShop } from '../support/edge-shop.ts'
import { labSuite } from '../support/lab-suite.ts'
import { startTraffic } from '../support/traffic.ts'

const suite = await labSuite('e2e/edge-fleet', 3)
const { test, lab } = suite
const shops: EdgeShop[] = []
test.after(() => {
  for (const shop of shops) shop.remove()
})

test('a new version on two hosts behind a gateway loses no request', async () => {
  const { hosts: machines, identityFile } = lab()
  const host = (index: number, role: string) => {
    const { address, port } = machines[index] ?? { address: '', port: 0 }
    return `{ name: node-${index + 1}, address: "${address}", port: ${port}, user: deploy, identity_file: "${identityFile}", roles: [${role}] }`
  }
  const shop = new EdgeShop(lab(), { replicas: 2, role: 'app', hosts: `[${host(0, 'gateway')}, ${host(1, 'app')}, ${host(2, 'app')}]` })
  shops.push(shop)
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
  assert.equal((await shop.deploy()).ran, [])
})

suite.run()
