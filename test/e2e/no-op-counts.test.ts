/** What a deploy without work costs a host, counted on a long wire: no time is measured. */
import * as assert from 'uvu/assert'
import { createRemoteHost } from '../../src/hosts/remote-host.ts'
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

/** The handshake, authentication and nothing else. */
async function handshakeRoundTrips(): Promise<number> {
  const mark = wire.proxy.mark()
  const host = createRemoteHost({
    address: { name: 'node-1', address: '127.0.0.1', port: wire.port, user: 'deploy', identityFile: suite.lab().identityFile, roles: [] },
    project: shop.name,
    environment: 'prod',
    directory: shop.remoteDirectory,
    knownHosts: [shop.path('stagecraft.known_hosts')],
    projectDirectory: shop.directory,
    homeDirectory: shop.directory,
    env: {},
    signal: new AbortController().signal,
  })
  // A port nobody listens on: its one request comes right after the handshake.
  await host.connect('127.0.0.1', 1).catch(() => undefined)
  await host.close()
  return wire.roundTripsSince(mark) - 1
}

test('nothing to do: one connection, two channels, no command, no write, four round trips after the handshake', async () => {
  const before = shop.remoteFiles()
  const handshake = await handshakeRoundTrips()
  const connections = wire.proxy.stats().connections
  const mark = wire.proxy.mark()
  const { code, stdout, stderr } = await shop.run(['deploy', '--env', 'prod', '--verbose'])
  assert.is(code, 0, stderr)
  assert.match(stdout, /nothing to do/)
  assert.match(stderr, /^node-1: 1 SSH connection; channels: 1 engine, 1 files, 0 tunnels, 0 commands$/m)
  assert.is(wire.proxy.stats().connections - connections, 1)
  const after = wire.roundTripsSince(mark) - handshake
  assert.ok(after <= 4, `${after} round trips after a handshake of ${handshake}`)
  assert.is(shop.remoteFiles(), before)
})

suite.run()
