import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import type { ServerResponse } from 'node:http'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { within } from '../../support/assertions.ts'
import { status } from '../../support/sftp-server.ts'
import { failureOf, onServer, startSshServer } from '../../support/ssh-server.ts'

const test = suite('src/hosts/remote-host')

const row = {
  Id: 'c1',
  Names: ['/shop-prod-web-1'],
  Image: 'web',
  State: 'running',
  Status: 'Up 2 minutes (healthy)',
  Labels: { 'stagecraft.service': 'web', 'stagecraft.hash': 'abc' },
}
const json = (response: ServerResponse, value: unknown) => response.end(JSON.stringify(value))

test('one look is one connection, one engine channel, one SFTP channel, no program and no write', async () => {
  const server = await startSshServer({ engine: (_request, response) => json(response, [row]) })
  try {
    mkdirSync(join(server.directory, 'bundles', 'b1'), { recursive: true })
    writeFileSync(join(server.directory, 'bundles', 'b1', 'docker-compose.yml'), '')
    symlinkSync('bundles/b1', join(server.directory, 'current'))
    symlinkSync('20261123-1 fingerprint', join(server.directory, 'release'))
    symlinkSync(
      '{"owner":"run-1","fence":2,"description":"anna@laptop","machine":"m","pid":1,"startedAt":""}',
      join(server.directory, 'lock'),
    )
    const host = server.host()
    const state = await within(5_000, host.observe())
    assert.equal(
      state.containers.map(({ name, service, health }) => ({ name, service, health })),
      [{ name: 'shop-prod-web-1', service: 'web', health: 'healthy' }],
    )
    assert.is(state.bundle, 'b1')
    assert.is(state.release, '20261123-1 fingerprint')
    assert.equal(state.lock, { owner: 'run-1', fence: 2, description: 'anna@laptop' })
    assert.equal(host.stats(), { connections: 1, execs: 0, sftpChannels: 1, engineChannels: 1, tunnels: 0 })
    assert.equal(server.counts.engineRequests.length, 1)
    assert.equal(
      server.sftpLog.filter((line) => !/^(READLINK|STAT) /.test(line)),
      [],
    )
    assert.equal(server.execs, [])
    assert.is(await host.observe(), await host.observe())
    host.changed()
    await host.observe()
    assert.equal(server.counts.engineRequests.length, 2)
    assert.equal(host.stats().engineChannels, 1)
  } finally {
    await server.close()
  }
})

test(
  'a bundle that is not complete, and files where links should be, are no state',
  onServer({ engine: (_request, response) => json(response, []) }, async (server) => {
    mkdirSync(join(server.directory, 'bundles', 'b1'), { recursive: true })
    symlinkSync('bundles/b1', join(server.directory, 'current'))
    writeFileSync(join(server.directory, 'release'), '')
    assert.equal(await server.host().observe(), { containers: [] })
  }),
)

test(
  'a look that failed is not remembered',
  onServer({ engine: (_request, response) => json(response, []) }, async (server) => {
    const host = server.host()
    mkdirSync(server.directory, { recursive: true })
    server.intercept = (operation) => (operation === 'READLINK' ? status.permissionDenied : undefined)
    assert.match((await failureOf(host.observe())).message, /cannot read .* on node-1 .*permission denied/)
    server.intercept = undefined
    assert.equal(await host.observe(), { containers: [] })
  }),
)

test(
  'a look taken while the host is written to is not kept',
  onServer({ engine: (_request, response) => json(response, []) }, async (server) => {
    const host = server.host()
    const early = host.observe()
    host.changed()
    const late = host.observe()
    await Promise.all([early, late])
    assert.is(server.counts.engineRequests.length, 2)
    assert.is(host.stats().sftpChannels, 1)
  }),
)

test.run()
