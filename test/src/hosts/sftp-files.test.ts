import { createHash, randomBytes } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, readlinkSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { ServerChannel } from 'ssh2'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { pathBelow } from '../../../src/hosts/sftp-files.ts'
import { encodePacket, PacketReader, sftpType } from '../../../src/hosts/ssh-sftp-packet.ts'
import { rejects, within } from '../../support/assertions.ts'
import { status } from '../../support/sftp-server.ts'
import { failureOf, onServer } from '../../support/ssh-server.ts'

const test = suite('src/hosts/sftp-files')

const sha = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex')

test(
  'a file is written whole, with its mode, in directories made for it',
  onServer({}, async (server) => {
    const { files } = server.host()
    await files.write('a/b/secret', Buffer.from('first'), 0o600)
    assert.is(readFileSync(join(server.directory, 'a/b/secret'), 'utf8'), 'first')
    assert.is(statSync(join(server.directory, 'a/b/secret')).mode & 0o777, 0o600)
    await files.write('a/b/secret', Buffer.from('second'), 0o666)
    assert.is(readFileSync(join(server.directory, 'a/b/secret'), 'utf8'), 'second')
    assert.is(statSync(join(server.directory, 'a/b/secret')).mode & 0o777, 0o666)
    assert.equal(readdirSync(join(server.directory, 'a/b')), ['secret'])
  }),
)

test(
  'large and empty files come back as they went',
  onServer({}, async (server) => {
    const { files } = server.host()
    for (const size of [0, 1, 32 * 1024, 32 * 1024 + 1, 1_000_000]) {
      const bytes = randomBytes(size)
      await within(10_000, files.write('file', bytes, 0o644))
      const back = await files.read('file')
      assert.is(sha(back ?? Buffer.from('absent')), sha(bytes), `${size} bytes`)
    }
  }),
)

