import { writeFileSync } from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import { join } from 'node:path'
import ssh2 from 'ssh2'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { within } from '../../support/assertions.ts'
import { failureOf, makeKey, onServer } from '../../support/ssh-server.ts'

const test = suite('src/hosts/ssh-connection')

test(
  'everything asked at once goes through one connection',
  onServer({}, async (server) => {
    const host = server.host()
    const exits = await within(5_000, Promise.all(['one', 'two', 'three'].map((word) => host.run({ argv: ['echo', word] }))))
    assert.equal(
      exits.map(({ stdout }) => stdout),
      ['one\n', 'two\n', 'three\n'],
    )
    assert.equal(await host.files.list(''), [])
    assert.is(server.counts.connections, 1)
    assert.is(host.stats().connections, 1)
  }),
)

test(
  'nothing is connected before it is needed',
  onServer({}, async (server) => {
    await server.host().close()
    assert.is(server.counts.connections, 0)
  }),
)

test(
  'an unknown host key is refused, with the line that would make it known',
  onServer({}, async (server) => {
    writeFileSync(server.knownHosts, '')
    const failure = await failureOf(server.host().run({ argv: ['true'] }))
    assert.is(failure.reason, 'refused')
    assert.match(failure.message, /host key of node-1 \(deploy@127\.0\.0\.1:\d+\) is not known: ssh-ed25519 SHA256:/)
    assert.match(failure.remedy ?? '', /ssh-keygen -lf \/etc\/ssh\/ssh_host_ed25519_key\.pub/)
    const line = (failure.remedy ?? '').split('\n')[1] ?? ''
    assert.is(line, server.hostKeyLines[0])
    writeFileSync(server.knownHosts, `${line}\n`)
    assert.is((await server.host().run({ argv: ['true'] })).code, 0)
  }),
)

test(
  'a certificate authority for the host is mentioned, and not followed',
  onServer({}, async (server) => {
    writeFileSync(server.knownHosts, `@cert-authority ${server.hostKeyLines[0]}\n`)
    assert.match((await failureOf(server.host().run({ argv: ['true'] }))).message, /known_hosts:1 names a certificate authority/)
  }),
)

test(
  'a changed host key is refused, saying what was expected and where',
  onServer({}, async (server) => {
    const other = makeKey('ed25519').public.split(' ').slice(0, 2).join(' ')
    writeFileSync(server.knownHosts, `# pinned\n[127.0.0.1]:${server.port} ${other}\n`)
    const failure = await failureOf(server.host().run({ argv: ['true'] }))
    assert.is(failure.reason, 'refused')
    assert.match(failure.message, /has changed/)
    assert.match(failure.message, /expected ssh-ed25519 SHA256:\S+ \(.*known_hosts:2\)\n {2}found {4}ssh-ed25519 SHA256:/)
    assert.is(server.counts.connections, 0)
  }),
)

test(
  'a revoked host key is refused',
  onServer({}, async (server) => {
    writeFileSync(server.knownHosts, `${server.hostKeyLines[0]}\n@revoked * ${server.hostKeyLines[0]?.split(' ').slice(1).join(' ')}\n`)
    assert.match(
      (await failureOf(server.host().run({ argv: ['true'] }))).message,
      /revoked host key: ssh-ed25519 SHA256:\S+ \(.*known_hosts:2\)/,
    )
  }),
)

test(
  'the key that is known is asked for, whatever else the host has',
  onServer({ hostKeys: ['rsa', 'ecdsa', 'ed25519'] }, async (server) => {
    for (const line of server.hostKeyLines) {
      writeFileSync(server.knownHosts, `${line}\n`)
      assert.is((await server.host().run({ argv: ['true'] })).code, 0)
    }
  }),
)

