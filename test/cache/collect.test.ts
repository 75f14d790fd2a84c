import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, utimesSync, writeFileSync } from 'node:fs'
import { hostname } from 'node:os'
import cacache from 'cacache'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { boundedByDisk, collect, collectWhenDue, defaultLimits } from '../../cache/collect.ts'
import { blobPath, resultPath, smallBlobBytes } from '../../cache/layout.ts'
import type { LocalCache } from '../../cache/local.ts'
import { verify } from '../../cache/verify.ts'
import { digestOf } from '../../graph/fingerprint.ts'
import type { TaskId } from '../../graph/types.ts'
import { inDirectory } from '../support/directory.ts'
import { filesIn, keyOf, openWatched, store } from './stored.ts'

const test = suite('cache/collect')
const hourMs = 3_600_000

/** Sets when a result was last used. */
function used(cache: LocalCache, name: string, atMs: number, text = name): void {
  for (const path of [resultPath(cache.directory, keyOf(name)), blobPath(cache.directory, digestOf(text))]) {
    utimesSync(path, atMs / 1000, atMs / 1000)
  }
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
      used(cache, name, now - (3 - index) * hourMs, name.repeat(1000))
    }
    await store(cache, 'shares', 'new'.repeat(1000))
    const collected = await collect(cache, { ...defaultLimits, maxSizeBytes: 7500 })
    assert.is(collected.removedResults, 1)
    assert.ok(collected.keptBytes <= 7500 && collected.removedBytes > 3000)
    assert.equal(await hits(cache, ['old', 'mid', 'new', 'shares']), ['mid', 'new', 'shares'])
    assert.not(await cache.content.has(digestOf('old'.repeat(1000))))
    assert.equal([filesIn(directory, 'blobs').length, filesIn(directory, 'results').length], [2, 3])
    assert.equal(warnings, [])
  }))

