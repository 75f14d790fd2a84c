/** What every RemoteStore promises, whatever it is made of: run by the tests of each of them. */
import { randomBytes } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { createServer, type Socket } from 'node:net'
import { join } from 'node:path'
import type { Test } from 'uvu'
import * as assert from 'uvu/assert'
import type { BlobReference, RemoteStore } from '../../cache/remote-store.ts'
import { digestOf } from '../../graph/fingerprint.ts'
import type { Fingerprint } from '../../graph/types.ts'
import { rejects, within } from './assertions.ts'
import { inDirectory } from './directory.ts'
import { portOf } from './loopback.ts'

export interface RemoteStoreSuite {
  /** A store over something that works; called once for each test. */
  open(): Promise<RemoteStore>
  /** What must be seen nowhere: passwords, keys, tokens. */
  readonly secrets: () => readonly string[]
  /** The same kind of store over `127.0.0.1:port`, where nobody answers. Without it those tests are left out. */
  openAt?(port: number): Promise<RemoteStore>
}

const limitMs = 20_000
const signal = (): AbortSignal => AbortSignal.timeout(limitMs)
const anyKey = (): Fingerprint => randomBytes(32).toString('hex') as Fingerprint
const patient = <T>(promise: Promise<T>): Promise<T> => within(limitMs, promise)

const sizes: readonly (readonly [name: string, bytes: () => Buffer])[] = [
  ['an empty blob', () => Buffer.alloc(0)],
  ['a blob of one byte', () => Buffer.from([7])],
  ['a blob of all byte values', () => Buffer.concat([Buffer.from(Array.from({ length: 256 }, (_, index) => index)), randomBytes(9)])],
  ['a blob of 8 MiB', () => randomBytes(8 * 1024 * 1024)],
]

