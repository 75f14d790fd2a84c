import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import ssh2 from 'ssh2'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { within } from '../../support/assertions.ts'
import { failureOf, makeKey, onServer } from '../../support/ssh-server.ts'

const test = suite('src/hosts/ssh-head-start')

test(
  'a host that takes it is asked in one connection',
  onServer({}, async (server) => {
    const host = server.host()
    assert.is((await host.run({ argv: ['true'] })).code, 0)
    assert.is(server.counts.attempts, 1)
  }),
)

test(
  'a host without Curve25519 is asked again, from the start',
  onServer({ keyExchange: ['ecdh-sha2-nistp256'] }, async (server) => {
    const host = server.host()
    const exits = await within(5_000, Promise.all(['one', 'two'].map((word) => host.run({ argv: ['echo', word] }))))
    assert.equal(
      exits.map(({ stdout }) => stdout),
      ['one\n', 'two\n'],
    )
    assert.is(server.counts.attempts, 2)
    assert.is(host.stats().connections, 1)
  }),
)

test(
  'a host that answers out of turn is asked again when it has let us in',
  onServer({ thinksMs: 50 }, async (server) => {
    const host = server.host()
    assert.is((await within(5_000, host.run({ argv: ['echo', 'one'] }))).stdout, 'one\n')
    assert.equal(await host.files.list(''), [])
    assert.is(host.stats().connections, 1)
  }),
)

test('of several keys, the one the host takes is found', async () => {
  const wanted = makeKey('ecdsa')
  const parsed = ssh2.utils.parseKey(wanted.public)
  const wire = parsed instanceof Error ? Buffer.alloc(0) : parsed.getPublicSSH()
  await onServer({ acceptKeys: (key) => key.equals(wire) }, async (server) => {
    writeFileSync(join(server.home, '.ssh', 'id_ecdsa'), wanted.private, { mode: 0o600 })
    const host = server.host()
    assert.is((await within(5_000, host.run({ argv: ['true'] }))).code, 0)
    assert.is(server.counts.connections, 1)
  })()
})

test(
  'a key that is refused while more could be asked is told like any other, and nothing more is asked',
  onServer({ acceptKeys: false }, async (server) => {
    const identityFile = join(server.home, '.ssh', 'id_ed25519')
    const address = { name: 'node-1', address: '127.0.0.1', port: server.port, user: 'deploy', identityFile, roles: [] }
    const host = server.host({ address, env: { SSH_AUTH_SOCK: join(server.home, 'no-agent') } })
    const failure = await within(5_000, failureOf(host.run({ argv: ['true'] })))
    assert.is(failure.reason, 'refused')
    assert.match(failure.message, /accepted none of the keys tried:\n {2}.*id_ed25519 SHA256:[\s\S]*no-agent does not answer/)
    const { attempts } = server.counts
    assert.is((await failureOf(host.observe())).message, failure.message)
    assert.is(server.counts.attempts, attempts, 'a failure to connect is kept')
    assert.equal(server.execs, [])
  }),
)

test(
  'a host key that is not trusted ends it before anything is signed or asked',
  onServer({}, async (server) => {
    writeFileSync(server.knownHosts, '')
    assert.match((await failureOf(server.host().run({ argv: ['true'] }))).message, /is not known/)
    assert.is(server.counts.attempts, 1)
    assert.is(server.counts.connections, 0)
  }),
)

test.run()
