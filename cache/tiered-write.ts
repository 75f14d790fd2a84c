/** The writing half of a remote cache: in the background, blobs first and the entry last, so that nobody ever finds half a result. */
import { isUtf8 } from 'node:buffer'
import type { ActionResult, Digest, Fingerprint } from '../graph/types.ts'
import { type ActionRecord, blobsOf } from './action-record.ts'
import { heldBytes, overlapping, withTemporaryFile } from './blobs-under-way.ts'
import { messageOf } from './foreign.ts'
import type { BlobFile } from './remote-store.ts'
import { sealEntry } from './signed-entry.ts'
import { whyNotShared } from './signed-result.ts'
import { createSlots } from './slots.ts'
import type { RemoteParts } from './tiered.ts'

export interface RemoteWriter {
  /** Begins, and returns at once. */
  share(key: Fingerprint, result: ActionResult): void
  /** Waits for what was begun, at most as long as the limits say, and tells what did not get there. @returns whether it told anything. */
  finish(): Promise<boolean>
  shared(): number
}

/** Blobs at a time: in memory, and as copies on disk. */
const [heldAtOnce, filesAtOnce] = [16, 2]
/** A secret is looked for in pieces; pieces overlap by more than a secret is long. */
const pieceBytes = 4 * 1024 ** 2
const overlapBytes = 64 * 1024
/** When none of so many blobs of a result was there, the small ones among the rest are sent without a question: it would cost as much. */
const questionsEnough = 8
const smallBytes = 64 * 1024

/** It stays here, and that is as it should be. */
class Withheld extends Error {}

/** Blobs of one result: how many were asked for, and how many of them were there. */
interface Found {
  asked: number
  there: number
}

export function remoteWriter({ local, store, guard, name, keys, limits, warn, holdsSecret, signal }: RemoteParts): RemoteWriter {
  const underWay = new Set<Promise<void>>()
  const uploads = new Map<Digest, Promise<number>>()
  const [heldTurn, fileTurn] = [createSlots(heldAtOnce), createSlots(filesAtOnce)]
  let shared = 0
  let failed = 0
  let lastFailure = ''

  async function ask<T>(work: (signal: AbortSignal) => Promise<T>, sizeBytes = 0): Promise<T> {
    const answer = await guard.ask('writing', work, sizeBytes)
    if (answer.ok) return answer.value
    throw new Error(answer.why)
  }

  /** @returns its size. The same blob of several results is sent once. */
  function uploaded(digest: Digest, path: string, found: Found): Promise<number> {
    const known = uploads.get(digest)
    if (known !== undefined) return known
    const upload = uploadBlob(digest, path, found)
    uploads.set(digest, upload)
    upload.catch(() => uploads.delete(digest))
    return upload
  }

  async function uploadBlob(digest: Digest, path: string, found: Found): Promise<number> {
    const size = (await local.content.sizeOf(digest)) ?? gone(digest)
    if (size <= heldBytes) await heldTurn(() => uploadHeld(digest, path, found))
    else await fileTurn(() => withTemporaryFile(local, (copy) => uploadFile(digest, path, { path: copy, sizeBytes: size })))
    return size
  }

  async function uploadHeld(digest: Digest, path: string, found: Found): Promise<void> {
    if (!guard.isOn('writing')) throw new Error('it is not used any more')
    const bytes = (await local.content.read(digest)) ?? gone(digest)
    if (holds(bytes)) throw withheld(path)
    const isNew = found.asked >= questionsEnough && found.there === 0 && bytes.byteLength <= smallBytes
    if (isNew || !(await isThere(digest, found))) await write(digest, bytes, bytes.byteLength)
  }

  async function uploadFile(digest: Digest, path: string, copy: BlobFile): Promise<void> {
    if (!guard.isOn('writing')) throw new Error('it is not used any more')
    if (!(await local.content.copyTo(digest, copy.path))) gone(digest)
    for await (const piece of overlapping(copy.path, pieceBytes, overlapBytes)) if (holds(piece)) throw withheld(path)
    if (!(await isThere(digest))) await write(digest, copy, copy.sizeBytes)
  }

  async function isThere(digest: Digest, found?: Found): Promise<boolean> {
    const answer = await ask(async (limit) => (await store()).hasBlob(digest, limit))
    if (found) {
      found.asked += 1
      found.there += answer ? 1 : 0
    }
    return answer
  }

  const write = (digest: Digest, content: Uint8Array | BlobFile, sizeBytes: number): Promise<void> =>
    ask(async (limit) => (await store()).writeBlob(digest, content, limit), sizeBytes)

  function withheld(what: string): Withheld {
    warn(`${what} holds the value of a secret, so the task that made it is not shared`)
    return new Withheld()
  }

  /** A piece of a file may begin or end within a character: then it is read in both ways. */
  function holds(bytes: Uint8Array): boolean {
    const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    return holdsSecret(buffer.toString('utf8')) || (!isUtf8(buffer) && holdsSecret(buffer.toString('latin1')))
  }

  async function upload(key: Fingerprint, result: ActionResult): Promise<void> {
    const paths = new Map(Object.entries(result.files).map(([path, { digest }]) => [digest, path]))
    const found: Found = { asked: 0, there: 0 }
    const sized = await Promise.all(
      blobsOf(result).map(async (digest) => [digest, await uploaded(digest, paths.get(digest) ?? 'a log', found)] as const),
    )
    const record: ActionRecord = { schema: 1, fingerprint: key, result, sizes: Object.fromEntries(sized) }
    const text = JSON.stringify(record)
    if (holdsSecret(text)) throw withheld('a result')
    // What nobody would accept need not be sent.
    if (whyNotShared(record) !== undefined) throw new Withheld()
    const sealed = sealEntry(key, text, keys)
    const blobs = sized.map(([digest, size]) => ({ digest, size }))
    await ask(async (limit) => (await store()).writeAction(key, sealed, limit, blobs), sealed.byteLength)
  }

  return {
    shared: () => shared,
    share(key, result) {
      if (!guard.isOn('writing')) return
      const work = upload(key, result)
        .then(
          () => {
            shared += 1
          },
          (error: unknown) => {
            if (error instanceof Withheld) return
            failed += 1
            lastFailure = messageOf(error)
          },
        )
        .finally(() => underWay.delete(work))
      underWay.add(work)
    },
    async finish() {
      const isDone = await settled(underWay, limits.maxWaitMs, signal)
      const missing = failed + underWay.size
      // Turned off means told; cut short means nobody waits for an answer.
      if (missing === 0 || !guard.isOn('writing')) return false
      const why = isDone ? lastFailure : `uploading took more than ${limits.maxWaitMs / 1000} s after the last task`
      warn(`${missing} result${missing === 1 ? ' was' : 's were'} not shared with the remote cache ${name}: ${why}`)
      return true
    },
  }
}

function gone(digest: Digest): never {
  throw new Error(`blob ${digest.slice(0, 12)} is no longer in the local cache`)
}

/** @returns false when the time was over, or the run cut short, before all were done. */
async function settled(work: ReadonlySet<Promise<void>>, ms: number, signal: AbortSignal): Promise<boolean> {
  if (work.size === 0) return true
  const stop = new AbortController()
  const over = new Promise<false>((resolve) => {
    const timer = setTimeout(() => resolve(false), ms)
    const cut = () => resolve(false)
    signal.addEventListener('abort', cut, { signal: stop.signal })
    stop.signal.addEventListener('abort', () => clearTimeout(timer))
    if (signal.aborted) cut()
  })
  try {
    return await Promise.race([Promise.all(work).then(() => true), over])
  } finally {
    stop.abort()
  }
}
