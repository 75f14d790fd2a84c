import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { sealEntry, signingKey } from '../../cache/signed-entry.ts'
import { openRemoteCache, type RemoteCache, type RemoteCacheOptions } from '../../cache/tiered.ts'
import { digestOf } from '../../graph/fingerprint.ts'
import type { ActionResult, OutputFile } from '../../graph/types.ts'
import { createDetector } from '../../src/secrets/redact.ts'
import { within } from '../support/assertions.ts'
import { inDirectory } from '../support/directory.ts'
import { type MemoryStore, memoryStore } from '../support/memory-store.ts'
import { filesIn, keyOf, openWatched, store } from './stored.ts'

const test = suite('cache/tiered')

interface Machine {
  readonly cache: ReturnType<typeof openWatched>['cache']
  readonly remote: RemoteCache
  readonly warnings: string[]
}

/** A checkout with a local cache of its own, in front of `shared`. */
function machine(directory: string, shared: MemoryStore, options: Partial<RemoteCacheOptions> = {}): Machine {
  const { cache } = openWatched(directory)
  const warnings: string[] = []
  const remote = openRemoteCache({
    local: cache,
    name: 'memory:',
    open: async () => shared,
    reads: true,
    writes: true,
    fills: true,
    keys: [],
    limits: { timeoutMs: 5000, maxWaitMs: 5000 },
    warn: (message) => warnings.push(message),
    holdsSecret: () => false,
    signal: new AbortController().signal,
    ...options,
  })
  return { cache, remote, warnings }
}

/** Makes a result on a machine as a run does, and shares it. */
async function make({ cache, remote }: Machine, name: string, text = name): Promise<ActionResult> {
  const result = await store(cache, name, text)
  await remote.actions.set(keyOf(name), result)
  return result
}

test('what one machine made another has, in its own cache too; blobs come before the entry, and are sent once', () =>
  inDirectory(async (parent) => {
    const shared = memoryStore()
    const ci = machine(`${parent}/ci`, shared)
    const result = await make(ci, 'api', 'bytes')
    await make(ci, 'web', 'bytes')
    await ci.remote.close()
    const sent = shared.calls.map((call) => call.split(' ')[0])
    assert.equal(sent.filter((call) => call === 'writeBlob').length, 1)
    assert.ok(sent.indexOf('writeBlob') < sent.indexOf('writeAction'))
    assert.equal(ci.remote.counts(), { taken: 0, shared: 2 })

    const laptop = machine(`${parent}/laptop`, shared, { writes: false })
    assert.equal(await laptop.remote.actions.get(keyOf('api')), result)
    assert.equal(await laptop.cache.actions.get(keyOf('api')), result)
    assert.is(Buffer.from((await laptop.cache.content.read(digestOf('bytes'))) ?? []).toString(), 'bytes')
    assert.is(await laptop.remote.actions.get(keyOf('none')), undefined)
    await make(laptop, 'other')
    await laptop.remote.close()
    assert.not(shared.entries.has(keyOf('other')), 'who only reads writes nothing')
    assert.equal([...ci.warnings, ...laptop.warnings], [])
  }))

test('a secret is found in bytes that are no text, whatever its letters', () =>
  inDirectory(async (parent) => {
    const ci = machine(`${parent}/ci`, memoryStore(), { holdsSecret: createDetector(['geheim-schlüssel']) })
    const binary = Buffer.concat([Buffer.from([0xff, 0xfe, 0]), Buffer.from('x geheim-schlüssel y'), Buffer.from([0xff])])
    const digest = await ci.cache.content.write(binary)
    await ci.remote.actions.set(keyOf('api'), { files: { app: { digest, executable: true } }, values: {} })
    await ci.remote.close()
    assert.equal(ci.remote.counts(), { taken: 0, shared: 0 })
    assert.match(ci.warnings[0] ?? '', 'app holds the value of a secret')
  }))

