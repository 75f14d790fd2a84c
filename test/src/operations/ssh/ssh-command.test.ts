import { execFileSync } from 'node:child_process'
import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { printable, remoteLine, sshCommand } from '../../../../src/operations/ssh/ssh-command.ts'
import { hostsCalled } from '../../../../src/operations/ssh/ssh-hosts.ts'
import { sshTarget } from '../../../../src/operations/ssh/ssh-target.ts'

const test = suite('src/operations/ssh/ssh-command')
const words = fc.array(fc.string({ unit: fc.constantFrom(...' \'"\\$`;&|<>*?~#!(){}[]\n\tabc=-é') }), { minLength: 1, maxLength: 5 })
const shell = (line: string) => execFileSync('sh', ['-s'], { input: line, encoding: 'utf8' })

test('a shell on the other side sees the words as they were given', () => {
  fc.assert(
    fc.property(words, (argv) => {
      assert.is(shell(remoteLine(['printf', '%s\\0', ...argv])), `${argv.join('\0')}\0`)
    }),
    { numRuns: 40 },
  )
})

test('a printed command line means the same words in a shell', () => {
  fc.assert(
    fc.property(words, (argv) => {
      assert.is(shell(printable(['printf', '%s\\0', ...argv])), `${argv.join('\0')}\0`)
    }),
    { numRuns: 40 },
  )
})

test('what the manifest says becomes options, and never one where a host is expected', () => {
  const target = {
    address: '-oProxyCommand=reboot',
    user: 'a;b',
    port: 2222,
    identityFile: '/keys/50%',
    jump: 'anna@bastion:2222',
    knownHostsFiles: ['/a b/known', '/c'],
  }
  const argv = sshCommand(target, [])
  assert.equal(argv, [
    'ssh',
    ...['-o', 'StrictHostKeyChecking=yes', '-o', 'UserKnownHostsFile="/a b/known" "/c"'],
    ...['-l', 'a;b', '-p', '2222', '-i', '/keys/50%%', '-J', 'anna@bastion:2222', '--', '-oProxyCommand=reboot'],
  ])
})

test('a program is one word after the host; a terminal is asked for or had none', () => {
  const target = { address: 'h', knownHostsFiles: [] }
  assert.equal(sshCommand(target, ['ls', '$(id)']).slice(-2), ['h', "'ls' '$(id)'"])
  assert.ok(sshCommand(target, ['ls'], 'ask').includes('-t') && sshCommand(target, ['ls'], 'none').includes('-T'))
})

test('paths of the manifest start at the project or at home', () => {
  const host = { name: 'n', address: 'h', user: 'deploy', identityFile: 'keys/id', roles: [] }
  const sources = { projectDirectory: '/p', homeDirectory: '/home/a' }
  const { identityFile, knownHostsFiles, user } = sshTarget(host, { knownHosts: ['k', '~/.ssh/known_hosts', '/etc/k'] }, sources)
  assert.equal([identityFile, knownHostsFiles, user], ['/p/keys/id', ['/p/k', '/home/a/.ssh/known_hosts', '/etc/k'], 'deploy'])
  assert.is(sshTarget(host, { knownHosts: [] }, sources, 'root').user, 'root')
})

const hosts = [
  { name: 'b', address: '2', roles: ['app'] },
  { name: 'a', address: '1', roles: ['app', 'db'] },
  { name: 'db', address: '3', roles: [] },
]
for (const [word, found] of [
  ['b', ['b']],
  ['app', ['a', 'b']],
  // A name wins over a role.
  ['db', ['db']],
] as const)
  test(`\`${word}\` means ${found.join(' and ')}`, () => {
    const checked = hostsCalled(word, hosts)
    assert.equal(checked.ok && checked.value.map(({ name }) => name), found)
  })

test('an unknown word is answered with what there is', () => {
  const checked = hostsCalled('ap', hosts)
  assert.not(checked.ok)
  if (!checked.ok) assert.equal([checked.diagnostics[0]?.code, checked.diagnostics[0]?.suggestion], ['SC3160', 'app'])
})

test.run()
