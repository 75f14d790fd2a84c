import { createHmac } from 'node:crypto'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import {
  hostKeyAlgorithms,
  hostKeyFingerprint,
  keyType,
  knownHostsLine,
  parseKnownHosts,
  verifyHostKey,
} from '../../../src/hosts/known-hosts.ts'

const test = suite('src/hosts/known-hosts')

/** Not a usable key, but the shape of one on the wire. */
function key(type: string, content: string): Buffer {
  const field = (text: string) => Buffer.concat([Buffer.of(0, 0, 0, text.length), Buffer.from(text)])
  return Buffer.concat([field(type), field(content)])
}
const ed = key('ssh-ed25519', 'one')
const otherEd = key('ssh-ed25519', 'two')
const rsa = key('ssh-rsa', 'three')
const line = (hosts: string, bytes: Buffer) => `${hosts} ${keyType(bytes)} ${bytes.toString('base64')}`
const hashed = (name: string) => {
  const salt = Buffer.from('salt of twenty bytes')
  return `|1|${salt.toString('base64')}|${createHmac('sha1', salt).update(name).digest('base64')}`
}

const cases: readonly [name: string, text: string, host: string, port: number, key: Buffer, expected: string][] = [
  ['a plain name', line('a.example', ed), 'a.example', 22, ed, 'known'],
  ['names are case-insensitive', line('A.Example', ed), 'a.eXample', 22, ed, 'known'],
  ['a list of names', line('x,a.example,10.0.0.1', ed), '10.0.0.1', 22, ed, 'known'],
  ['another host', line('b.example', ed), 'a.example', 22, ed, 'unknown'],
  ['no file', '', 'a.example', 22, ed, 'unknown'],
  ['a comment is no entry', `# ${line('a.example', ed)}`, 'a.example', 22, ed, 'unknown'],
  ['a comment after the key', `${line('a.example', ed)} anna@laptop`, 'a.example', 22, ed, 'known'],
  ['tabs and carriage returns', `${line('a.example', ed).replaceAll(' ', '\t')}\r`, 'a.example', 22, ed, 'known'],
  ['a port needs brackets', line('a.example', ed), 'a.example', 2222, ed, 'unknown'],
  ['a name with a port', line('[a.example]:2222', ed), 'a.example', 2222, ed, 'known'],
  ['the usual port in brackets', line('[a.example]:22', ed), 'a.example', 22, ed, 'known'],
  ['a port that is not this one', line('[a.example]:2222', ed), 'a.example', 22, ed, 'unknown'],
  ['an IPv6 address', line('[2001:db8::1]:2222', ed), '2001:db8::1', 2222, ed, 'known'],
  ['a glob', line('*.example', ed), 'a.example', 22, ed, 'known'],
  ['a question mark is one character', line('node-?', ed), 'node-12', 22, ed, 'unknown'],
  ['a dot is a dot', line('a.example', ed), 'axexample', 22, ed, 'unknown'],
  ['a negated name', line('*.example,!b.example', ed), 'b.example', 22, ed, 'unknown'],
  ['a negation alone matches nothing', line('!b.example', ed), 'a.example', 22, ed, 'unknown'],
  ['a hashed name', line(hashed('a.example'), ed), 'a.example', 22, ed, 'known'],
  ['a hashed name in capitals here', line(hashed('a.example'), ed), 'A.EXAMPLE', 22, ed, 'known'],
  ['another hashed name', line(hashed('b.example'), ed), 'a.example', 22, ed, 'unknown'],
  ['a hashed name with a port', line(hashed('[a.example]:2222'), ed), 'a.example', 2222, ed, 'known'],
  ['a hash of an unknown kind', line('|2|c2FsdA==|aGFzaA==', ed), 'a.example', 22, ed, 'unknown'],
  ['another key of the same kind', line('a.example', otherEd), 'a.example', 22, ed, 'changed'],
  ['a key of another kind only', line('a.example', ed), 'a.example', 22, rsa, 'changed'],
  ['one of several keys', `${line('a.example', otherEd)}\n${line('a.example', ed)}`, 'a.example', 22, ed, 'known'],
  ['a revoked key', `@revoked ${line('*', ed)}`, 'a.example', 22, ed, 'revoked'],
  ['revoked wins over known', `${line('a.example', ed)}\n@revoked ${line('a.example', ed)}`, 'a.example', 22, ed, 'revoked'],
  ['another key was revoked', `@revoked ${line('*', otherEd)}`, 'a.example', 22, ed, 'unknown'],
  ['a certificate authority trusts no plain key', `@cert-authority ${line('*', ed)}`, 'a.example', 22, ed, 'unknown'],
  ['a marker nobody knows', `@trusted ${line('a.example', ed)}`, 'a.example', 22, ed, 'unknown'],
  ['a type that is not that of the key', `a.example ssh-rsa ${ed.toString('base64')}`, 'a.example', 22, ed, 'unknown'],
  ['a line cut short', 'a.example ssh-ed25519', 'a.example', 22, ed, 'unknown'],
  ['rubbish for a key', 'a.example ssh-ed25519 %%%', 'a.example', 22, ed, 'unknown'],
]

