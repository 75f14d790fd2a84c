import { chmodSync, writeFileSync } from 'node:fs'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { Action, TaskId } from '../../graph/types.ts'
import { inDirectory } from '../support/directory.ts'
import { filesIn, openWatched } from './stored.ts'

const test = suite('cache/action-log')
const id = (text: string) => text as TaskId

const action: Action = { kind: 'exec', version: 1, params: null, env: { A: '1' }, secrets: {}, files: { 'a.ts': 'f' }, needs: {} }

test('the last action of a task comes back, and only the last', () =>
  inDirectory(async (directory) => {
    const { cache, warnings } = openWatched(directory)
    assert.is(await cache.log.last(id('exec:a')), undefined)
    await cache.log.record(id('exec:a'), { ...action, version: 0 })
    await cache.log.record(id('exec:a'), action)
    assert.equal(await openWatched(directory).cache.log.last(id('exec:a')), action)
    assert.equal(filesIn(directory, 'last').length, 1)
    assert.equal(warnings, [])
  }))

test('ids that differ only in case, or hold what file names cannot, are kept apart', () =>
  inDirectory(async (directory) => {
    const { cache } = openWatched(directory)
    const ids = ['exec:a', 'exec:A', 'exec:a/../b', 'exec:a\\b', `exec:${'x'.repeat(400)}`].map(id)
    for (const [version, each] of ids.entries()) await cache.log.record(each, { ...action, version })
    for (const [version, each] of ids.entries()) assert.is((await cache.log.last(each))?.version, version)
  }))

const foreign: readonly (readonly [string, string])[] = [
  ['no JSON', '{'],
  ['another schema', JSON.stringify({ schema: 9, id: 'exec:a', action })],
  ['another task', JSON.stringify({ schema: 1, id: 'exec:b', action })],
  ['no action', JSON.stringify({ schema: 1, id: 'exec:a', action: [] })],
  ['half an action', JSON.stringify({ schema: 1, id: 'exec:a', action: { ...action, files: undefined } })],
  ['an action of other types', JSON.stringify({ schema: 1, id: 'exec:a', action: { ...action, env: { A: 1 } } })],
]
for (const [what, text] of foreign) {
  test(`a file with ${what} is removed with one warning`, () =>
    inDirectory(async (directory) => {
      const { cache, warnings } = openWatched(directory)
      await cache.log.record(id('exec:a'), action)
      writeFileSync(filesIn(directory, 'last')[0] ?? '', text)
      assert.is(await cache.log.last(id('exec:a')), undefined)
      assert.is(await cache.log.last(id('exec:a')), undefined)
      assert.is(warnings.length, 1)
    }))
}

test('a log that cannot be written or read costs a warning', () =>
  inDirectory(async (directory) => {
    writeFileSync(`${directory}/last`, '')
    chmodSync(`${directory}/last`, 0o600)
    const { cache, warnings } = openWatched(directory)
    await cache.log.record(id('exec:a'), action)
    assert.is(await cache.log.last(id('exec:a')), undefined)
    assert.match(warnings[0] ?? '', /cannot record/)
    assert.match(warnings[1] ?? '', /cannot read/)
  }))

test.run()
