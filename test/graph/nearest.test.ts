import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { nearest } from '../../graph/nearest.ts'

const test = suite('graph/nearest')

const cases: readonly (readonly [string, readonly string[], string | undefined])[] = [
  ['deplyo', ['plan', 'deploy', 'run'], 'deploy'],
  ['prot', ['port', 'path'], 'port'],
  ['regisrty', ['registry'], 'registry'],
  ['hostss', ['hosts'], 'hosts'],
  ['environment', ['variables'], undefined],
  ['ab', ['xy', 'cd'], undefined],
  ['build:b', ['build:c', 'build:a'], 'build:a'],
  ['anything', [], undefined],
]
for (const [word, candidates, expected] of cases) {
  test(`${word} among ${candidates.join(', ') || 'nothing'} is most likely ${expected ?? 'none of them'}`, () => {
    assert.is(nearest(word, candidates), expected)
  })
}

test.run()
