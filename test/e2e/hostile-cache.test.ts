/** A shared cache that somebody evil runs: whatever it serves, nothing but declared outputs is touched, and those only with what may be there. */
import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { sealEntry, signingKey } from '../../cache/signed-entry.ts'
import { digestOf } from '../../graph/fingerprint.ts'
import type { Fingerprint } from '../../graph/types.ts'
import { type Checkout, checkout, type Ended } from '../support/checkouts.ts'
import { inDirectory } from '../support/directory.ts'
import { serveHttp } from '../support/loopback.ts'

const test = suite('e2e/hostile-cache')
const key = 'k'.repeat(32)
const payload = Buffer.from('#!/bin/sh\necho evil > ../pwned\n')
const evil = { digest: digestOf(payload), executable: true, mode: 0o755 }
const honest = { digest: digestOf('honest\n'), executable: false, mode: 0o644 }

const files = {
  'stagecraft.yml': `project: {name: shop}
tasks:
  make: {command: "echo make >> ran; mkdir -p out; echo honest > out/a", inputs: [schema], outputs: ["out/**"]}
`,
  schema: 'type A\n',
  'out-of-bounds': 'mine\n',
  '.git/config': '',
}

type Result = Readonly<Record<string, unknown>>

/** A run against a server that answers every look-up with this result, signed as if a trusted machine had made it. */
async function served(result: Result, prepare: (parent: string, victim: Checkout) => void, look: (parts: Parts) => void): Promise<void> {
  await inDirectory(async (parent) => {
    const server = await serveHttp((request, response) => {
      const [, kind, name = ''] = (request.url ?? '').split('/')
      if (kind === 'cas') return void response.end(name === evil.digest ? payload : 'honest\n')
      const sizes = { [evil.digest]: payload.length, [honest.digest]: 7 }
      const text = JSON.stringify({ schema: 1, fingerprint: name, result: { values: {}, files: {}, ...result }, sizes })
      response.end(sealEntry(name as Fingerprint, text, [signingKey(key)]))
    })
    try {
      const victim = checkout(parent, 'victim', files)
      prepare(parent, victim)
      const env = { STAGECRAFT_REMOTE_CACHE: `http://${server.address}`, STAGECRAFT_REMOTE_CACHE_KEY: key }
      look({ parent, victim, ended: await victim.run(['run', 'make'], env) })
    } finally {
      await server.close()
    }
  })
}

interface Parts {
  readonly parent: string
  readonly victim: Checkout
  readonly ended: Ended
}

test('the server itself is able: an honest entry is taken', () =>
  served(
    { files: { 'out/a': honest } },
    () => {},
    ({ victim, ended }) => {
      assert.is(ended.code, 0, ended.stderr)
      assert.equal(victim.ran(), [])
    },
  ))

const attacks: readonly (readonly [what: string, result: Result])[] = [
  ['a path that climbs out', { files: { 'out/a': honest, '../pwned': evil } }],
  ['a path that climbs out of an output', { files: { 'out/a': honest, 'out/../../pwned': evil } }],
  ['an absolute path', { files: { 'out/a': honest, '/tmp/stagecraft-pwned': evil } }],
  ['a hook of git', { files: { 'out/a': honest, '.git/hooks/pre-commit': evil } }],
  ['a hook of git in other letters', { files: { 'out/a': honest, '.GIT/hooks/pre-commit': evil } }],
  ['a hook of git below an output', { files: { 'out/a': honest, 'out/.git/hooks/pre-commit': evil } }],
  ['our own state', { files: { 'out/a': honest, '.stagecraft/run/state': evil } }],
  ['the manifest', { files: { 'out/a': honest, 'stagecraft.yml': evil } }],
  ['what the task did not declare', { files: { 'out/a': honest, 'out-of-bounds': evil } }],
  ['a new file that the task did not declare', { files: { 'out/a': honest, 'lib/new': evil } }],
  ['a folder that the task did not declare', { files: { 'out/a': honest }, folders: ['lib'] }],
  ['a link that the task did not declare', { files: { 'out/a': honest }, links: { lib: 'out' } }],
  ['a link that leads out', { files: { 'out/a': honest }, links: { 'out/link': '../..' } }],
  ['a link to anywhere', { files: { 'out/a': honest }, links: { 'out/link': '/etc' } }],
  ['a file through a link', { files: { 'out/a': honest, 'out/link/pwned': evil }, links: { 'out/link': '../..' } }],
  ['a file through a harmless link', { files: { 'out/a': honest, 'out/link/config': evil }, links: { 'out/link': '../.git' } }],
  ['a setuid program', { files: { 'out/a': { ...evil, mode: 0o4755 } } }],
  ['a key of every object', JSON.parse('{"files": {"__proto__": {"digest": "x"}, "out/__proto__/a": {"executable": true}}}') as Result],
]

for (const [what, result] of attacks)
  test(`${what} is refused: the task runs, and nothing else changes`, () =>
    served(
      result,
      () => {},
      ({ parent, victim, ended }) => {
        assert.is(ended.code, 0, ended.stderr)
        assert.equal(victim.ran(), ['make'])
        assert.match(ended.stderr, /warning: .* cannot be used|which is none of this task's outputs/)
        assert.equal(readdirSync(parent), ['victim'])
        assert.not(existsSync('/tmp/stagecraft-pwned'))
        assert.equal(readdirSync(victim.directory).sort(), [
          '.git',
          '.stagecraft',
          'out',
          'out-of-bounds',
          'ran',
          'schema',
          'stagecraft.yml',
        ])
        assert.equal(Object.keys(victim.tree('.git')), ['config'])
        assert.equal(Object.keys(victim.tree('out')), ['a'])
        for (const [path, text] of Object.entries({ ...files, 'out/a': 'honest\n' }))
          assert.is(readFileSync(join(victim.directory, path), 'utf8'), text)
      },
    ))

test('nothing is written through a folder of the checkout that is a link to elsewhere', () =>
  served(
    { files: { 'out/a': honest, 'out/deep/b': evil } },
    (parent, victim) => {
      mkdirSync(join(parent, 'elsewhere'))
      writeFileSync(join(parent, 'elsewhere', 'precious'), 'kept')
      symlinkSync('../elsewhere', join(victim.directory, 'out'))
    },
    ({ parent }) => {
      assert.is(readFileSync(join(parent, 'elsewhere', 'precious'), 'utf8'), 'kept')
      assert.not(existsSync(join(parent, 'elsewhere', 'deep')))
    },
  ))

test.run()