test('too old goes, and a hit keeps a result young', () =>
  inDirectory(async (directory) => {
    const { cache } = openWatched(directory)
    const now = Date.now()
    for (const name of ['forgotten', 'hit']) {
      await store(cache, name)
      used(cache, name, now - 31 * 24 * hourMs)
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
    await store(cache, 'broken')
    writeFileSync(resultPath(directory, keyOf('broken')), 'hello')
    // A layout of the past kept results in cacache.
    await cacache.put(directory, 'action:old', 'hello', { algorithms: ['sha256'] })
    await cache.log.record('exec:old' as TaskId, { kind: 'exec', version: 1, params: {}, env: {}, secrets: {}, files: {}, needs: {} })
    for (const path of filesIn(directory, 'last')) utimesSync(path, 1000, 1000)
    const { removedResults } = await collect(cache)
    assert.is(removedResults, 1)
    assert.equal(filesIn(directory, 'last'), [])
    assert.equal(filesIn(directory, 'index-v5'), [])
  }))

test('a cache that does not exist is within its limits', () =>
  inDirectory(async (directory) => {
    const { cache } = openWatched(`${directory}/none`)
    assert.equal(await collect(cache), { removedResults: 0, removedBytes: 0, keptResults: 0, keptBytes: 0 })
    assert.is(await collectWhenDue(cache), undefined)
  }))

test('large blobs go with the result that named them', () =>
  inDirectory(async (directory) => {
    const { cache } = openWatched(directory)
    await store(cache, 'large', 'x'.repeat(smallBlobBytes + 1))
    for (const path of [resultPath(directory, keyOf('large')), ...filesIn(directory, 'content-v2')]) utimesSync(path, 1000, 1000)
    await collect(cache)
    assert.equal(filesIn(directory, 'content-v2'), [])
    assert.equal(filesIn(directory, 'index-v5'), [])
  }))

test('a large blob that is damaged is found by who reads it and by who verifies, and goes', () =>
  inDirectory(async (directory) => {
    const { cache, warnings } = openWatched(directory)
    const [read, verified] = ['r', 'v'].map((text) => Buffer.alloc(smallBlobBytes + 1, text))
    if (!read || !verified) return
    for (const bytes of [read, verified]) await store(cache, bytes.toString('utf8', 0, 1), bytes.toString())
    for (const path of filesIn(directory, 'content-v2')) writeFileSync(path, Buffer.alloc(smallBlobBytes + 1, 'x'))
    assert.is(await cache.content.read(digestOf(read)), undefined)
    assert.match(warnings.join(), /cannot be used and has been removed: it is not what its name says/)
    assert.equal(
      (await verify(directory)).damaged.map(({ what, name }) => (what === 'blob' ? name : what)),
      [digestOf(verified), 'result', 'result'],
    )
    assert.is(await cache.content.has(digestOf(verified)), false)
  }))

test('what a running process has used stays, however small the limit', () =>
  inDirectory(async (directory) => {
    const { cache } = openWatched(directory)
    for (const name of ['used', 'idle']) await store(cache, name)
    const before = Date.now() - hourMs
    for (const name of ['used', 'idle']) used(cache, name, before)
    const { cache: running } = openWatched(directory)
    assert.ok(await running.actions.get(keyOf('used')))
    const { keptResults } = await collect(cache, { ...defaultLimits, maxSizeBytes: 0 })
    assert.is(keptResults, 1)
    assert.equal(await hits(cache, ['used', 'idle']), ['used'])
    assert.ok(await cache.content.read(digestOf('used')))
  }))

test('a process that was killed holds nothing', () =>
  inDirectory(async (directory) => {
    const { cache } = openWatched(directory)
    const child = spawnSync(process.execPath, ['-e', ''])
    mkdirSync(`${directory}/running`, { recursive: true })
    const names = [`${hostname()}.${child.pid}`, 'elsewhere.1', 'nonsense']
    for (const name of names) writeFileSync(`${directory}/running/${name}`, '')
    utimesSync(`${directory}/running/elsewhere.1`, 2_000_000, 2_000_000)
    await store(cache, 'a')
    used(cache, 'a', 1000)
    await collect(cache)
    assert.equal(await hits(cache, ['a']), [])
    for (const name of names) assert.not(existsSync(`${directory}/running/${name}`), name)
  }))

test('it is due at once when more was added than the limit leaves room for', () =>
  inDirectory(async (directory) => {
    const { cache } = openWatched(directory)
    await store(cache, 'a', 'x'.repeat(5000))
    used(cache, 'a', Date.now() - hourMs, 'x'.repeat(5000))
    assert.is((await collectWhenDue(cache, defaultLimits))?.keptResults, 1)
    const limits = { ...defaultLimits, maxSizeBytes: 8000 }
    assert.is(await collectWhenDue(openWatched(directory).cache, limits), undefined)
    const { cache: next } = openWatched(directory)
    await store(next, 'b', 'y'.repeat(5000))
    assert.is((await collectWhenDue(next, limits))?.removedResults, 1)
    assert.equal(await hits(next, ['a', 'b']), ['b'])
  }))

test('however large the limit, half of the free disk is the most', () =>
  inDirectory((directory) => {
    const bounded = boundedByDisk(directory, { ...defaultLimits, maxSizeBytes: Number.MAX_SAFE_INTEGER }, 0)
    assert.ok(bounded.maxSizeBytes < Number.MAX_SAFE_INTEGER / 2)
    assert.is(boundedByDisk(directory, { ...defaultLimits, maxSizeBytes: 10 }, 0).maxSizeBytes, 10)
  }))

test('a clock that was wrong neither stops collecting nor keeps anything for ever', () =>
  inDirectory(async (directory) => {
    const { cache } = openWatched(directory)
    await store(cache, 'a')
    const now = Date.now()
    await collectWhenDue(cache, defaultLimits, now + 100 * hourMs)
    used(cache, 'a', now + 9999 * hourMs)
    assert.is((await collectWhenDue(cache, defaultLimits, now))?.keptResults, 1)
    assert.is((await collect(cache, defaultLimits, now + 31 * 24 * hourMs)).removedResults, 1)
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