for (const [name, text, host, port, shown, expected] of cases) {
  test(`${name}: ${expected}`, () => assert.is(verifyHostKey(host, port, shown, [{ path: 'known', text }]).status, expected))
}

test('the first file that knows the host decides, and a revocation anywhere', () => {
  const pin = { path: 'pin', text: line('a.example', otherEd) }
  const user = { path: 'user', text: line('a.example', ed) }
  assert.is(verifyHostKey('a.example', 22, ed, [pin, user]).status, 'changed')
  assert.is(verifyHostKey('a.example', 22, ed, [user, pin]).status, 'known')
  assert.is(verifyHostKey('a.example', 22, ed, [{ path: 'empty', text: '' }, user]).status, 'known')
  assert.is(verifyHostKey('a.example', 22, ed, [user, { path: 'last', text: `@revoked ${line('*', ed)}` }]).status, 'revoked')
})

test('a verdict says where', () => {
  const verdict = verifyHostKey('a.example', 22, ed, [{ path: 'known', text: `\n${line('a.example', otherEd)}` }])
  assert.is(verdict.status, 'changed')
  if (verdict.status === 'changed')
    assert.equal(
      verdict.expected.map(({ file, line: at }) => [file, at]),
      [['known', 2]],
    )
  const unknown = verifyHostKey('a.example', 22, ed, [{ path: 'known', text: `@cert-authority ${line('*.example', rsa)}` }])
  assert.is(unknown.status === 'unknown' && unknown.authority?.line, 1)
})

test('algorithms of known keys are offered first, and SHA-1 never', () => {
  const files = [{ path: 'known', text: line('a.example', rsa) }]
  assert.equal(hostKeyAlgorithms('a.example', 22, files).slice(0, 3), ['rsa-sha2-512', 'rsa-sha2-256', 'ssh-ed25519'])
  assert.is(hostKeyAlgorithms('b.example', 22, files)[0], 'ssh-ed25519')
  assert.not.ok(hostKeyAlgorithms('a.example', 22, files).includes('ssh-rsa'))
})

test('the line to add makes the key known', () => {
  for (const port of [22, 2222]) {
    const text = knownHostsLine('A.example', port, ed)
    assert.is(verifyHostKey('a.example', port, ed, [{ path: 'new', text }]).status, 'known')
    assert.is(parseKnownHosts({ path: 'new', text }).length, 1)
  }
})

test('a fingerprint is what ssh-keygen prints', () => {
  const github = 'AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl'
  assert.is(hostKeyFingerprint(Buffer.from(github, 'base64')), 'SHA256:+DiY3wvvV6TuJJhbpZisF/zLDA0zPMSvHdkr4UvCOqU')
})

test('what is no key has no type', () => {
  for (const bytes of [Buffer.alloc(0), Buffer.of(0, 0, 0, 9, 1)]) assert.is(keyType(bytes), '')
})

test.run()
