/** What rolling one service costs a host, counted on a long wire: no time is measured. */
import * as assert from 'uvu/assert'
import { labSuite } from '../support/lab-suite.ts'
import { Shop } from '../support/shop.ts'
import { withoutDatabase } from '../support/shop-variants.ts'
import { openWire, type Wire } from '../support/wire.ts'

/** Long enough that what a busy machine takes does not look like a round trip, short enough for many. */
const roundTripMs = 200
/** With the handshake and the goodbye; what a wait of more than ten seconds adds is not counted against it, as a beat of the lock goes out then. */
const most = 40

const suite = await labSuite('e2e/rollout-counts')
const { test } = suite
let shop: Shop
let wire: Wire

test.before(async () => {
  const lab = suite.lab()
  const [host] = lab.hosts
  if (!host) throw new Error('the lab has no host')
  wire = await openWire(lab, host, roundTripMs)
  shop = new Shop(lab)
  withoutDatabase(shop)
  for (const version of ['1', '2']) await release(version)
  shop.edit('stagecraft.known_hosts', (text) => text + wire.knownHost)
  shop.edit('stagecraft.yml', (text) => text.replace(/address: "[^"]*", port: \d+/, `address: "127.0.0.1", port: ${wire.port}`))
})
test.after(async () => {
  shop.remove()
  await wire.proxy.close()
})

async function release(version: string): Promise<{ readonly ran: readonly string[]; readonly ms: number }> {
  shop.write('web/www/version', `${version}\n`)
  shop.commit(`version ${version}`)
  const began = performance.now()
  const { code, stdout, stderr, ran } = await shop.deploy()
  assert.is(code, 0, stderr + stdout)
  return { ran, ms: performance.now() - began }
}

test('rolling one service whose image is there: one connection, and no more than forty round trips', async () => {
  const connections = wire.proxy.stats().connections
  const mark = wire.proxy.mark()
  const { ran, ms } = await release('1')
  const trips = wire.roundTripsSince(mark)
  assert.equal([...ran].sort(), ['finalize:prod', 'rollout:web@node-1', 'upload:node-1'])
  assert.is(wire.proxy.stats().connections - connections, 1)
  // On a busy machine the proxy now and then sees an answer in two pieces, and what is sent between them as one more.
  const allowed = most + 2 * Math.floor(ms / 10_000) + 5
  assert.ok(trips <= allowed, `${trips} round trips, ${allowed} are allowed`)
})

suite.run()
