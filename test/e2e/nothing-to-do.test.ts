import { spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'

const test = suite('e2e/nothing-to-do')
const bin = fileURLToPath(new URL('../../../bin', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'stagecraft-nothing-'))
test.after(() => rmSync(folder, { recursive: true }))

const manifest = `project: {name: demo}
environments: {dev: {}}
tasks:
  copy: {command: [sh, -c, "cat src/* > out/all"], inputs: ["src/**"], outputs: [out/all], env: [MODE], tools: [[node, --version]]}
  count: {command: [sh, -c, "wc -c < out/all > out/count"], inputs: [out/all], outputs: [out/count], needs: [copy]}
`

function run(program: string, words: readonly string[], env: Readonly<Record<string, string>> = {}) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [program, ...words], {
    cwd: join(folder, 'project'),
    encoding: 'utf8',
    env: { PATH: process.env['PATH'], HOME: folder, ...env },
  })
  return { status, stdout, stderr }
}

test('what has nothing to do is answered without the program, in the same words, until something changes', async () => {
  mkdirSync(join(folder, 'project/src'), { recursive: true })
  mkdirSync(join(folder, 'launcher'))
  for (const file of ['stagecraft.js', 'package.json']) cpSync(join(bin, file), join(folder, 'launcher', file))
  const whole = join(bin, 'stagecraft.js')
  const alone = join(folder, 'launcher', 'stagecraft.js')
  writeFileSync(join(folder, 'project/stagecraft.yml'), manifest)
  writeFileSync(join(folder, 'project/src/a'), 'aaaa')
  assert.match(run(whole, ['run', 'count']).stdout, '2 ran')
  // A manifest counts as settled two seconds after it was written: until then every run reads it.
  let bySlowWay = run(whole, ['run', 'count'])
  for (const end = Date.now() + 10_000; run(alone, ['run', 'count']).status !== 0 && Date.now() < end; )
    bySlowWay = run(whole, ['run', 'count'])
  assert.equal(bySlowWay, { status: 0, stdout: 'nothing to do (2 tasks up to date)\n', stderr: '' })
  assert.equal(run(alone, ['run', 'count']), bySlowWay)
  assert.equal(run(alone, ['run', '--continue', 'count', '-j', '2']), bySlowWay)
  for (const [words, env] of [
    [['run', 'copy'], {}],
    [['run', 'count', '--verbose'], {}],
    [['run', 'count', '--force'], {}],
    [['run', 'count'], { MODE: 'x' }],
    [['run', 'count'], { STAGECRAFT_DRY_RUN: '1' }],
  ] as const)
    assert.match(run(alone, words, env).stderr, 'main.js', JSON.stringify([words, env]))
  writeFileSync(join(folder, 'project/src/a'), 'bbbbbb')
  assert.match(run(whole, ['run', 'count']).stdout, '2 ran')
  assert.is(readFileSync(join(folder, 'project/out/count'), 'utf8').trim(), '6')
  assert.equal(run(alone, ['run', 'count']), bySlowWay)
})

test.run()