test(
  'a key the host does not take is named, and tried once',
  onServer({ acceptKeys: false }, async (server) => {
    const host = server.host()
    const failure = await failureOf(host.run({ argv: ['true'] }))
    assert.is(failure.reason, 'refused')
    assert.match(failure.message, /node-1 \(deploy@127\.0\.0\.1:\d+\) accepted none of the keys tried:\n {2}.*id_ed25519 SHA256:/)
    assert.match(failure.remedy ?? '', /~deploy\/\.ssh\/authorized_keys/)
    assert.is(await failureOf(host.observe()).then(({ message }) => message), failure.message)
  }),
)

test(
  'a host that takes only passwords is told apart',
  onServer({ acceptKeys: false, methods: ['password'] }, async (server) => {
    assert.match((await failureOf(server.host().run({ argv: ['true'] }))).message, /the host takes no keys, only: password/)
  }),
)

test(
  'an encrypted key is named with what to do',
  onServer({ acceptKeys: false }, async (server) => {
    const encrypted = ssh2.utils.generateKeyPairSync('ed25519', { passphrase: 'secret', cipher: 'aes256-cbc', rounds: 1 })
    writeFileSync(join(server.home, '.ssh', 'id_ed25519'), encrypted.private)
    const failure = await failureOf(server.host().run({ argv: ['true'] }))
    assert.match(failure.message, /id_ed25519 needs a passphrase/)
    assert.match(failure.remedy ?? '', /ssh-add .*id_ed25519/)
  }),
)

test(
  'a named key that is not there or no key is named',
  onServer({ acceptKeys: false }, async (server) => {
    const address = { name: 'node-1', address: '127.0.0.1', port: server.port, user: 'deploy', roles: [] }
    const missing = await failureOf(server.host({ address: { ...address, identityFile: '/nowhere/key' } }).run({ argv: ['true'] }))
    assert.match(missing.message, /\/nowhere\/key cannot be read: ENOENT/)
    writeFileSync(join(server.home, 'rubbish'), 'rubbish')
    const rubbish = await failureOf(
      server.host({ address: { ...address, identityFile: join(server.home, 'rubbish') } }).run({ argv: ['true'] }),
    )
    assert.match(rubbish.message, /rubbish is not a private key/)
  }),
)

test(
  'an agent that does not answer is not the end while there are key files',
  onServer({}, async (server) => {
    const host = server.host({ env: { SSH_AUTH_SOCK: join(server.home, 'no-agent') } })
    assert.is((await host.run({ argv: ['true'] })).code, 0)
  }),
)

test('a port where nothing listens is named', async () => {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  await onServer({}, async (other) => {
    const failure = await failureOf(
      other.host({ address: { name: 'node-1', address: '127.0.0.1', port, user: 'deploy', roles: [] } }).run({ argv: ['true'] }),
    )
    assert.is(failure.reason, 'unreachable')
    assert.match(failure.message, /refused the connection: nothing listens on port/)
  })()
})

test(
  'a name without an address is named',
  onServer({}, async (server) => {
    const failure = await failureOf(
      server.host({ address: { name: 'node-1', address: 'no-such-host.invalid', roles: [] } }).run({ argv: ['true'] }),
    )
    assert.is(failure.reason, 'unreachable')
    assert.match(failure.message, /no address found for `no-such-host\.invalid`/)
  }),
)

