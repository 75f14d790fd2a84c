import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { plainRunTargets } from '../../../src/cli/plain-run.ts'

const test = suite('src/cli/plain-run')

const cases: readonly (readonly [string, readonly string[] | undefined])[] = [
  ['run a', ['a']],
  ['run a b --continue', ['a', 'b']],
  ['run -j 4 a --no-color', ['a']],
  ['run a --concurrency 16', ['a']],
  ['run', undefined],
  ['', undefined],
  ['deploy', undefined],
  ['-v run a', undefined],
  ['run a --force', undefined],
  ['run a --dry-run', undefined],
  ['run a -v', undefined],
  ['run a --format json', undefined],
  ['run a --env prod', undefined],
  ['run a -c other.yml', undefined],
  ['run a -j zero', undefined],
  ['run a -j', undefined],
  ['run a -- b', undefined],
  ['run a --constructor', undefined],
]
for (const [line, expected] of cases) {
  test(`\`${line}\` ${expected ? 'can be answered by a certificate' : 'is for the whole program'}`, () => {
    assert.equal(plainRunTargets(line === '' ? [] : line.split(' '), {}), expected)
  })
}

test('variables of ours change what a run does, but for the folder of the cache', () => {
  assert.is(plainRunTargets(['run', 'a'], { STAGECRAFT_ENV: 'prod' }), undefined)
  assert.equal(plainRunTargets(['run', 'a'], { STAGECRAFT_CACHE_DIR: 'x', PATH: '' }), ['a'])
})

test.run()