test(
  'what is there stays as it was until the new file is complete',
  onServer({}, async (server) => {
    const { files } = server.host()
    await files.write('file', Buffer.from('old'), 0o644)
    for (const operation of ['OPEN', 'WRITE', 'FSETSTAT', 'CLOSE', 'RENAME']) {
      server.intercept = (asked, path) => (asked === operation && path.includes('.tmp-') ? status.failure : undefined)
      const failure = await failureOf(files.write('file', Buffer.from('new'), 0o644))
      assert.is(failure.reason, 'refused')
      assert.match(failure.message, /cannot write .*\/prod\/file on node-1 \(deploy@/)
      server.intercept = undefined
      assert.is(readFileSync(join(server.directory, 'file'), 'utf8'), 'old', operation)
      assert.equal(readdirSync(server.directory), ['file'], operation)
    }
  }),
)

test(
  'a server that cannot flush is believed',
  onServer({}, async (server) => {
    server.intercept = (operation) => (operation === 'FSYNC' ? status.unsupported : undefined)
    await server.host().files.write('file', Buffer.from('x'), 0o644)
    assert.ok(existsSync(join(server.directory, 'file')))
  }),
)

test(
  'a link is pointed elsewhere in one step',
  onServer({}, async (server) => {
    const { files } = server.host()
    await files.point('current', 'bundles/a')
    await files.point('current', 'bundles/b')
    assert.is(readlinkSync(join(server.directory, 'current')), 'bundles/b')
    await files.point('release', '20261123 fingerprint with é')
    assert.is(readlinkSync(join(server.directory, 'release')), '20261123 fingerprint with é')
    assert.not.ok(server.sftpLog.some((line) => /^REMOVE .*current$/.test(line)))
  }),
)

test(
  'what is not there is empty, absent and easily removed',
  onServer({}, async (server) => {
    const { files } = server.host()
    assert.equal(await files.list('nothing'), [])
    assert.is(await files.read('nothing'), undefined)
    assert.is(await files.exists('nothing'), false)
    await files.remove('nothing')
    assert.not.ok(existsSync(server.directory))
  }),
)

test(
  'a directory is listed in order and removed with all that is in it, but not what its links lead to',
  onServer({}, async (server) => {
    const { files } = server.host()
    mkdirSync(join(server.directory, 'old', 'deep', 'er'), { recursive: true })
    mkdirSync(join(server.directory, 'kept'))
    writeFileSync(join(server.directory, 'kept', 'file'), '')
    for (const name of ['b', 'a', 'deep/x']) writeFileSync(join(server.directory, 'old', name), '')
    symlinkSync('../kept', join(server.directory, 'old', 'link'))
    assert.equal(await files.list('old'), ['a', 'b', 'deep', 'link'])
    await files.remove('old')
    assert.equal(await files.list(''), ['kept'])
    assert.equal(await files.list('kept'), ['file'])
  }),
)

test(
  'directories are made once and with their mode',
  onServer({}, async (server) => {
    const { files } = server.host()
    await files.makeDirectory('a/b', 0o700)
    await files.makeDirectory('a/b', 0o755)
    assert.is(statSync(join(server.directory, 'a/b')).mode & 0o777, 0o700)
    await files.write('file', Buffer.alloc(0), 0o644)
    assert.is((await failureOf(files.makeDirectory('file'))).reason, 'refused')
    assert.ok(await files.exists('a/b'))
  }),
)

test(
  'a rename replaces a file',
  onServer({}, async (server) => {
    const { files } = server.host()
    await files.write('a', Buffer.from('a'), 0o644)
    await files.write('b', Buffer.from('b'), 0o644)
    await files.rename('a', 'b')
    assert.equal(await files.list(''), ['b'])
    assert.is((await failureOf(files.rename('nothing', 'b'))).reason, 'refused')
  }),
)

test('a path never leads out of the directory', () => {
  assert.is(pathBelow('/opt/x', 'a/../b/'), '/opt/x/b')
  assert.is(pathBelow('/opt/x', ''), '/opt/x')
  for (const path of ['..', '../y', '/etc/passwd', 'a/../../x2']) assert.throws(() => pathBelow('/opt/x', path), /is not below/)
})

test(
  'a directory that may not be written is given with a remedy',
  onServer({}, async (server) => {
    server.intercept = (operation) => (operation === 'MKDIR' ? status.permissionDenied : undefined)
    const failure = await failureOf(server.host().files.write('file', Buffer.alloc(0), 0o644))
    assert.match(failure.message, /permission denied for deploy/)
    assert.is(failure.remedy, `give deploy the directory: \`sudo install -d -o deploy ${server.directory}\``)
  }),
)

test(
  'a server without posix-rename is not trusted to replace files',
  onServer({}, async (server) => {
    server.intercept = (operation) => (operation === 'RENAME' ? status.unsupported : undefined)
    assert.match((await failureOf(server.host().files.write('file', Buffer.alloc(0), 0o644))).message, /does not support this/)
  }),
)

test(
  'all requests use one channel, also when they come together',
  onServer({}, async (server) => {
    const host = server.host()
    await Promise.all(['a', 'b', 'c'].map((name) => host.files.write(name, Buffer.from(name), 0o644)))
    assert.equal(await host.files.list(''), ['a', 'b', 'c'])
    assert.is(host.stats().sftpChannels, 1)
  }),
)

test(
  'a host without SFTP says so',
  onServer({ refuseSftp: true }, async (server) => {
    const failure = await within(5_000, failureOf(server.host().files.list('')))
    assert.is(failure.reason, 'refused')
    assert.match(failure.message, /cannot use SFTP on node-1/)
  }),
)

/** Answers every request with one packet; what file systems with faults say cannot be had from a healthy one. */
function scripted(answer: (type: number, id: number) => Buffer) {
  return (channel: ServerChannel) => {
    let received = Buffer.alloc(0)
    channel.on('data', (chunk: Buffer) => {
      received = Buffer.concat([received, chunk])
      while (received.length >= 4 && received.length >= 4 + received.readUInt32BE(0)) {
        const reader = new PacketReader(received.subarray(4))
        received = received.subarray(4 + received.readUInt32BE(0))
        const type = reader.byte()
        channel.write(type === sftpType.init ? encodePacket(sftpType.version, [3]) : answer(type, reader.uint32()))
      }
    })
  }
}
const space = (id: number, free: bigint, flags: bigint) =>
  encodePacket(sftpType.extendedReply, [id, 1n, 1n, 1n, free, free, 9n, 9n, 9n, 1n, flags, 255n])

for (const [name, free, flags, words] of [
  ['a full disk', 0n, 0n, /no space left/],
  ['a read-only disk', 9n, 1n, /read-only/],
  ['something else', 9n, 0n, /Failure/],
] as const) {
  const rawSftp = scripted((type, id) =>
    type === sftpType.extended ? space(id, free, flags) : encodePacket(sftpType.status, [id, status.failure, 'Failure', '']),
  )
  test(
    `${name} is recognised, though the protocol has one word for them all`,
    onServer({ rawSftp }, async (server) => {
      assert.match((await within(5_000, failureOf(server.host().files.write('file', Buffer.alloc(0), 0o644)))).message, words)
    }),
  )
}

test(
  'a start-up file that prints is recognised',
  onServer({ rawSftp: (channel) => channel.write('Welcome to node-1, today is a fine day\n') }, async (server) => {
    assert.match(
      (await within(5_000, failureOf(server.host().files.list('')))).message,
      /not SFTP: does a start-up file of its shell print something/,
    )
  }),
)

test(
  'an SFTP server that ends at once is not waited for',
  onServer({ rawSftp: (channel) => channel.end() }, async (server) => {
    assert.match((await within(5_000, failureOf(server.host().files.list('')))).message, /the SFTP server ended/)
  }),
)

test(
  'answers that make no sense are failures',
  onServer({ rawSftp: scripted((_, id) => encodePacket(sftpType.data, [id, 'x'])) }, async (server) => {
    assert.match((await within(5_000, failureOf(server.host().files.list('')))).message, /unexpected answer of type 103/)
  }),
)

test('a packet that ends early is refused', () => {
  assert.throws(() => new PacketReader(Buffer.of(0, 0, 0, 9, 1)).bytes(), /ends early/)
})

test('attributes are read with all their parts', () => {
  const packet = encodePacket(1, [0x8000000f, 5n, 0, 0, 0o100644, 11, 12, 1, 'a', 'b', 77]).subarray(5)
  const reader = new PacketReader(packet)
  assert.equal(reader.attributes(), { size: 5, mode: 0o100644, modified: 12 })
  assert.is(reader.uint32(), 77)
  assert.ok(reader.isAtEnd)
})

test(
  'a request on a lost channel is a failure, not a wait',
  onServer({}, async (server) => {
    const host = server.host()
    await host.files.list('')
    await host.close()
    await rejects(within(5_000, host.files.list('')), /closed by its owner/)
  }),
)

test.run()
