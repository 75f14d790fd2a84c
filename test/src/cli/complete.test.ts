import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { stagecraft } from '../../support/cli.ts'
import { sampleCommands } from '../../support/sample-commands.ts'

const test = suite('src/cli/complete')
const cwd = mkdtempSync(join(tmpdir(), 'stagecraft-complete-'))
test.after(() => rmSync(cwd, { recursive: true }))
writeFileSync(join(cwd, 'stagecraft.yml'), 'project: {name: shop}\nenvironments:\n  prod: {hosts: [a]}\n  dev: {}\n')
writeFileSync(join(cwd, 'other.yml'), 'environments: {qa: {}}\n')
writeFileSync(join(cwd, 'broken.yml'), 'environments: {qa: {}, "\n  - :::\n')
writeFileSync(join(cwd, 'list.yml'), 'environments: [a, b]\n')

async function offered(words: readonly string[], env: Record<string, string> = {}): Promise<string[]> {
  const result = await stagecraft(['__complete', '--', ...words], { commands: sampleCommands().table, cwd, env })
  assert.equal([result.code, result.stderr], [0, ''])
  return result.stdout.split('\n').flatMap((line) => (line === '' ? [] : [line.split('\t')[0] ?? '']))
}

const cases: [readonly string[], readonly string[]][] = [
  [[''], ['build', 'deploy', 'init', 'plan', 'releases', 'version']],
  [['de'], ['deploy']],
  [['rel'], ['releases']],
  [
    ['releases', ''],
    ['list', 'show'],
  ],
  [['-e', 'prod', 'rel'], ['releases']],
  [
    ['deploy', '--fo'],
    ['--force', '--format'],
  ],
  [['deploy', '--no'], ['--no-cache']],
  [['deploy', '--dr'], ['--dry-run']],
  [['--vers'], ['--version']],
  [['deploy', '--secret'], []],
  [
    ['deploy', '--format', ''],
    ['json', 'text'],
  ],
  [['deploy', '--format=j'], ['--format=json']],
  [
    ['deploy', '--env', ''],
    ['dev', 'prod'],
  ],
  [['deploy', '-e', 'p'], ['prod']],
  [['--env=p'], ['--env=prod']],
  [['-c', 'other.yml', 'deploy', '-e', ''], ['qa']],
  [['--config=other.yml', 'deploy', '-e', ''], ['qa']],
  [['-c', 'missing.yml', 'deploy', '-e', ''], []],
  [['-c', 'list.yml', 'deploy', '-e', ''], []],
  [['-c', 'broken.yml', 'deploy', '-e', 'q'], ['qa']],
  [['deploy', '--', '--f'], []],
  [['deploy', ''], []],
  [['nonsense', ''], []],
]
for (const [words, expected] of cases) {
  test(`[${words.join('|')}] offers ${expected.length === 0 ? 'nothing' : expected.join(' ')}`, async () => {
    assert.equal(await offered(words), expected)
  })
}

test('the manifest may be named by the environment', async () => {
  assert.equal(await offered(['deploy', '-e', ''], { STAGECRAFT_CONFIG: 'other.yml' }), ['qa'])
})

test('choices of positional arguments are offered where they stand, flags stepped over', async () => {
  const result = await stagecraft(['__complete', '--', '-e', 'x', 'completion', '-v', '-c', 'bash', ''])
  assert.is(result.stdout, 'bash\t\nfish\t\nzsh\t\n')
  assert.is((await stagecraft(['__complete', '--', 'completion', 'bash', ''])).stdout, '')
})

test('a candidate brings its description', async () => {
  const { stdout } = await stagecraft(['__complete', '--', 'dep'], { commands: sampleCommands().table })
  assert.is(stdout, 'deploy\tbring an environment to the state of this checkout\n')
})

test('a command that cannot be loaded completes to nothing, in silence', async () => {
  const broken = { summary: 's', group: 'other', load: () => Promise.reject(new Error('broken')) } as const
  const result = await stagecraft(['__complete', '--', 'broken', '--'], { commands: { broken } })
  assert.equal(result, { code: 0, stdout: '', stderr: '' })
})

test.run()
