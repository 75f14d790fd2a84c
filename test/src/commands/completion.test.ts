import { execFileSync, spawnSync } from 'node:child_process'
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { type Shell, shells } from '../../../src/cli/completion-scripts.ts'
import { stagecraft } from '../../support/cli.ts'

const test = suite('src/commands/completion')
const cwd = mkdtempSync(join(tmpdir(), 'stagecraft-completion-'))
test.after(() => rmSync(cwd, { recursive: true }))
const program = fileURLToPath(new URL('../../../src/cli/bin.js', import.meta.url))
writeFileSync(join(cwd, 'stagecraft'), `#!/bin/sh\nexec "${process.execPath}" "${program}" "$@"\n`)
chmodSync(join(cwd, 'stagecraft'), 0o755)
writeFileSync(join(cwd, 'stagecraft.yml'), 'environments: {prod: {}, preview: {}, dev: {}}\n')

async function scriptFile(shell: Shell): Promise<string> {
  const { stdout, code } = await stagecraft(['completion', shell])
  assert.is(code, 0)
  const file = join(cwd, `script.${shell}`)
  writeFileSync(file, stdout)
  return file
}

/** What a real bash puts on the line for `typed`, as its own completion would call the function. */
async function bashOffers(typed: string, compWords: readonly string[]): Promise<string[]> {
  const words = compWords.map((word) => `'${word}'`).join(' ')
  const script = `source '${await scriptFile('bash')}'
    COMP_LINE='${typed}' COMP_POINT=${typed.length} COMP_WORDS=(${words}) COMP_CWORD=${compWords.length - 1}
    _stagecraft 2>&1; printf '%s\\n' "\${COMPREPLY[@]}"`
  const env = { ...process.env, PATH: `${cwd}${delimiter}${process.env['PATH']}`, STAGECRAFT_CONFIG: '' }
  return execFileSync('bash', ['--norc', '-c', script], { cwd, env, encoding: 'utf8' })
    .split('\n')
    .filter((line) => line !== '')
}

const lines: [string, readonly string[], readonly string[]][] = [
  ['stagecraft comp', ['stagecraft', 'comp'], ['completion']],
  ['stagecraft completion ', ['stagecraft', 'completion', ''], ['bash', 'fish', 'zsh']],
  ['stagecraft -e pr', ['stagecraft', '-e', 'pr'], ['preview', 'prod']],
  ['stagecraft version --dr', ['stagecraft', 'version', '--dr'], ['--dry-run']],
  // bash splits at `=` and replaces only what follows it.
  ['stagecraft --env=pr', ['stagecraft', '--env', '=', 'pr'], ['preview', 'prod']],
  ['stagecraft --env=', ['stagecraft', '--env', '='], ['dev', 'preview', 'prod']],
  ['stagecraft nothing ', ['stagecraft', 'nothing', ''], []],
]
for (const [typed, words, expected] of lines) {
  test(`bash completes \`${typed}\``, async () => {
    assert.equal(await bashOffers(typed, words), expected)
  })
}

/** Registers a test that needs a shell, skipped where it is not installed. */
function whereInstalled(shell: Shell): typeof test | typeof test.skip {
  return spawnSync(shell, ['-c', 'exit 0']).status === 0 ? test : test.skip
}

function answer(shell: Shell, args: readonly string[]): string[] {
  const env = { ...process.env, PATH: `${cwd}${delimiter}${process.env['PATH']}`, STAGECRAFT_CONFIG: '' }
  return execFileSync(shell, args, { cwd, env, encoding: 'utf8' }).trimEnd().split('\n')
}

whereInstalled('fish')('fish completes, with descriptions', async () => {
  const offers = (typed: string) => answer('fish', ['--no-config', '-c', `source '${script}'; complete -C '${typed}'`])
  const script = await scriptFile('fish')
  assert.equal(offers('stagecraft comp'), ['completion\tprint a completion script for bash, fish or zsh'])
  assert.equal(offers('stagecraft --env=pr'), ['--env=preview\tenvironment', '--env=prod\tenvironment'])
})

whereInstalled('zsh')('zsh completes, with descriptions, and falls back to files', async () => {
  const stubs = `compdef() { :; }; _describe() { print -l -- "\${(@P)2}"; }; _files() { print files; }; source '${await scriptFile('zsh')}'`
  const offers = (words: string, current: number) =>
    answer('zsh', ['-f', '-c', `${stubs}; words=(${words}); CURRENT=${current}; _stagecraft`])
  assert.equal(offers("stagecraft completion ''", 3), ['bash:', 'fish:', 'zsh:'])
  assert.equal(offers('stagecraft -e pr', 3), ['preview:environment', 'prod:environment'])
  assert.equal(offers("stagecraft nothing ''", 3), ['files'])
})

for (const shell of shells) {
  whereInstalled(shell)(`${shell} accepts the syntax of its script`, async () => {
    const result = spawnSync(shell, ['-n', await scriptFile(shell)], { encoding: 'utf8' })
    assert.equal([result.status, result.stderr], [0, ''])
  })
}

test('an unknown shell is refused', async () => {
  const result = await stagecraft(['completion', 'tcsh'])
  assert.is(result.code, 1)
  assert.match(result.stderr, /<shell>.*tcsh/s)
})

test.run()
