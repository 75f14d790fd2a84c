import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { stagecraft } from '../../support/cli.ts'

const example = fileURLToPath(new URL('../../../../docs/examples/shop', import.meta.url))
const test = suite<{ cwd: string }>('src/cli/complete-targets')

test.before.each((context) => {
  context.cwd = mkdtempSync(join(tmpdir(), 'complete-'))
  cpSync(example, context.cwd, { recursive: true })
  writeFileSync(join(context.cwd, '.env.prod'), 'POSTGRES_PASSWORD=a\nDATABASE_URL=postgres://a@db/a\n')
})
test.after.each(({ cwd }) => rmSync(cwd, { recursive: true, force: true }))

const words = async (cwd: string, ...typed: string[]) => {
  const { stdout } = await stagecraft(['__complete', '--', ...typed], { cwd })
  return stdout
    .split('\n')
    .filter(Boolean)
    .map((line) => line.split('\t')[0])
}

test('run is completed with targets and the tasks of the only environment', async ({ cwd }) => {
  assert.equal(await words(cwd, 'run', 'build'), ['build', 'build:api', 'build:web', 'build:worker'])
  assert.equal(await words(cwd, 'run', '--env', 'prod', 'build:api', 'fin'), ['finalize:prod'])
})
test('explain is completed with tasks only', async ({ cwd }) => {
  assert.equal(await words(cwd, 'explain', 'push'), ['push:api', 'push:web', 'push:worker'])
})
test('a manifest that is wrong offers no task and says nothing', async ({ cwd }) => {
  writeFileSync(join(cwd, 'stagecraft.yml'), 'project: [')
  const { stdout, stderr, code } = await stagecraft(['__complete', '--', 'explain', ''], { cwd })
  assert.equal([stdout, stderr, code], ['', '', 0])
})

test.run()
