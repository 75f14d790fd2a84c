import { cpSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { stagecraft } from '../../support/cli.ts'
import { inTemporaryDirectory } from '../../support/temporary-directory.ts'

const test = suite('src/commands/plan')
const example = join(dirname(fileURLToPath(import.meta.url)), '../../../..', 'docs/examples/shop')

function plan(...words: readonly string[]) {
  return inTemporaryDirectory((directory) => {
    cpSync(example, directory, { recursive: true })
    writeFileSync(join(directory, '.env.prod'), '')
    return stagecraft(['plan', '--env', 'prod', '--offline', ...words], { cwd: directory })
  })
}

test('of named services, what a deploy of them does', async () => {
  const { code, stdout, stderr } = await plan('--services', 'worker,db')
  assert.is(code, 0, stderr)
  const ids = [...stdout.matchAll(/^ +\d+\. (\S+)/gm)].map(([, id]) => id)
  for (const id of ['build:worker', 'rollout:worker@203.0.113.7', 'rollout:db@203.0.113.7']) assert.ok(ids.includes(id), id)
  assert.ok(ids.includes('finalize:prod'), 'what a deploy of a part does')
  assert.not.ok(ids.includes('rollout:web@203.0.113.7'))
})

test('services that do not exist are named, with the nearest that does', async () => {
  const { code, stderr } = await plan('--services', 'wbe,api,prod')
  assert.is(code, 1)
  assert.match(stderr, 'no service is called `wbe`: expected one of api, db, web, worker')
  assert.match(stderr, 'did you mean `web`?')
  assert.match(stderr, 'no service is called `prod`')
})

test('of named hosts, what a deploy to them does', async () => {
  const there = await plan('--host', '203.0.113.7')
  assert.is(there.code, 0, there.stderr)
  assert.match(there.stdout, 'rollout:web@203.0.113.7')
  const elsewhere = await plan('--host', 'node-9')
  assert.is(elsewhere.code, 1)
  assert.match(elsewhere.stderr, 'no host is called `node-9`')
})

test.run()