test('a failure or two are told at the end, once', () =>
  inDirectory(async (parent) => {
    for (const writes of [false, true]) {
      const broken = { ...memoryStore(), readAction: () => Promise.reject(new Error('GET x failed: refused')) }
      const laptop = machine(`${parent}/${writes}`, broken, { writes })
      assert.is(await laptop.remote.actions.get(keyOf('api')), undefined)
      await make(laptop, 'api')
      await laptop.remote.close()
      assert.equal(laptop.warnings, ['the remote cache memory: did not answer a question: GET x failed: refused'])
    }
    const dead = () => Promise.reject(new Error('refused'))
    const ci = machine(`${parent}/ci`, { ...memoryStore(), readAction: dead, hasBlob: dead })
    await ci.remote.actions.get(keyOf('api'))
    await make(ci, 'api')
    await ci.remote.close()
    assert.equal(ci.warnings, ['1 result was not shared with the remote cache memory:: refused'])
  }))

test('who only looks fetches and keeps nothing', () =>
  inDirectory(async (parent) => {
    const shared = memoryStore()
    const ci = machine(`${parent}/ci`, shared)
    await make(ci, 'api')
    await ci.remote.close()
    const planner = machine(`${parent}/planner`, shared, { fills: false, writes: false })
    shared.calls.length = 0
    assert.ok(await planner.remote.actions.get(keyOf('api')))
    assert.equal(shared.calls, [`readAction ${keyOf('api').slice(0, 12)}`])
    assert.is(await planner.cache.actions.get(keyOf('api')), undefined)
  }))

test('nothing is opened before it is asked', () =>
  inDirectory(async (parent) => {
    let opened = 0
    const open = async () => {
      opened += 1
      return memoryStore()
    }
    const { remote } = machine(parent, memoryStore(), { open })
    await remote.close()
    assert.is(opened, 0)
  }))

test('what is large travels as a file, which is gone afterwards, and is a miss when it is not what its name says', () =>
  inDirectory(async (parent) => {
    const shared = memoryStore()
    const ci = machine(`${parent}/ci`, shared)
    const text = 'large '.repeat(300_000)
    const result = await make(ci, 'api', text)
    await ci.remote.close()
    const laptop = machine(`${parent}/laptop`, shared)
    assert.equal(await laptop.remote.actions.get(keyOf('api')), result)
    assert.is(Buffer.from((await laptop.cache.content.read(digestOf(text))) ?? []).toString(), text)
    assert.ok(shared.calls.some((call) => call.startsWith('downloadBlob')))

    shared.blobs.set(digestOf(text), Buffer.from(text.toUpperCase()))
    const victim = machine(`${parent}/victim`, shared)
    assert.is(await victim.remote.actions.get(keyOf('api')), undefined)
    assert.is(await victim.cache.content.has(digestOf(text.toUpperCase())), false)
    assert.match(victim.warnings.join(), 'is not what its name says')
    for (const name of ['ci', 'laptop', 'victim']) assert.equal(filesIn(`${parent}/${name}`, 'tmp'), [])
  }))

test('a secret is found where two pieces of a large file meet, within a character', () =>
  inDirectory(async (parent) => {
    const ci = machine(`${parent}/ci`, memoryStore(), { holdsSecret: createDetector(['geheim-schlüssel']) })
    const secret = Buffer.from('geheim-schlüssel')
    // The first piece ends in the middle of its `ü`.
    const before = Buffer.alloc(4 * 1024 ** 2 - secret.indexOf('ü') - 1, 'x')
    const digest = await ci.cache.content.write(Buffer.concat([before, secret, Buffer.alloc(100_000, 'ß')]))
    await ci.remote.actions.set(keyOf('api'), { files: { app: { digest, executable: true } }, values: {} })
    await ci.remote.close()
    assert.equal(ci.remote.counts(), { taken: 0, shared: 0 })
    assert.match(ci.warnings[0] ?? '', 'app holds the value of a secret')
  }))

test('of a result of which nothing is there, not every small blob is asked for', () =>
  inDirectory(async (parent) => {
    const shared = memoryStore()
    const ci = machine(`${parent}/ci`, shared)
    const share = async (name: string, contents: readonly string[]): Promise<number> => {
      const files: Record<string, OutputFile> = {}
      for (const text of contents) files[text] = { digest: await ci.cache.content.write(Buffer.from(text)), executable: false }
      const before = shared.calls.length
      await ci.remote.actions.set(keyOf(name), { files, values: {} })
      while (!shared.entries.has(keyOf(name))) await new Promise((resolve) => setImmediate(resolve))
      return shared.calls.slice(before).filter((call) => call.startsWith('hasBlob')).length
    }
    const many = Array.from({ length: 200 }, (_, index) => `file ${index}`)
    assert.ok((await share('first', many)) < 40)
    shared.blobs.set(digestOf('there'), Buffer.from('there'))
    assert.is(await share('second', ['there', ...many.map((text) => `${text}, changed`)]), 201)
    assert.equal(ci.warnings, [])
  }))

