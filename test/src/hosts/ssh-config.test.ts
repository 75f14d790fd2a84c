import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { HostAddress } from '../../../src/contracts.ts'
import { type ConnectionSettings, type ConnectionSources, connectionSettings, resolveConnection } from '../../../src/hosts/ssh-config.ts'
import { rejects } from '../../support/assertions.ts'

const test = suite('src/hosts/ssh-config')

const sources: ConnectionSources = {
  homeDirectory: '/home/anna',
  projectDirectory: '/work/shop',
  env: { SSH_AUTH_SOCK: '/agent', OTHER: '/other' },
  knownHosts: ['stagecraft.known_hosts', '~/.ssh/known_hosts'],
}
const host = (more: Partial<HostAddress> = {}): HostAddress => ({ name: 'node-1', address: 'web', roles: [], ...more })

test('without a configuration the defaults of OpenSSH hold', () => {
  assert.equal(connectionSettings(host(), '', sources), {
    name: 'node-1',
    hostName: 'web',
    port: 22,
    user: userInfo().username,
    hostKeyName: 'web',
    identityFiles: ['/home/anna/.ssh/id_ed25519', '/home/anna/.ssh/id_ecdsa', '/home/anna/.ssh/id_rsa'],
    identitiesNamed: false,
    identitiesOnly: false,
    agentSocket: '/agent',
    knownHostsFiles: ['/work/shop/stagecraft.known_hosts', '/home/anna/.ssh/known_hosts'],
    jumps: [],
  })
})

const cases: readonly [name: string, config: string, host: Partial<HostAddress>, expected: Partial<ConnectionSettings>][] = [
  [
    'an alias',
    'Host web\n  HostName 203.0.113.7\n  User deploy\n  Port 2222',
    {},
    { hostName: '203.0.113.7', user: 'deploy', port: 2222, hostKeyName: '203.0.113.7' },
  ],
  ['keywords in any case and with =', 'host web\n  hostname=203.0.113.7\n  PORT = 2222', {}, { hostName: '203.0.113.7', port: 2222 }],
  ['a wildcard', 'Host w*\n  User wild', {}, { user: 'wild' }],
  ['a negated pattern', 'Host * !web\n  User other\nHost *\n  User last', {}, { user: 'last' }],
  ['the first value wins', 'Host web\n  User first\nHost *\n  User second', {}, { user: 'first' }],
  ['lines before the first Host', 'User early\nHost *\n  User late', {}, { user: 'early' }],
  ['the manifest wins', 'Host web\n  User deploy\n  Port 2222', { user: 'anna', port: 2200 }, { user: 'anna', port: 2200 }],
  ['Match user', 'Match user anna\n  Port 2200', { user: 'anna' }, { port: 2200 }],
  ['%h', 'Host web\n  HostName %h.example', {}, { hostName: 'web.example' }],
  ['HostKeyAlias', 'Host web\n  HostKeyAlias pinned', {}, { hostKeyName: 'pinned' }],
  [
    'identity files',
    'Host web\n  IdentityFile ~/.ssh/a\n  IdentityFile "%d/keys/%r"\n  IdentitiesOnly yes\n  User deploy',
    {},
    { identityFiles: ['/home/anna/.ssh/a', '/home/anna/keys/deploy'], identitiesNamed: true, identitiesOnly: true },
  ],
  [
    "the manifest's identity comes first",
    'Host web\n  IdentityFile ~/.ssh/a',
    { identityFile: 'keys/deploy' },
    { identityFiles: ['/work/shop/keys/deploy', '/home/anna/.ssh/a'] },
  ],
  ["an agent's path", 'Host web\n  IdentityAgent "~/Library/agent.sock"', {}, { agentSocket: '/home/anna/Library/agent.sock' }],
  ['an agent by variable', 'Host web\n  IdentityAgent $OTHER', {}, { agentSocket: '/other' }],
  ['an agent by name', 'Host web\n  IdentityAgent SSH_AUTH_SOCK', {}, { agentSocket: '/agent' }],
  [
    'known hosts of the user come last',
    'Host web\n  UserKnownHostsFile ~/.ssh/a /b',
    {},
    { knownHostsFiles: ['/work/shop/stagecraft.known_hosts', '/home/anna/.ssh/known_hosts', '/home/anna/.ssh/a', '/b'] },
  ],
  ['ProxyJump none', 'Host web\n  ProxyJump none\nHost *\n  ProxyJump bastion', {}, { hostName: 'web', jumps: [] }],
  ['no name is looked up', 'Host web\n  CanonicalizeHostname yes\n  CanonicalDomains example.com example.org', {}, { hostName: 'web' }],
]

for (const [name, config, more, expected] of cases) {
  test(`${name} as OpenSSH reads it`, () => {
    const settings = connectionSettings(host(more), config, sources)
    assert.equal(Object.fromEntries(Object.keys(expected).map((key) => [key, settings[key as keyof ConnectionSettings]])), expected)
  })
}

