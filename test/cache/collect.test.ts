import { existsSync, mkdirSync, utimesSync, writeFileSync } from 'node:fs'
import cacache from 'cacache'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { collect, collectWhenDue, defaultLimits } from '../../cache/collect.ts'
import { type LocalCache, resultKey } from '../../cache/local.ts'
import { digestOf } from '../../graph/fingerprint.ts'
import type { TaskId } from '../../graph/types.ts'
import { inDirectory } from '../support/directory.ts'
import { blobPath, filesIn, keyOf, openWatched, store } from './stored.ts'

const test = suite('cache/collect')
const hourMs = 3_600_000

/** Sets when a result was last used. */
async function used(cache: LocalCache, name: string, atMs: number): Promise<void> {
  const path = (await cacache.get.info(cache.directory, resultKey(keyOf(name))))?.path ?? ''
  utimesSync(path, atMs / 1000, atMs / 1000)
}
const hits = async (cache: LocalCache, names: readonly string[]): Promise<string[]> => {
  const found = await Promise.all(names.map(async (name) => ((await cache.actions.get(keyOf(name))) ? name : '')))
  return found.filter((name) => name !== '')
}

test('within its limits nothing goes', () =>
  inDirectory(async (directory) => {
    const { cache } = openWatched(directory)
    await store(cache, 'a', 'x'.repeat(1000))
    await store(cache, 'b', 'x'.repeat(1000))
    const { removedResults, removedBytes, keptResults, keptBytes } = await collect(cache)
    assert.equal([removedResults, removedBytes, keptResults], [0, 0, 2])
    assert.ok(keptBytes > 1000 && keptBytes < 2000, 'a shared blob counts once')
    assert.equal(await hits(cache, ['a', 'b']), ['a', 'b'])
  }))

test('too large: the least recently used go first, with the blobs only they name', () =>
  inDirectory(async (directory) => {
    const { cache, warnings } = openWatched(directory)
    const now = Date.now()
    for (const [index, name] of ['old', 'mid', 'new'].entries()) {
      await store(cache, name, name.repeat(1000))
      await used(cache, name, now - (3 - index) * hourMs)
    }
    await store(cache, 'shares', 'new'.repeat(1000))
    const collected = await collect(cache, { ...defaultLimits, maxSizeBytes: 7500 })
    assert.is(collected.removedResults, 1)
    assert.ok(collected.keptBytes <= 7500 && collected.removedBytes > 3000)
    assert.equal(await hits(cache, ['old', 'mid', 'new', 'shares']), ['mid', 'new', 'shares'])
    assert.not(await cache.content.has(digestOf('old'.repeat(1000))))
    assert.is(filesIn(directory, 'content-v2').length, 5)
    assert.is(filesIn(directory, 'index-v5').length, 5)
    assert.equal(warnings, [])
  }))

test('too old goes, and a hit keeps a result young', () =>
  inDirectory(async (directory) => {
    const { cache } = openWatched(directory)
    const now = Date.now()
    for (const name of ['forgotten', 'hit']) {
      await store(cache, name)
      await used(cache, name, now - 31 * 24 * hourMs)
    }
    await cache.actions.get(keyOf('hit'))
    await collect(cache)
    assert.equal(await hits(cache, ['forgotten', 'hit']), ['hit'])
    assert.not(await cache.content.has(digestOf('forgotten')))
  }))

test('a blob whose task has not stored its result yet is left alone for an hour', () =>
  inDirectory(async (directory) => {
    const { cache } = openWatched(directory)
    const [young, old] = [await cache.content.write(Buffer.from('young')), await cache.content.write(Buffer.from('old'))]
    utimesSync(blobPath(directory, old), 1000, 1000)
    const { keptBytes } = await collect(cache)
    assert.is(keptBytes, 5)
    assert.equal([await cache.content.has(young), await cache.content.has(old)], [true, false])
  }))

test('what crashes leave behind goes once it is old, and nothing else', () =>
  inDirectory(async (directory) => {
    const { cache } = openWatched(directory)
    await store(cache, 'kept', 'kept')
    utimesSync(blobPath(directory, digestOf('kept')), 1000, 1000)
    const strays = [`${directory}/tmp/unfinished`, blobPath(directory, digestOf('stray'))]
    for (const path of [...strays, `${directory}/tmp/writing`]) {
      mkdirSync(path.slice(0, path.lastIndexOf('/')), { recursive: true })
      writeFileSync(path, 'stray')
    }
    for (const path of strays) utimesSync(path, 1000, 1000)
    await collect(cache)
    assert.equal(strays.map(existsSync), [false, false])
    assert.ok(existsSync(`${directory}/tmp/writing`))
    assert.equal(await hits(cache, ['kept']), ['kept'])
  }))

test('results that cannot be read and log entries past their age go', () =>
  inDirectory(async (directory) => {
    const { cache } = openWatched(directory)
    await cacache.put(directory, 'action:broken', 'hello', { algorithms: ['sha256'] })
    await cacache.put(directory, 'action:lost', 'lost', { algorithms: ['sha256'] })
    await cacache.rm.content(directory, (await cacache.get.info(directory, 'action:lost'))?.integrity ?? '')
    await cache.log.record('exec:old' as TaskId, { kind: 'exec', version: 1, params: {}, env: {}, secrets: {}, files: {}, needs: {} })
    for (const path of filesIn(directory, 'last')) utimesSync(path, 1000, 1000)
    const { removedResults } = await collect(cache)
    assert.is(removedResults, 2)
    assert.equal(filesIn(directory, 'last'), [])
    assert.equal(filesIn(directory, 'index-v5'), [])
  }))

test('a cache that does not exist is within its limits', () =>
  inDirectory(async (directory) => {
    const { cache } = openWatched(`${directory}/none`)
    assert.equal(await collect(cache), { removedResults: 0, removedBytes: 0, keptResults: 0, keptBytes: 0 })
    assert.is(await collectWhenDue(cache), undefined)
  }))

test('it is due once a day', () =>
  inDirectory(async (directory) => {
    const { cache } = openWatched(directory)
    await store(cache, 'a')
    const now = Date.now()
    assert.is((await collectWhenDue(cache, defaultLimits, now))?.keptResults, 1)
    assert.is(await collectWhenDue(cache, defaultLimits, now + 23 * hourMs), undefined)
    assert.is((await collectWhenDue(cache, defaultLimits, now + 25 * hourMs))?.keptResults, 1)
  }))

test.run()