test('an entry whose blob is gone, or is not what its name says, is a miss, and nothing of it is kept', () =>
  inDirectory(async (parent) => {
    const shared = memoryStore()
    const ci = machine(`${parent}/ci`, shared)
    await make(ci, 'api', 'bytes')
    await ci.remote.close()
    const laptop = machine(`${parent}/laptop`, shared)
    shared.blobs.set(digestOf('bytes'), Buffer.from('other'))
    assert.is(await laptop.remote.actions.get(keyOf('api')), undefined)
    assert.match(laptop.warnings.join(), 'is not what its name says')
    shared.blobs.clear()
    assert.is(await laptop.remote.actions.get(keyOf('api')), undefined)
    assert.is(await laptop.cache.actions.get(keyOf('api')), undefined)
    assert.is(laptop.warnings.length, 1, 'a missing blob is told of by nobody')
  }))

test('what is not signed is a miss, with one warning however often; what is damaged three times ends it', () =>
  inDirectory(async (parent) => {
    const shared = memoryStore()
    for (const name of ['a', 'b', 'c']) shared.entries.set(keyOf(name), sealEntry(keyOf(name), '{}', []))
    const strict = machine(`${parent}/a`, shared, { keys: [signingKey('k'.repeat(16))] })
    for (const name of ['a', 'b', 'c']) assert.is(await strict.remote.actions.get(keyOf(name)), undefined)
    assert.equal(strict.warnings, ['entries of the remote cache memory: are not believed: the first such is not signed'])
    for (const name of ['a', 'b', 'c', 'd', 'e']) shared.entries.set(keyOf(name), Buffer.from('<html>please log in</html>'))
    const lax = machine(`${parent}/b`, shared)
    shared.calls.length = 0
    for (const name of ['a', 'b', 'c', 'd', 'e']) assert.is(await lax.remote.actions.get(keyOf(name)), undefined)
    assert.is(shared.calls.length, 3)
    assert.match(lax.warnings.at(-1) ?? '', 'is not read for the rest of this run: 3 of its entries or blobs cannot be used')
  }))

test('three failures in a row end it with one warning, and an answer between them does not', () =>
  inDirectory(async (parent) => {
    const shared = memoryStore()
    shared.before = async () => {
      if (shared.calls.length !== 3) throw new Error('GET x was answered with 500')
    }
    const { remote, warnings } = machine(parent, shared)
    for (let count = 0; count < 20; count += 1) assert.is(await remote.actions.get(keyOf(`${count}`)), undefined)
    assert.is(shared.calls.length, 6)
    assert.equal(warnings, ['the remote cache memory: is not used for the rest of this run: GET x was answered with 500'])
    await remote.close()
  }))

test('a silence ends it for all that wait, whether or not the store obeys; at most thirty-two are asked at once', () =>
  inDirectory(async (parent) => {
    const shared = memoryStore()
    shared.before = () => new Promise(() => {})
    const { remote, warnings } = machine(parent, shared, { limits: { timeoutMs: 20, maxWaitMs: 5000 } })
    const all = Array.from({ length: 100 }, (_, count) => remote.actions.get(keyOf(`${count}`)))
    assert.equal(new Set(await within(3000, Promise.all(all))), new Set([undefined]))
    assert.is(shared.calls.length, 32)
    assert.equal(warnings, ['the remote cache memory: is not used for the rest of this run: it did not answer within 0.02 s'])
  }))

test('a token that may not write costs the writing only', () =>
  inDirectory(async (parent) => {
    const shared = memoryStore()
    const maker = machine(`${parent}/maker`, shared)
    await make(maker, 'known')
    await maker.remote.close()
    shared.before = async (call) => {
      if (call.startsWith('hasBlob')) throw new Error('HEAD x was answered with 403')
    }
    const reader = machine(`${parent}/reader`, shared)
    for (const name of ['a', 'b', 'c', 'd', 'e']) await make(reader, name)
    await reader.remote.close()
    assert.equal(reader.warnings, ['the remote cache memory: is not written to for the rest of this run: HEAD x was answered with 403'])
    assert.is(shared.entries.size, 1)
    const again = machine(`${parent}/again`, shared)
    for (const name of ['a', 'b', 'c']) await make(again, name)
    assert.ok(await again.remote.actions.get(keyOf('known')))
  }))

