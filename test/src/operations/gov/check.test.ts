import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { exitCodes } from '../../../../src/contracts.ts'
import { stagecraft } from '../../../support/cli.ts'
import { repository } from '../../../support/source-tree.ts'
import { inTemporaryDirectory } from '../../../support/temporary-directory.ts'

const test = suite('operations/gov/check')

const features = 'features:\n  - {id: CORE_A, title: a, phase: 0, status: done, spec: core/a.md, tests: [a.test.ts]}\n'
const whole: Readonly<Record<string, string>> = {
  'spec/features.yaml': features,
  'spec/core/a.md': '---\nfeature: CORE_A\nversion: v1\nstatus: done\ndomain: core\n---\n',
  'a.test.ts': '',
}

function inRepository(files: Readonly<Record<string, string>>, work: (cwd: string) => Promise<void>): Promise<void> {
  return inTemporaryDirectory(async (cwd) => {
    for (const [path, text] of Object.entries(files)) {
      mkdirSync(join(cwd, dirname(path)), { recursive: true })
      writeFileSync(join(cwd, path), text)
    }
    await work(cwd)
  })
}

test('this repository passes', async () => {
  const { code, stdout, stderr } = await stagecraft(['gov', 'check'], { cwd: repository })
  assert.match(stdout, /^\d+ features, no violations\n$/)
  assert.equal([code, stderr], [exitCodes.done, ''])
})

test('a repository of somebody else passes without records, package or manifest', () =>
  inRepository(whole, async (cwd) => {
    const { code, stdout } = await stagecraft(['gov', 'check'], { cwd })
    assert.equal([code, stdout], [exitCodes.done, '1 feature, no violations\n'])
  }))

test('a violation is a line, and exit code 1; as JSON it is a member of the report', () =>
  inRepository({ ...whole, 'spec/features.yaml': features.replace('a.test.ts', 'b.test.ts'), 'package.json': 'none' }, async (cwd) => {
    const text = await stagecraft(['gov', 'check'], { cwd })
    const detail = 'names b.test.ts, which does not exist; expected a test'
    assert.is(text.stdout, `error [CORE_A] spec/features.yaml:2: MISSING_TESTS: ${detail}\n1 feature, 1 violation\n`)
    assert.is(text.code, exitCodes.input)
    const json = await stagecraft(['gov', 'check', '--format', 'json', '--config', join(cwd, 'stagecraft.yml')], { cwd: repository })
    assert.equal(JSON.parse(json.stdout), {
      features: [{ id: 'CORE_A', status: 'done', spec_path: 'spec/core/a.md', test_files: ['b.test.ts'] }],
      violations: [{ code: 'MISSING_TESTS', severity: 'error', feature: 'CORE_A', path: 'spec/features.yaml', line: 2, detail }],
    })
    assert.is(json.code, exitCodes.input)
  }))

test('a warning alone passes', () =>
  inRepository(
    { ...whole, 'spec/features.yaml': `${features}  - {id: B, title: b, phase: 1, status: todo, spec: core/b.md}\n` },
    async (cwd) => {
      const { code, stdout } = await stagecraft(['gov', 'check'], { cwd })
      assert.match(stdout, /^warning \[B\] spec\/features\.yaml:3: MISSING_SPEC: /)
      assert.is(code, exitCodes.done)
    },
  ))

test('only the package of this name is held to the commands of this program', () =>
  inRepository({ ...whole, 'package.json': '{"name": "stagecraft"}' }, async (cwd) => {
    const { code, stdout } = await stagecraft(['gov', 'check'], { cwd })
    assert.match(stdout, 'error [CLI_BUILD] spec/features.yaml:1: COMMAND_WITHOUT_SPEC: `build` is of CLI_BUILD')
    assert.is(code, exitCodes.input)
  }))

test('a file that cannot be read is trouble of the world', () =>
  inRepository({ 'spec/features.yaml/a.txt': '' }, async (cwd) => {
    const { code, stderr } = await stagecraft(['gov', 'check'], { cwd })
    assert.is(code, exitCodes.world)
    assert.match(stderr, 'spec/features.yaml')
    assert.match(stderr, 'it cannot be read')
  }))

test.run()
