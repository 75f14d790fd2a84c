import { readFileSync, rmSync, statSync, truncateSync, utimesSync, writeFileSync } from 'node:fs'
import cacache from 'cacache'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { resultKey } from '../../cache/local.ts'
import { digestOf } from '../../graph/fingerprint.ts'
import type { Digest } from '../../graph/types.ts'
import { inDirectory } from '../support/directory.ts'
import { blobPath, filesIn, keyOf, openWatched, store } from './stored.ts'

const test = suite('cache/local')

test('a result comes back with its blobs, also to another process-wide opening', () =>
  inDirectory(async (directory) => {
    const result = await store(openWatched(directory).cache, 'api', 'bytes')
    const { cache, warnings } = openWatched(directory)
    assert.equal(await cache.actions.get(keyOf('api')), result)
    assert.is(Buffer.from((await cache.content.read(digestOf('bytes'))) ?? []).toString(), 'bytes')
    assert.equal(warnings, [])
  }))

test('blobs are named by SHA-256, and empty ones are blobs too', () =>
  inDirectory(async (directory) => {
    const { cache } = openWatched(directory)
    assert.is(await cache.content.write(Buffer.alloc(0)), digestOf(''))
    assert.is((await cache.content.read(digestOf('')))?.byteLength, 0)
    assert.ok(await cache.content.has(digestOf('')))
    const view = new Uint8Array([9, 1, 2, 9]).subarray(1, 3)
    assert.is(await cache.content.write(view), digestOf(new Uint8Array([1, 2])))
    assert.equal([...((await cache.content.read(digestOf(view))) ?? [])], [1, 2])
  }))

test('what was never stored is a miss without a warning, and makes no folder', () =>
  inDirectory(async (directory) => {
    const { cache, warnings } = openWatched(`${directory}/none`)
    assert.is(await cache.actions.get(keyOf('api')), undefined)
    assert.is(await cache.content.read(digestOf('x')), undefined)
    assert.not(await cache.content.has(digestOf('x')))
    assert.equal(warnings, [])
    assert.is(statSync(`${directory}/none`, { throwIfNoEntry: false }), undefined)
  }))

const damages: readonly (readonly [string, (path: string) => void, string])[] = [
  ['is gone', (path) => rmSync(path), 'is gone'],
  ['is cut off', (path) => truncateSync(path, 2), 'wrong size'],
]
for (const [what, damage, warning] of damages) {
  test(`a result whose blob ${what} is a miss, and heals when stored again`, () =>
    inDirectory(async (directory) => {
      const { cache, warnings } = openWatched(directory)
      const result = await store(cache, 'api', 'bytes')
      damage(blobPath(directory, digestOf('bytes')))
      assert.is(await cache.actions.get(keyOf('api')), undefined)
      assert.match(warnings.join(), warning)
      assert.is(await cache.actions.get(keyOf('api')), undefined)
      assert.is(warnings.length, 1)
      assert.equal(await store(cache, 'api', 'bytes'), result)
      assert.equal(await cache.actions.get(keyOf('api')), result)
      assert.is(Buffer.from((await cache.content.read(digestOf('bytes'))) ?? []).toString(), 'bytes')
    }))
}

test('a cut-off blob is replaced by writing it again', () =>
  inDirectory(async (directory) => {
    const { cache } = openWatched(directory)
    await cache.content.write(Buffer.from('bytes'))
    truncateSync(blobPath(directory, digestOf('bytes')), 2)
    await cache.content.write(Buffer.from('bytes'))
    assert.is(readFileSync(blobPath(directory, digestOf('bytes')), 'utf8'), 'bytes')
  }))

test('a blob that does not match its name is not handed out, and is removed', () =>
  inDirectory(async (directory) => {
    const { cache, warnings } = openWatched(directory)
    await store(cache, 'api', 'bytes')
    writeFileSync(blobPath(directory, digestOf('bytes')), 'BYTES')
    assert.is(await cache.content.read(digestOf('bytes')), undefined)
    assert.match(warnings.join(), /cannot be used and has been removed/)
    assert.is(await cache.actions.get(keyOf('api')), undefined)
  }))

