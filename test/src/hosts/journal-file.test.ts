import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { createJournalFile } from '../../../src/hosts/journal-file.ts'
import { resolveConnection } from '../../../src/hosts/ssh-config.ts'
import { SshConnection } from '../../../src/hosts/ssh-connection.ts'
import { SftpSession } from '../../../src/hosts/ssh-sftp-session.ts'
import { onServer, type SshServer } from '../../support/ssh-server.ts'

const test = suite('src/hosts/journal-file')

function fileOn(server: SshServer, directory = server.directory) {
  const address = { name: 'node-1', address: '127.0.0.1', port: server.port, user: 'deploy', roles: [] }
  const sources = { homeDirectory: server.home, projectDirectory: server.home, env: {}, knownHosts: [server.knownHosts] }
  const signal = new AbortController().signal
  const connection = new SshConnection({ name: 'node-1', settings: () => resolveConnection(address, sources), signal })
  return createJournalFile(new SftpSession(connection, directory), directory, 'journal')
}
const text = (bytes: Uint8Array | undefined) => Buffer.from(bytes ?? []).toString()

test(
  'the first line goes out with the question what was there; later ones are appended; the last takes the place of all',
  onServer({}, async (server) => {
    const directory = join(server.directory, 'shop', 'prod')
    const path = join(directory, 'journal')
    const first = fileOn(server, directory)
    assert.is(text(await first.begin(Buffer.from('one\n'))), '')
    let isSent = false
    await first.append(Buffer.from('two\n'), () => {
      isSent = true
    })
    assert.ok(isSent)
    const second = fileOn(server, directory)
    assert.is(text(await second.begin(Buffer.from('three\n'))), 'one\ntwo\n')
    assert.is(readFileSync(path, 'utf8'), 'one\ntwo\nthree\n')
    await second.replace(Buffer.from('end\n'))
    assert.is(readFileSync(path, 'utf8'), 'end\n')
    await fileOn(server, directory).append(Buffer.from('more\n'), () => {})
    assert.is(readFileSync(path, 'utf8'), 'end\nmore\n')
  }),
)

test(
  'a long one is read whole, and one that is far too long not at all',
  onServer({}, async (server) => {
    mkdirSync(server.directory, { recursive: true })
    const long = 'x'.repeat(150_000)
    writeFileSync(join(server.directory, 'journal'), long)
    assert.is(text(await fileOn(server).begin(Buffer.from('!'))), long)
    writeFileSync(join(server.directory, 'journal'), 'x'.repeat(1_100_000))
    assert.is(await fileOn(server).begin(Buffer.from('!')), undefined)
  }),
)

test(
  'set aside, it is begun anew',
  onServer({}, async (server) => {
    const file = fileOn(server)
    await file.begin(Buffer.from('one\n'))
    await file.setAside('journal.damaged')
    assert.not.ok(existsSync(join(server.directory, 'journal')))
    assert.is(text(await file.begin(Buffer.from('two\n'))), '')
    assert.is(readFileSync(join(server.directory, 'journal.damaged'), 'utf8'), 'one\n')
  }),
)

test.run()
