/** What a deploy without work costs a host, counted on a long wire: no time is measured. */
import * as assert from 'uvu/assert'
import { labSuite } from '../support/lab-suite.ts'
import { Shop } from '../support/shop.ts'
import { withoutDatabase } from '../support/shop-variants.ts'
import { openWire, type Wire } from '../support/wire.ts'

/** Long enough that what a busy machine takes does not look like a round trip. */
const roundTripMs = 400

const suite = await labSuite('e2e/no-op-counts')
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
  const { code, stdout, stderr } = await shop.deploy()
  assert.is(code, 0, stderr + stdout)
  shop.edit('stagecraft.known_hosts', (text) => text + wire.knownHost)
  shop.edit('stagecraft.yml', (text) => text.replace(/address: "[^"]*", port: \d+/, `address: "127.0.0.1", port: ${wire.port}`))
})
test.after(async () => {
  shop.remove()
  await wire.proxy.close()
})

test('nothing to do: one connection, two channels, no command, no write, four round trips with the handshake', async () => {
  const before = shop.remoteFiles()
  const connections = wire.proxy.stats().connections
  const mark = wire.proxy.mark()
  const { code, stdout, stderr } = await shop.run(['deploy', '--env', 'prod', '--verbose'])
  assert.is(code, 0, stderr)
  assert.match(stdout, /nothing to do/)
  assert.match(stderr, /^node-1: 1 SSH connection; channels: 1 engine, 1 files, 0 tunnels, 0 commands$/m)
  assert.is(wire.proxy.stats().connections - connections, 1)
  // TCP's own is not seen; the last of these is the goodbye, which is not waited for.
  const trips = wire.roundTripsSince(mark)
  // On a busy machine the proxy now and then sees an answer in two pieces, and what is sent between them as one more.
  assert.ok(trips <= 5, `${trips} round trips`)
  assert.is(shop.remoteFiles(), before)
})

suite.run()