test('who cannot be reached to write is not asked to read either, with one warning', () =>
  inDirectory(async (parent) => {
    const shared = memoryStore()
    shared.before = async () => {
      throw new Error('HEAD x failed: refused', { cause: Object.assign(new Error('refused'), { code: 'ECONNREFUSED' }) })
    }
    const { remote, warnings, cache } = machine(parent, shared)
    for (const name of ['a', 'b', 'c']) await make({ remote, warnings, cache }, name)
    await remote.close()
    assert.is(await remote.actions.get(keyOf('d')), undefined)
    assert.equal(warnings, ['the remote cache memory: is not used for the rest of this run: HEAD x failed: refused'])
  }))

test('look-ups that find nothing have a budget, and a hit renews it', () =>
  inDirectory(async (parent) => {
    const shared = memoryStore()
    let clock = 0
    shared.before = async () => {
      clock += 400
    }
    const maker = machine(`${parent}/maker`, shared)
    await make(maker, 'known')
    await maker.remote.close()
    const { remote, warnings } = machine(`${parent}/a`, shared, { limits: { timeoutMs: 5000, maxWaitMs: 1000 }, now: () => clock })
    shared.calls.length = 0
    for (const name of ['a', 'b', 'known', 'c', 'd', 'e', 'f', 'g']) await remote.actions.get(keyOf(name))
    assert.is(shared.calls.filter((call) => call.startsWith('readAction')).length, 6)
    assert.equal(warnings, ['the remote cache memory: is not read for the rest of this run: look-ups took more than 1 s and found nothing'])
  }))

test('uploads are waited for at the end, never before, and no longer than they may take', () =>
  inDirectory(async (parent) => {
    const shared = memoryStore()
    shared.before = () => new Promise(() => {})
    const slow = machine(`${parent}/a`, shared, { limits: { timeoutMs: 5000, maxWaitMs: 20 } })
    await within(3000, make(slow, 'a'))
    await make(slow, 'b')
    await within(3000, slow.remote.close())
    assert.equal(slow.warnings, [
      '2 results were not shared with the remote cache memory:: uploading took more than 0.02 s after the last task',
    ])
    const stop = new AbortController()
    const cut = machine(`${parent}/b`, shared, { signal: stop.signal })
    await make(cut, 'a')
    stop.abort()
    await within(3000, cut.remote.close())
    assert.equal(cut.warnings, [], 'who interrupts a run waits for nothing and is told nothing')
  }))

test('a result that fails to be shared is told of at the end, with the reason', () =>
  inDirectory(async (parent) => {
    const shared = memoryStore()
    shared.before = async (call) => {
      if (call.startsWith('writeAction')) throw new Error('PUT x was answered with 507')
    }
    const { remote, warnings, cache } = machine(parent, shared)
    await make({ remote, warnings, cache }, 'a')
    await remote.close()
    assert.equal(warnings, ['1 result was not shared with the remote cache memory:: PUT x was answered with 507'])
  }))

test('what holds the value of a secret, and what no one would take, stays here', () =>
  inDirectory(async (parent) => {
    const shared = memoryStore()
    const ci = machine(parent, shared, { holdsSecret: (text) => text.includes('hunter22') })
    await make(ci, 'leak', `${'x'.repeat(100)}hunter22`)
    const digest = await ci.cache.content.write(Buffer.from('plain'))
    await ci.remote.actions.set(keyOf('value'), { files: {}, values: { token: 'hunter22' } })
    await ci.remote.actions.set(keyOf('hook'), { files: { '.git/hooks/x': { digest, executable: true } }, values: {} })
    await ci.remote.close()
    assert.is(shared.entries.size, 0)
    assert.equal(
      ci.warnings,
      [
        'a result holds the value of a secret, so the task that made it is not shared',
        'out holds the value of a secret, so the task that made it is not shared',
      ].sort((a, b) => ci.warnings.indexOf(a) - ci.warnings.indexOf(b)),
    )
  }))

test.run()
