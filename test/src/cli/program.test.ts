import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { z } from 'zod'
import { exitCodes } from '../../../src/contracts.ts'
import { stagecraft } from '../../support/cli.ts'
import { golden } from '../../support/golden.ts'
import { sampleCommands } from '../../support/sample-commands.ts'

const test = suite('src/cli/program')

/** Runs `deploy` and returns what it was given. */
async function given(argv: readonly string[], env: Record<string, string> = {}) {
  const commands = sampleCommands()
  const result = await stagecraft(argv, { commands: commands.table, env })
  assert.is(result.code, exitCodes.done, result.stderr)
  const [call] = commands.calls
  if (call === undefined) throw new Error('nothing was run')
  return call
}

/** Expects a refusal before anything runs. @returns what was said. */
async function refused(argv: readonly string[], env: Record<string, string> = {}) {
  const commands = sampleCommands()
  const result = await stagecraft(argv, { commands: commands.table, env })
  assert.is(result.code, exitCodes.input, result.stdout)
  assert.equal(commands.calls, [])
  assert.is(result.stdout, '')
  return result.stderr
}

test('the root help groups commands and loads none of them', async () => {
  const commands = sampleCommands()
  const help = await stagecraft(['--help'], { commands: commands.table })
  assert.is(help.code, exitCodes.done)
  golden('help-root.txt', help.stdout)
  assert.equal(commands.loaded, [])
  for (const argv of [[], ['help'], ['-h'], ['--env', 'prod', '--help']]) {
    assert.is((await stagecraft(argv, { commands: commands.table })).stdout, help.stdout, argv.join(' '))
  }
})

test('the help of a command shows its flags, the global ones apart, and examples', async () => {
  const commands = sampleCommands()
  const help = await stagecraft(['deploy', '--help'], { commands: commands.table })
  golden('help-deploy.txt', help.stdout)
  assert.equal(commands.loaded, ['deploy'])
  assert.is((await stagecraft(['help', 'deploy'], { commands: commands.table })).stdout, help.stdout)
  assert.equal(commands.calls, [])
})

test('the help of a group lists its commands', async () => {
  const help = await stagecraft(['releases', '--help'], { commands: sampleCommands().table })
  golden('help-releases.txt', help.stdout)
})

test('help is painted when asked to be, and never otherwise', async () => {
  const { table } = sampleCommands()
  assert.ok((await stagecraft(['--color', '--help'], { commands: table })).stdout.includes('\u001b['))
  assert.not.ok((await stagecraft(['--help'], { commands: table })).stdout.includes('\u001b['))
})

test('only the command that was named is loaded', async () => {
  const commands = sampleCommands()
  await stagecraft(['plan'], { commands: commands.table })
  assert.equal(commands.loaded, ['plan'])
})

const typos: [readonly string[], RegExp][] = [
  [['deplyo'], /SC3002.*unknown command `deplyo`.*did you mean `deploy`/s],
  [['releases', 'lst'], /SC3002.*did you mean `list`/s],
  [['releases'], /SC3002.*needs one more word: `list` or `show`/s],
  [['nonsense'], /SC3002.*unknown command `nonsense`/s],
  [['deploy', '--dry-rnu'], /SC3003.*unknown flag `--dry-rnu`.*did you mean `--dry-run`/s],
  [['--evn', 'prod', 'deploy'], /SC3002|SC3003/],
  [['--verbos', 'deploy'], /SC3003.*did you mean `--verbose`/s],
  [['deploy', '-x'], /SC3003.*`-x`/s],
  [['deploy', '--env'], /SC3004.*--env <name>/s],
  [['deploy', '-j', 'zero'], /SC3004.*`--concurrency` takes a number, not `zero`/s],
  [['deploy', '-j', '0'], /SC3004.*`--concurrency` is `0`/s],
  [['deploy', '--format', 'xml'], /SC3004.*`--format` takes `text` or `json`, not `xml`/s],
  [['deploy', '--skip-push=perhaps'], /SC3004.*`perhaps`, which is neither true nor false/s],
  [['deploy', '--force='], /SC3004.*`--force` has nothing after `=`/s],
  [['releases', 'show'], /SC3005.*missing required argument `id`/s],
  [['releases', 'show', 'a', 'b'], /SC3006.*too many arguments/s],
  [['plan', '--quiet', '--verbose'], /SC3007/],
]
for (const [argv, message] of typos) {
  test(`\`${argv.join(' ')}\` is refused and nothing runs`, async () => {
    assert.match(await refused(argv), message)
  })
}

test('all problems of a line are told at once', async () => {
  const text = await refused(['deploy', '-j', 'zero', '--format', 'xml'], { STAGECRAFT_DRY_RUN: 'perhaps' })
  for (const part of ['--concurrency', '--format', 'STAGECRAFT_DRY_RUN']) assert.match(text, part)
})