const foreign: readonly (readonly [string, (good: string) => string])[] = [
  ['that is not JSON', () => 'hello'],
  ['of another layout', (good) => good.replace('"schema":1', '"schema":2')],
  ['of another task', (good) => good.replace(keyOf('api'), keyOf('web'))],
  ['that names no digest', (good) => good.replaceAll(digestOf('bytes'), '../../etc/passwd')],
  ['without values', (good) => good.replace('"values"', '"other"')],
  ['without sizes', (good) => good.replace('"sizes"', '"other"')],
]
for (const [what, spoil] of foreign) {
  test(`a result ${what} is a miss and is removed`, () =>
    inDirectory(async (directory) => {
      const { cache, warnings } = openWatched(directory)
      await store(cache, 'api', 'bytes')
      const good = (await cacache.get(directory, resultKey(keyOf('api')))).data.toString()
      assert.is.not(spoil(good), good)
      await cacache.put(directory, resultKey(keyOf('api')), spoil(good), { algorithms: ['sha256'] })
      assert.is(await cache.actions.get(keyOf('api')), undefined)
      assert.match(warnings.join(), /not a result of this task/)
      assert.is(await cacache.get.info(directory, resultKey(keyOf('api'))), null)
    }))
}

test('damaged index files are misses', () =>
  inDirectory(async (directory) => {
    const { cache } = openWatched(directory)
    await store(cache, 'api')
    for (const path of filesIn(directory, 'index-v5')) truncateSync(path, 20)
    assert.is(await cache.actions.get(keyOf('api')), undefined)
    const result = await store(cache, 'api')
    assert.equal(await cache.actions.get(keyOf('api')), result)
  }))

test('a damaged result record is a miss', () =>
  inDirectory(async (directory) => {
    const { cache, warnings } = openWatched(directory)
    await store(cache, 'api')
    const path = (await cacache.get.info(directory, resultKey(keyOf('api'))))?.path ?? ''
    truncateSync(path, 10)
    assert.is(await cache.actions.get(keyOf('api')), undefined)
    assert.is(warnings.length, 1)
  }))

test('a result stored before its blobs is not kept', () =>
  inDirectory(async (directory) => {
    const { cache, warnings } = openWatched(directory)
    await cache.actions.set(keyOf('api'), { files: { out: { digest: digestOf('x') as Digest, executable: false } }, values: {} })
    assert.match(warnings.join(), /was not kept: blob .* is not in the cache/)
    assert.is(await cache.actions.get(keyOf('api')), undefined)
  }))

test('a place that cannot hold a cache costs warnings, not the run', () =>
  inDirectory(async (directory) => {
    writeFileSync(`${directory}/file`, '')
    const { cache, warnings } = openWatched(`${directory}/file`)
    await cache.actions.set(keyOf('api'), { files: {}, values: {} })
    assert.is(await cache.actions.get(keyOf('api')), undefined)
    assert.match(warnings[0] ?? '', /was not kept/)
    assert.match(warnings[1] ?? '', /cannot be used/)
  }))

test('verifying with cacache itself leaves every blob and result', () =>
  inDirectory(async (directory) => {
    const { cache } = openWatched(directory)
    const result = await store(cache, 'api', 'bytes')
    await cacache.verify(directory)
    assert.equal(await cache.actions.get(keyOf('api')), result)
    assert.ok(await cache.content.has(digestOf('bytes')))
  }))

test('a hit and a second write mark what they touch as used', () =>
  inDirectory(async (directory) => {
    const { cache } = openWatched(directory)
    await store(cache, 'api', 'bytes')
    const record = (await cacache.get.info(directory, resultKey(keyOf('api'))))?.path ?? ''
    const blob = blobPath(directory, digestOf('bytes'))
    for (const path of [record, blob]) utimesSync(path, 1000, 1000)
    await cache.actions.get(keyOf('api'))
    assert.ok(statSync(record).mtimeMs > 1e6)
    await cache.content.write(Buffer.from('bytes'))
    assert.ok(statSync(blob).mtimeMs > 1e6)
  }))

test.run()