/** Adds the tests to a suite. */
export function behavesAsRemoteStore(test: Test, name: string, { open, secrets, openAt }: RemoteStoreSuite): void {
  const usingStore = (title: string, run: (store: RemoteStore) => Promise<void>): void => {
    test(`${name}: ${title}`, async () => {
      const store = await open()
      try {
        await run(store)
      } finally {
        await store.close?.()
      }
    })
  }

  for (const [what, make] of sizes) {
    usingStore(`${what} is written, seen and read`, async (store) => {
      const bytes = make()
      const digest = digestOf(bytes)
      await patient(store.writeBlob(digest, bytes, signal()))
      assert.is(await patient(store.hasBlob(digest, signal())), true)
      const read = await patient(store.readBlob(digest, signal()))
      assert.ok(read !== undefined && Buffer.compare(read, bytes) === 0)
    })
  }

  usingStore('a blob goes from a file to a file', async (store) => {
    await inDirectory(async (directory) => {
      const bytes = randomBytes(3 * 1024 * 1024 + 1)
      const [digest, from, to] = [digestOf(bytes), join(directory, 'from'), join(directory, 'to')]
      writeFileSync(from, bytes)
      writeFileSync(to, 'what an attempt before left behind')
      await patient(store.writeBlob(digest, { path: from, sizeBytes: bytes.length }, signal()))
      assert.is(await patient(store.downloadBlob(digest, to, signal(), bytes.length)), true)
      assert.ok(readFileSync(to).equals(bytes))
      const absent = digestOf(randomBytes(16))
      assert.is(await patient(store.downloadBlob(absent, join(directory, 'absent'), signal(), 5_000_000)), false)
      await rejects(store.downloadBlob(digest, join(directory, 'no', 'folder'), signal(), bytes.length), /ENOENT|no such file/)
    })
  })

  usingStore('what was never written is absent', async (store) => {
    const digest = digestOf(randomBytes(16))
    assert.is(await patient(store.hasBlob(digest, signal())), false)
    assert.is(await patient(store.readBlob(digest, signal())), undefined)
    assert.is(await patient(store.readAction(anyKey(), signal())), undefined)
  })

  usingStore('an entry is read as it was written, and can be written again', async (store) => {
    const key = anyKey()
    const [blobs, first, second] = [await someBlobs(store, 3), Buffer.from('{"first":1}'), randomBytes(100_000)]
    for (const bytes of [first, first, second]) {
      await patient(store.writeAction(key, bytes, signal(), blobs))
      const read = await patient(store.readAction(key, signal()))
      assert.ok(read !== undefined && Buffer.compare(read, bytes) === 0)
    }
  })

  usingStore('an entry that names no blobs, or one twice, is an entry', async (store) => {
    const [alone, doubled] = [anyKey(), anyKey()]
    const [blob] = await someBlobs(store, 1)
    await patient(store.writeAction(alone, Buffer.from('alone'), signal()))
    assert.is(String(Buffer.from((await patient(store.readAction(alone, signal()))) ?? [])), 'alone')
    await patient(store.writeAction(doubled, Buffer.from('doubled'), signal(), blob ? [blob, blob] : []))
    assert.is(String(Buffer.from((await patient(store.readAction(doubled, signal()))) ?? [])), 'doubled')
  })

  usingStore('many writers of the same blob, and of many, do not harm each other', async (store) => {
    const bytes = randomBytes(300_000)
    const digest = digestOf(bytes)
    const others = Array.from({ length: 12 }, () => randomBytes(5_000))
    await patient(Promise.all(Array.from({ length: 6 }, () => store.writeBlob(digest, bytes, signal()))))
    await patient(Promise.all(others.map((other) => store.writeBlob(digestOf(other), other, signal()))))
    const read = await patient(Promise.all([digest, ...others.map(digestOf)].map((each) => store.readBlob(each, signal()))))
    assert.equal(
      read.map((each) => each && digestOf(each)),
      [digest, ...others.map(digestOf)],
    )
  })

  usingStore('what is stopped before it begins does not begin', async (store) => {
    const stopped = AbortSignal.abort()
    const bytes = randomBytes(1000)
    const digest = digestOf(bytes)
    for (const attempt of [
      () => store.writeBlob(digest, bytes, stopped),
      () => store.readBlob(digest, stopped),
      () => store.hasBlob(digest, stopped),
      () => store.readAction(anyKey(), stopped),
      () => store.writeAction(anyKey(), bytes, stopped),
    ])
      await within(2_000, rejects(attempt()))
    assert.is(await patient(store.hasBlob(digest, signal())), false)
  })

  usingStore('its name holds no secret', async (store) => {
    assert.ok(store.name.length > 0)
    for (const secret of secrets()) assert.not(store.name.includes(secret), store.name)
  })

  if (openAt === undefined) return
  test(`${name}: where nobody answers, the signal ends the waiting`, async () => {
    const silence = await silentServer()
    const store = await openAt(silence.port)
    const bytes = randomBytes(2_000_000)
    const attempts = [
      (until: AbortSignal) => store.readAction(anyKey(), until),
      (until: AbortSignal) => store.readBlob(digestOf(bytes), until),
      (until: AbortSignal) => store.hasBlob(digestOf(bytes), until),
      (until: AbortSignal) => store.writeBlob(digestOf(bytes), bytes, until),
      (until: AbortSignal) => store.writeAction(anyKey(), bytes, until),
    ]
    try {
      for (const attempt of attempts) {
        const error = await within(3_000, rejects(attempt(AbortSignal.timeout(50))))
        for (const secret of secrets()) assert.not(error.message.includes(secret), error.message)
      }
    } finally {
      await store.close?.()
      silence.close()
    }
  })
}

async function someBlobs(store: RemoteStore, count: number): Promise<readonly BlobReference[]> {
  const blobs = Array.from({ length: count }, (_, index) => randomBytes(100 + index))
  await patient(Promise.all(blobs.map((bytes) => store.writeBlob(digestOf(bytes), bytes, signal()))))
  return blobs.map((bytes) => ({ digest: digestOf(bytes), size: bytes.length }))
}

/** Takes connections and says nothing. */
async function silentServer(): Promise<{ readonly port: number; close(): void }> {
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket.on('error', () => {}))
    socket.resume()
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    port: portOf(server),
    close() {
      server.close()
      for (const socket of sockets) socket.destroy()
    },
  }
}