/** What `--verbose` ends up as: [arguments, environment, expected]. */
const switches: [readonly string[], string | undefined, boolean][] = [
  [[], undefined, false],
  [[], '', false],
  [[], '0', false],
  [[], 'F', false],
  [[], 'False', false],
  [[], '1', true],
  [[], 'T', true],
  [[], 'TRUE', true],
  [['--verbose'], '0', true],
  [['-v'], undefined, true],
  [['--verbose=true'], '0', true],
  [['--verbose=false'], '1', false],
  [['--verbose=0'], 'true', false],
  [['--no-verbose'], '1', false],
  [['--verbose', '--no-verbose'], undefined, false],
  [['--quiet'], '1', false],
]
for (const [flags, variable, expected] of switches) {
  test(`D17: verbose is ${expected} with [${flags}] and STAGECRAFT_VERBOSE=${variable ?? '(unset)'}`, async () => {
    const env: Record<string, string> = variable === undefined ? {} : { STAGECRAFT_VERBOSE: variable }
    for (const argv of [
      ['deploy', ...flags],
      [...flags, 'deploy'],
    ])
      assert.is((await given(argv, env)).globals.verbose, expected)
  })
}

/** Every way to say a global: [arguments, environment, what commands see]. */
const globals: [readonly string[], Record<string, string>, object][] = [
  [[], {}, { config: 'stagecraft.yml', verbose: false, quiet: false, dryRun: false }],
  [[], { STAGECRAFT_ENV: 'dev', STAGECRAFT_CONFIG: 'a.yml', STAGECRAFT_DRY_RUN: 'true' }, { env: 'dev', config: 'a.yml', dryRun: true }],
  [['-e', 'prod', '-c', 'b.yml'], { STAGECRAFT_ENV: 'dev', STAGECRAFT_CONFIG: 'a.yml' }, { env: 'prod', config: 'b.yml' }],
  [['--env=prod', '--config=b.yml'], { STAGECRAFT_ENV: 'dev' }, { env: 'prod', config: 'b.yml' }],
  [['-eprod', '-e=qa'], {}, { env: 'qa' }],
  [['-nve', 'prod'], {}, { env: 'prod', dryRun: true, verbose: true }],
  [['--dry-run=false'], { STAGECRAFT_DRY_RUN: '1' }, { dryRun: false }],
  [['-n'], { STAGECRAFT_DRY_RUN: '0' }, { dryRun: true }],
  [['--no-color'], {}, { color: false }],
  [['--no-color', '--color'], {}, { color: true }],
]
for (const [flags, env, expected] of globals) {
  test(`globals of [${flags}] with ${JSON.stringify(env)}, before or after the command`, async () => {
    for (const argv of [
      ['deploy', ...flags],
      [...flags, 'deploy'],
    ]) {
      const call = await given(argv, env)
      assert.equal({ ...call.globals, ...expected }, call.globals)
    }
  })
}

test('globals may stand between the words of a command', async () => {
  const call = await given(['releases', '--env', 'prod', 'show', '-v', 'r1'])
  assert.equal([call.input, call.globals.env, call.globals.verbose], [{ id: 'r1' }, 'prod', true])
})

/** The flags of one command: [arguments, part of its input]. */
const inputs: [readonly string[], object][] = [
  [[], { cache: true, concurrency: 8, format: 'text', services: [], skipPush: false, target: [] }],
  [['--no-cache'], { cache: false }],
  [['--no-cache', '--cache'], { cache: true }],
  [['--cache=false'], { cache: false }],
  [['--force', 'web'], { force: true, target: ['web'] }],
  [['--force=build:*', 'web'], { force: 'build:*', target: ['web'] }],
  [['--force=false'], { force: false }],
  [['--services', 'a,b', '--services', 'c'], { services: ['a', 'b', 'c'] }],
  [['--services=a, b,,'], { services: ['a', 'b'] }],
  [['-j', '3'], { concurrency: 3 }],
  [['-j=3', '-j4'], { concurrency: 4 }],
  [['--version', '--verbose=false'], { version: '--verbose=false' }],
  [['--secret-flag', 'x'], { secretFlag: 'x' }],
  [['a', '--skip-push', 'b'], { skipPush: true, target: ['a', 'b'] }],
  [['--', '--force', '-v'], { target: ['--force', '-v'] }],
]
for (const [flags, expected] of inputs) {
  test(`the input of \`deploy ${flags.join(' ')}\``, async () => {
    const { input } = await given(['deploy', ...flags])
    assert.equal({ ...input, ...expected }, input)
  })
}

test("a command's own variable speaks where its flag is silent, and is checked like it", async () => {
  assert.is((await given(['deploy'], { STAGECRAFT_FORMAT: 'json' })).input['format'], 'json')
  assert.is((await given(['deploy', '--format', 'text'], { STAGECRAFT_FORMAT: 'json' })).input['format'], 'text')
  assert.match(await refused(['deploy'], { STAGECRAFT_FORMAT: 'xml' }), /SC3001.*`STAGECRAFT_FORMAT` takes `text` or `json`/s)
})

test('a command that declares a global flag again is a bug', async () => {
  for (const options of [z.strictObject({ env: z.string() }), z.strictObject({ name: z.string().meta({ alias: 'c' }) })]) {
    const load = async () => ({ summary: 's', feature: 'CLI_SAMPLE', options, run: async () => exitCodes.done })
    const result = await stagecraft(['twin'], { commands: { twin: { summary: 's', group: 'other', load } } })
    assert.is(result.code, exitCodes.bug)
    assert.match(result.stderr, /declares --\w+ again/)
  }
})

test('--version prints the version, alone or among other words', async () => {
  const { table } = sampleCommands()
  const { stdout } = await stagecraft(['--version'], { commands: table })
  assert.match(stdout, /^stagecraft \d+\.\d+\.\d+\S*\n$/)
  assert.is((await stagecraft(['--no-color', '--version'], { commands: table })).stdout, stdout)
})

test.run()