for (const [name, greeting, message] of [
  ['says nothing', '', /SSH handshake with node-1 .* did not finish/],
  ['speaks something else', 'HTTP/1.1 400\r\n\r\n', /node-1 .* ended the SSH handshake|no connection/],
] as const) {
  test(`a server that ${name} does not hold up the run`, async () => {
    const server = createServer((socket) => {
      socket.on('error', () => undefined).resume()
      if (greeting !== '') socket.end(greeting)
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const { port } = server.address() as AddressInfo
    await onServer({}, async (other) => {
      const address = { name: 'node-1', address: '127.0.0.1', port, user: 'deploy', roles: [] }
      const failure = await within(5_000, failureOf(other.host({ address, connectTimeoutMs: 300 }).run({ argv: ['true'] })))
      assert.is(failure.reason, 'unreachable')
      assert.match(failure.message, message)
    })()
    await new Promise((resolve) => server.close(resolve))
  })
}

test(
  'a connection that is cut ends what is under way, and the next operation connects anew',
  onServer({}, async (server) => {
    const host = server.host()
    const started = new Promise<void>((resolve) => {
      server.intercept = (operation) => {
        if (operation === 'OPENDIR') resolve()
        return undefined
      }
    })
    const running = failureOf(host.run({ argv: ['sleep', '60'] }))
    await host.files.list('')
    await started
    server.cut()
    const failure = await within(5_000, running)
    assert.is(failure.reason, 'unreachable')
    assert.match(failure.message, /the connection to node-1 .* was lost/)
    assert.is((await host.run({ argv: ['true'] })).code, 0)
    assert.equal(await host.files.list(''), [])
    assert.is(host.stats().connections, 2)
  }),
)

test(
  'a host that falls silent is given up after a few keepalives',
  onServer({}, async (server) => {
    const host = server.host({ keepaliveIntervalMs: 30 })
    await host.run({ argv: ['true'] })
    server.pause()
    const failure = await within(5_000, failureOf(host.run({ argv: ['true'] })))
    assert.match(failure.message, /no sign of life from the host/)
  }),
)

test(
  'a deadline ends one operation and not the connection',
  onServer({}, async (server) => {
    const host = server.host()
    const failure = await within(5_000, failureOf(host.run({ argv: ['sleep', '60'], timeoutMs: 200 })))
    assert.is(failure.reason, 'timeout')
    assert.match(failure.message, /`sleep` on node-1 .* took longer than 0\.2 s/)
    assert.is((await host.run({ argv: ['true'] })).code, 0)
    assert.is(host.stats().connections, 1)
  }),
)

test(
  'an interruption ends what is under way, and leaves a way to put things in order',
  onServer({}, async (server) => {
    const controller = new AbortController()
    const host = server.host({ signal: controller.signal })
    await host.run({ argv: ['true'] })
    const running = failureOf(host.run({ argv: ['sleep', '60'] }))
    controller.abort()
    assert.is((await within(5_000, running)).reason, 'interrupted')
    assert.is((await host.run({ argv: ['true'] })).code, 0)
  }),
)

test('an interruption ends the attempt to connect', async () => {
  const server = createServer((socket) => socket.on('error', () => undefined).resume())
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const controller = new AbortController()
  server.once('connection', () => controller.abort())
  await onServer({}, async (other) => {
    const host = other.host({
      signal: controller.signal,
      address: { name: 'node-1', address: '127.0.0.1', port, user: 'deploy', roles: [] },
    })
    assert.is((await within(5_000, failureOf(host.run({ argv: ['true'] })))).reason, 'interrupted')
  })()
  await new Promise((resolve) => server.close(resolve))
})

test(
  'a closed host takes no more work',
  onServer({}, async (server) => {
    const host = server.host()
    await host.run({ argv: ['true'] })
    await host.close()
    await host.close()
    const error = await host.run({ argv: ['true'] }).catch((reason: unknown) => reason)
    assert.match(String(error), /closed by its owner/)
  }),
)

test(
  'a tunnel reaches what the host reaches',
  onServer({}, async (server) => {
    const echo = createServer((socket) => socket.pipe(socket))
    await new Promise<void>((resolve) => echo.listen(0, '127.0.0.1', resolve))
    const host = server.host()
    const stream = await host.connect('127.0.0.1', (echo.address() as AddressInfo).port)
    const heard = new Promise<string>((resolve) => stream.once('data', (chunk: Buffer) => resolve(chunk.toString())))
    stream.write('hello')
    assert.is(await within(5_000, heard), 'hello')
    assert.is(host.stats().tunnels, 1)
    stream.destroy()
    await host.close()
    await new Promise((resolve) => echo.close(resolve))
  }),
)

test.run()
