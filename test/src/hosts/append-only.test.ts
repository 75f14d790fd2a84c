import { readdirSync, readFileSync, truncateSync } from 'node:fs'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { auditFile, createAudit, readAudit } from '../../../src/audit/audit.ts'
import { createAppendOnly } from '../../../src/hosts/append-only.ts'
import { resolveConnection } from '../../../src/hosts/ssh-config.ts'
import { SshConnection } from '../../../src/hosts/ssh-connection.ts'
import { SftpSession } from '../../../src/hosts/ssh-sftp-session.ts'
import { onServer, type SshServer } from '../../support/ssh-server.ts'

const test = suite('src/hosts/append-only')

function filesOn(server: SshServer, directory = server.directory) {
  const address = { name: 'node-1', address: '127.0.0.1', port: server.port, user: 'deploy', roles: [] }
  const sources = { homeDirectory: server.home, projectDirectory: server.home, env: {}, knownHosts: [server.knownHosts] }
  const signal = new AbortController().signal
  const connection = new SshConnection({ name: 'node-1', settings: () => resolveConnection(address, sources), signal })
  return createAppendOnly(new SftpSession(connection, directory), directory)
}

const who = { user: 'anna', machine: 'laptop' }
function auditOn(server: SshServer, directory = server.directory) {
  const warnings: string[] = []
  const files = filesOn(server, directory)
  const redact = (text: string) => text.replaceAll('hunter2', '***')
  return { warnings, files, audit: createAudit(() => files, { who, redact, warn: (message) => warnings.push(message) }) }
}

test(
  'lines are added one after the other, at the time of the host, and nothing else is left',
  onServer({}, async (server) => {
    const { audit, files } = auditOn(server)
    assert.equal(await readAudit(files), { lines: [] })
    await audit.append({ what: 'deploy', result: 'begun' })
    await auditOn(server).audit.append({ what: 'deploy', result: 'done', detail: 'with hunter2' })
    const { lines, broken } = await readAudit(files)
    assert.is(broken, undefined)
    assert.equal(
      lines.map(({ n, what, result, detail }) => [n, what, result, detail]),
      [
        [1, 'deploy', 'begun', undefined],
        [2, 'deploy', 'done', 'with ***'],
      ],
    )
    assert.ok(Math.abs(Date.parse(lines[0]?.at ?? '') - Date.now()) < 60_000)
    assert.equal(readdirSync(server.directory).sort(), [auditFile, `${auditFile}.head`])
  }),
)

test(
  'folders that are missing are made',
  onServer({}, async (server) => {
    const { audit, files, warnings } = auditOn(server, join(server.directory, 'shop', 'prod'))
    await audit.append({ what: 'deploy', result: 'done' })
    assert.equal(warnings, [])
    assert.is((await readAudit(files)).lines.length, 1)
  }),
)

test(
  'a file that was cut is told and never begun anew',
  onServer({}, async (server) => {
    const { audit, files } = auditOn(server)
    for (let n = 0; n < 3; n++) await audit.append({ what: 'deploy', result: 'done' })
    const path = join(server.directory, auditFile)
    const first = readFileSync(path, 'utf8').split('\n')[0] ?? ''
    truncateSync(path, Buffer.byteLength(first) + 1)
    assert.is((await readAudit(files)).broken?.line, 2)
    await audit.append({ what: 'deploy', result: 'done' })
    const { lines, broken } = await readAudit(files)
    assert.is(broken?.line, 2)
    assert.equal(
      lines.map(({ n }) => n),
      [1, 4],
    )
  }),
)

test('an audit that cannot be written is a warning', async () => {
  const warnings: string[] = []
  const broken = () => {
    throw new Error('no such host')
  }
  await createAudit(broken, { who, redact: (text) => text, warn: (message) => warnings.push(message) }).append({
    what: 'x',
    result: 'done',
  })
  assert.equal(warnings, ['the audit was not written: no such host'])
})

test.run()
