import { existsSync, readFileSync, rmSync, statSync, truncateSync, utimesSync, writeFileSync } from 'node:fs'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { parseRecord } from '../../cache/action-record.ts'
import { blobPath, resultPath, smallBlobBytes } from '../../cache/layout.ts'
import { digestOf } from '../../graph/fingerprint.ts'
import type { Digest } from '../../graph/types.ts'
import { rejects } from '../support/assertions.ts'
import { inDirectory } from '../support/directory.ts'
import { filesIn, keyOf, openWatched, store } from './stored.ts'

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

const damages: readonly (readonly [string, (path: string) => void])[] = [
  ['is gone', (path) => rmSync(path)],
  ['is cut off', (path) => truncateSync(path, 2)],
]
for (const [what, damage] of damages) {
  test(`a result whose blob ${what} is a miss, and heals when stored again`, () =>
    inDirectory(async (directory) => {
      const { cache, warnings } = openWatched(directory)
      const result = await store(cache, 'api', 'bytes')
      damage(blobPath(directory, digestOf('bytes')))
      assert.is(await cache.actions.get(keyOf('api')), undefined)
      assert.match(warnings.join(), /is gone or was cut off/)
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

/** What is stored of `api`, changed, with a digest that fits: as a shared cache's writer could have made it. */
function spoiled(directory: string, change: (text: string) => string): void {
  const path = resultPath(directory, keyOf('api'))
  const good = readFileSync(path, 'utf8').split('\n')[1] ?? ''
  assert.is.not(change(good), good)
  writeFileSync(path, `${digestOf(change(good))}\n${change(good)}`)
}

const foreign: readonly (readonly [string, (good: string) => string])[] = [
  ['that is not JSON', () => 'hello'],
  ['of another layout', (good) => good.replace('"schema":1', '"schema":9')],
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
      spoiled(directory, spoil)
      assert.is(await cache.actions.get(keyOf('api')), undefined)
      assert.match(warnings.join(), /not a result of this task/)
      assert.not(existsSync(resultPath(directory, keyOf('api'))))
    }))
}

test('a flipped bit in a result is a miss', () =>
  inDirectory(async (directory) => {
    const { cache } = openWatched(directory)
    await store(cache, 'api', 'bytes')
    const path = resultPath(directory, keyOf('api'))
    writeFileSync(path, readFileSync(path, 'utf8').replace('"executable":false', '"executable":true '))
    assert.is(await cache.actions.get(keyOf('api')), undefined)
  }))

test('a damaged result record is a miss', () =>
  inDirectory(async (directory) => {
    const { cache, warnings } = openWatched(directory)
    await store(cache, 'api')
    truncateSync(resultPath(directory, keyOf('api')), 10)
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
    for (const name of ['api', 'web']) {
      await rejects(cache.content.write(Buffer.from(name)), /ENOTDIR/)
      await cache.actions.set(keyOf(name), { files: {}, values: {} })
      assert.is(await cache.actions.get(keyOf(name)), undefined)
    }
    assert.is(warnings.length, 2, 'each kind is told once, not once a task')
    assert.match(warnings[0] ?? '', /cannot be written, so what this run makes is not kept/)
    assert.match(warnings[1] ?? '', /cannot be used/)
  }))

const large = Buffer.alloc(smallBlobBytes + 1, 'large')

test('large blobs come and go through files too, verified on the way', () =>
  inDirectory(async (directory) => {
    const { cache, warnings } = openWatched(`${directory}/cache`)
    for (const [index, bytes] of [Buffer.from('small'), large].entries()) {
      const digest = digestOf(bytes)
      writeFileSync(`${directory}/in`, bytes)
      assert.is(await cache.content.writeFile(`${directory}/in`), digest)
      assert.is(await cache.content.writeFile(`${directory}/in`), digest)
      assert.is(await cache.content.write(bytes), digest)
      assert.ok(await cache.content.has(digest))
      assert.ok(await cache.content.copyTo(digest, `${directory}/out${index}`))
      assert.is(digestOf(readFileSync(`${directory}/out${index}`)), digest)
      assert.is(digestOf((await cache.content.read(digest)) ?? ''), digest)
      const path = index === 0 ? blobPath(`${directory}/cache`, digest) : (filesIn(`${directory}/cache`, 'content-v2')[0] ?? '')
      writeFileSync(path, Buffer.alloc(bytes.length))
      assert.not(await cache.content.copyTo(digest, `${directory}/damaged`))
      assert.not(existsSync(`${directory}/damaged`))
      assert.not(await cache.content.has(digest))
      assert.not(await cache.content.copyTo(digest, `${directory}/damaged`))
    }
    assert.is(warnings.length, 2)
  }))

test('a cut-off large blob is replaced by writing it again', () =>
  inDirectory(async (directory) => {
    const { cache } = openWatched(directory)
    const digest = await cache.content.write(large)
    truncateSync(filesIn(directory, 'content-v2')[0] ?? '', 2)
    await cache.content.write(large)
    assert.is((await cache.content.read(digest))?.byteLength, large.length)
  }))

test('what results know of links, folders, modes and logs comes back, a path called __proto__ too', () =>
  inDirectory(async (directory) => {
    const { cache, warnings } = openWatched(directory)
    const digest = await cache.content.write(Buffer.from('x'))
    const files = Object.fromEntries([['__proto__', { digest, executable: true, mode: 0o750 }]])
    const result = { files, links: { l: '../x' }, folders: ['a/b'], log: digest, values: { ok: true } }
    await cache.actions.set(keyOf('api'), result)
    assert.equal(JSON.stringify(await cache.actions.get(keyOf('api'))), JSON.stringify(result))
    assert.equal(warnings, [])
  }))

test('a result whose log is gone is a miss', () =>
  inDirectory(async (directory) => {
    const { cache } = openWatched(directory)
    const log = await cache.content.write(Buffer.from('x'))
    await cache.actions.set(keyOf('api'), { files: {}, log, values: {} })
    rmSync(blobPath(directory, log))
    assert.is(await cache.actions.get(keyOf('api')), undefined)
  }))

test('a record of any form that is not sound is refused', () => {
  const digest = digestOf('x')
  const file = { digest, executable: false }
  const results: unknown[] = [
    null,
    { files: { '../x': file }, values: {} },
    { files: { '/etc/passwd': file }, values: {} },
    { files: { 'a//b': file }, values: {} },
    { files: { './a': file }, values: {} },
    { files: { '': file }, values: {} },
    { files: { 'a\0b': file }, values: {} },
    { files: { a: { ...file, mode: 0o4755 } }, values: {} },
    { files: { a: { ...file, mode: 0o755 } }, values: {} },
    { files: { a: { ...file, executable: 'yes' } }, values: {} },
    { files: { a: { ...file, digest: digest.toUpperCase() } }, values: {} },
    { files: { 'a/b': file }, links: { a: '/etc' }, values: {} },
    { files: { a: file, 'a/b': file }, values: {} },
    { files: {}, links: { a: 'x' }, folders: ['a'], values: {} },
    { files: {}, links: { a: '' }, values: {} },
    { files: {}, links: { '..': 'x' }, values: {} },
    { files: {}, folders: ['a/../b'], values: {} },
    { files: {}, folders: 'a', values: {} },
    { files: {}, log: 'x', values: {} },
    { files: {}, values: [] },
  ]
  const text = (result: unknown, sizes: object = { [digest]: 1 }) => JSON.stringify({ schema: 1, fingerprint: keyOf('a'), result, sizes })
  for (const result of results) assert.is(parseRecord(text(result), keyOf('a')), undefined, JSON.stringify(result))
  const good = { files: { a: file }, values: {} }
  assert.ok(parseRecord(text(good), keyOf('a')))
  for (const sizes of [{}, { [digest]: -1 }, { [digest]: 1.5 }, { [digest]: '1' }]) assert.is(parseRecord(text(good, sizes)), undefined)
  assert.equal(parseRecord(text({ ...good, extra: 1 }))?.result, good)
})

test('a hit and a second write mark what they touch as used', () =>
  inDirectory(async (directory) => {
    const { cache } = openWatched(directory)
    await store(cache, 'api', 'bytes')
    const record = resultPath(directory, keyOf('api'))
    const blob = blobPath(directory, digestOf('bytes'))
    for (const path of [record, blob]) utimesSync(path, 1000, 1000)
    await cache.actions.get(keyOf('api'))
    assert.ok(statSync(record).mtimeMs > 1e6)
    await cache.content.write(Buffer.from('bytes'))
    assert.ok(statSync(blob).mtimeMs > 1e6)
  }))

test.run()
