import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { normalArguments, parseBoolean, splitCommand } from '../../../src/cli/argv.ts'
import { globalFlags } from '../../../src/cli/global-options.ts'

const test = suite('src/cli/argv')
const names = ['deploy', 'releases list', 'releases show']

const lines: [readonly string[], string | undefined, readonly string[]][] = [
  [['deploy'], 'deploy', []],
  [['-e', 'deploy', 'deploy', 'x'], 'deploy', ['-e', 'deploy', 'x']],
  [['-vedeploy', 'deploy'], 'deploy', ['-vedeploy']],
  [['-ve', 'deploy', 'deploy'], 'deploy', ['-ve', 'deploy']],
  [['--env=deploy', 'deploy'], 'deploy', ['--env=deploy']],
  [['-q', 'releases', '-v', 'list', '--x'], 'releases list', ['-q', '-v', '--x']],
  [['releases'], undefined, []],
  [['--', 'deploy'], undefined, ['--', 'deploy']],
  [['-e'], undefined, ['-e']],
  [['unknown', 'deploy'], undefined, ['deploy']],
]
for (const [argv, name, rest] of lines) {
  test(`the command in \`${argv.join(' ')}\` is ${name ?? 'none'}`, () => {
    const line = splitCommand(argv, names, globalFlags)
    assert.equal([line.name, line.rest], [name, rest])
  })
}

test('no word is lost, whatever was typed', () => {
  const word = fc.oneof(fc.constantFrom('deploy', 'releases', 'list', '-e', '--env', '-v', '--', '--config=a', '-'), fc.string())
  fc.assert(
    fc.property(fc.array(word), (argv) => {
      const { words, rest } = splitCommand(argv, names, globalFlags)
      assert.equal([...words, ...rest].sort(), [...argv].sort())
    }),
  )
})

test('what already is plain stays as it is', () => {
  const plain = fc.constantFrom('deploy', '-e', 'prod', '--env', '--verbose', '--other', '--other=1', '-')
  fc.assert(fc.property(fc.array(plain), (args) => assert.equal(normalArguments(args, globalFlags), { args, refused: [] })))
})

test('words after -- are left alone', () => {
  assert.equal(normalArguments(['--verbose=false', '--', '--verbose=false'], globalFlags).args, ['--no-verbose', '--', '--verbose=false'])
})

test('anything that is not plainly true or false is neither', () => {
  for (const text of ['yes', 'on', 'off', '2', '', ' 1']) assert.is(parseBoolean(text), undefined, text)
})

test.run()