test('no agent when the configuration says none', () => {
  assert.is(connectionSettings(host(), 'Host web\n  IdentityAgent none', sources).agentSocket, undefined)
})

test('a program named by Match exec is not run', () => {
  const file = join(tmpdir(), `stagecraft-never-${process.pid}`)
  connectionSettings(host(), `Match exec "touch ${file}"\n  User x`, sources)
  assert.throws(() => rmSync(file), /ENOENT/)
})

const way = (config: string, more: Partial<HostAddress> = {}) =>
  connectionSettings(host(more), config, sources).jumps.map(({ user, hostName, port }) => `${user}@${hostName}:${port}`)
const me = userInfo().username

for (const [title, config, jump, expected] of [
  ['one machine', 'Host web\n  ProxyJump bastion', undefined, [`${me}@bastion:22`]],
  ['with user and port', 'Host web\n  ProxyJump anna@bastion:2222', undefined, ['anna@bastion:2222']],
  ['as an address', 'Host web\n  ProxyJump ssh://anna@bastion:2222', undefined, ['anna@bastion:2222']],
  [
    'an alias with a section of its own',
    'Host web\n  ProxyJump b\nHost b\n  HostName 203.0.113.1\n  User jump',
    undefined,
    ['jump@203.0.113.1:22'],
  ],
  ['several, in order', 'Host web\n  ProxyJump one,two', undefined, [`${me}@one:22`, `${me}@two:22`]],
  [
    'the first one by its own way, the second never',
    'Host web\n  ProxyJump one,two\nHost one two\n  ProxyJump zero',
    undefined,
    [`${me}@zero:22`, `${me}@one:22`, `${me}@two:22`],
  ],
  ['the manifest wins', 'Host web\n  ProxyJump bastion', 'anna@other', ['anna@other:22']],
  ['the manifest wants none', 'Host web\n  ProxyJump bastion', 'none', []],
  ['the manifest wins over a command, too', 'Host web\n  ProxyCommand nc %h %p', 'other', [`${me}@other:22`]],
] as const) {
  test(`a way through other machines: ${title}`, () => assert.equal(way(config, jump === undefined ? {} : { jump }), expected))
}

test('a way that is not understood, or has no end, is refused in words', () => {
  assert.throws(() => way('Host web\n  ProxyCommand nc %h %p'), /proxycommand/)
  assert.throws(() => way('Host web\n  ProxyJump a b;c'), /node-1 is reached through `a b;c`, expected `\[user@\]address/)
  assert.throws(
    () => way('Host *\n  ProxyJump bastion\nHost bastion\n  ProxyJump web'),
    /the way to web goes in circles: web through bastion through bastion/,
  )
})

test('a configuration that cannot be parsed is named', () => {
  assert.throws(() => connectionSettings(host(), 'Host "web\n', sources), /~\/\.ssh\/config cannot be read/)
})

test('included files count where they are included', async () => {
  const home = mkdtempSync(join(tmpdir(), 'stagecraft-home-'))
  try {
    mkdirSync(join(home, '.ssh', 'conf.d'), { recursive: true })
    writeFileSync(join(home, '.ssh', 'config'), 'Include conf.d/*.conf\nPort 2200\nHost web\n  Include only-web\n  User late\n')
    writeFileSync(join(home, '.ssh', 'conf.d', 'a.conf'), 'Host web\n  HostName 203.0.113.7\nHost nothing\n')
    writeFileSync(join(home, '.ssh', 'conf.d', 'b.txt'), 'User wrong\n')
    writeFileSync(join(home, '.ssh', 'only-web'), 'User deploy\n')
    const settings = await resolveConnection(host(), { ...sources, homeDirectory: home })
    assert.equal([settings.hostName, settings.port, settings.user], ['203.0.113.7', 2200, 'deploy'])
    const other = await resolveConnection(host({ address: 'db', user: 'x' }), { ...sources, homeDirectory: home })
    assert.equal([other.hostName, other.port], ['db', 2200])
  } finally {
    rmSync(home, { recursive: true })
  }
})

test('a configuration that includes itself ends', async () => {
  const home = mkdtempSync(join(tmpdir(), 'stagecraft-home-'))
  try {
    mkdirSync(join(home, '.ssh'))
    writeFileSync(join(home, '.ssh', 'config'), 'Include config\nUser deploy\n')
    assert.is((await resolveConnection(host(), { ...sources, homeDirectory: home })).user, 'deploy')
  } finally {
    rmSync(home, { recursive: true })
  }
})

test('a configuration that is there and cannot be read is a failure', async () => {
  const home = mkdtempSync(join(tmpdir(), 'stagecraft-home-'))
  try {
    mkdirSync(join(home, '.ssh', 'config'), { recursive: true })
    await rejects(resolveConnection(host(), { ...sources, homeDirectory: home }), /cannot be read/)
  } finally {
    rmSync(home, { recursive: true })
  }
})

test.run()
