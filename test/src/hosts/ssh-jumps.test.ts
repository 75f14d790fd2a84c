import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { HostAddress } from '../../../src/contracts.ts'
import { Jumps } from '../../../src/hosts/ssh-jumps.ts'
import { within } from '../../support/assertions.ts'
import { failureOf, type SshServer, startSshServer } from '../../support/ssh-server.ts'

const test = suite('src/hosts/ssh-jumps')

/** A host and the machines before it. The log-in at each is with the one key of the host's home. */
async function behind(machines: number, work: (host: SshServer, before: readonly SshServer[]) => Promise<void>): Promise<void> {
  const servers: SshServer[] = []
  try {
    for (let made = 0; made <= machines; made++) servers.push(await startSshServer())
    const [host, ...before] = servers
    if (!host) throw new Error('no server')
    writeFileSync(host.knownHosts, servers.map(({ knownHosts }) => readFileSync(knownHosts, 'utf8')).join(''))
    await within(20_000, work(host, before))
  } finally {
    for (const server of servers) await server.close()
  }
}
const address = (host: SshServer, before: readonly SshServer[], name = 'node-1'): HostAddress => ({
  ...{ name, address: '127.0.0.1', port: host.port, user: 'deploy', roles: [] },
  jump: before.map(({ port }) => `jump@127.0.0.1:${port}`).join(','),
})
const connections = (servers: readonly SshServer[]) => servers.map(({ counts }) => counts.connections)

test('programs and files of a host behind two others, over one connection to each', () =>
  behind(2, async (host, before) => {
    const remote = host.host({ address: address(host, before) })
    const exits = await Promise.all(['one', 'two'].map((word) => remote.run({ argv: ['echo', word] })))
    assert.equal(
      exits.map(({ stdout }) => stdout),
      ['one\n', 'two\n'],
    )
    assert.equal(await remote.files.list(''), [])
    assert.equal(connections([host, ...before]), [1, 1, 1])
    assert.equal(
      before.map(({ execs }) => execs),
      [[], []],
      'nothing is run on the way',
    )
  }))

test('hosts behind the same machine share the connection to it', () =>
  behind(1, async (host, before) => {
    const jumps = new Jumps({ signal: new AbortController().signal })
    const remotes = ['node-1', 'node-2'].map((name) => host.host({ address: address(host, before, name), jumps }))
    for (const exit of await Promise.all(remotes.map((remote) => remote.run({ argv: ['true'] })))) assert.is(exit.code, 0)
    assert.equal(connections([host, ...before]), [2, 1])
    await Promise.all(remotes.map((remote) => remote.close()))
    await jumps.close()
  }))

test('the key of the machine on the way is verified, and it is the one that is named', () =>
  behind(1, async (host, before) => {
    writeFileSync(host.knownHosts, `${host.hostKeyLines[0]}\n`)
    const failure = await failureOf(host.host({ address: address(host, before) }).run({ argv: ['true'] }))
    assert.is(failure.reason, 'refused')
    assert.match(failure.message, `host key of 127.0.0.1 (jump@127.0.0.1:${before[0]?.port}) is not known`)
    assert.equal(connections([host]), [0], 'nothing went on to the host')
  }))

test('the key of the host is verified through the machine on the way', () =>
  behind(1, async (host, before) => {
    writeFileSync(host.knownHosts, `${before[0]?.hostKeyLines[0]}\n`)
    const failure = await failureOf(host.host({ address: address(host, before) }).run({ argv: ['true'] }))
    assert.match(failure.message, `host key of node-1 (deploy@127.0.0.1:${host.port}) is not known`)
  }))

test('a host that the machine on the way cannot reach: both are named', () =>
  behind(1, async (host, before) => {
    const nowhere = { ...address(host, before), port: 1 }
    const failure = await failureOf(host.host({ address: nowhere }).run({ argv: ['true'] }))
    assert.is(failure.reason, 'unreachable')
    assert.match(
      failure.message,
      /^127\.0\.0\.1 \(jump@127\.0\.0\.1:\d+\), through which node-1 is reached, has no way to 127\.0\.0\.1:1: /,
    )
  }))

test('a machine on the way that is not there', () =>
  behind(1, async (host, before) => {
    const nowhere = { ...address(host, before), jump: 'jump@127.0.0.1:1' }
    const failure = await failureOf(host.host({ address: nowhere }).run({ argv: ['true'] }))
    assert.is(failure.reason, 'unreachable')
    assert.match(failure.message, /127\.0\.0\.1 \(jump@127\.0\.0\.1:1\) refused the connection/)
  }))

test('a way that was cut is made again by the next operation', () =>
  behind(1, async (host, before) => {
    const remote = host.host({ address: address(host, before) })
    assert.is((await remote.run({ argv: ['true'] })).code, 0)
    const waiting = failureOf(remote.run({ argv: ['sh', '-c', 'echo here; sleep 30'] }, () => before[0]?.cut()))
    assert.is((await waiting).reason, 'unreachable')
    assert.is((await remote.run({ argv: ['true'] })).code, 0)
    assert.equal(connections([host, ...before]), [2, 2])
  }))

test('what ~/.ssh/config says is followed', () =>
  behind(1, async (host, before) => {
    const lines = [
      'Host 127.0.0.1',
      `  ProxyJump bastion`,
      'Host bastion',
      '  HostName 127.0.0.1',
      '  User jump',
      `  Port ${before[0]?.port}`,
    ]
    writeFileSync(join(host.home, '.ssh', 'config'), `${lines.join('\n')}\n`)
    const { jump: _, ...direct } = address(host, before)
    assert.is((await host.host({ address: direct }).run({ argv: ['true'] })).code, 0)
    assert.equal(connections([host, ...before]), [1, 1])
  }))

test.run()
