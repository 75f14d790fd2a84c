/** The reading half of a remote cache: an entry, whether it may be believed, its blobs, and only then the local cache. */
import { digestOf } from '../graph/fingerprint.ts'
import type { ActionResult, Digest, Fingerprint } from '../graph/types.ts'
import { type ActionRecord, blobsOf } from './action-record.ts'
import { heldBytes, keepFile, withTemporaryFile } from './blobs-under-way.ts'
import { messageOf } from './foreign.ts'
import { openEntry } from './signed-entry.ts'
import { parseSharedRecord } from './signed-result.ts'
import type { RemoteParts } from './tiered.ts'
import type { LookUpBudget } from './tiered-wait.ts'

export interface RemoteReader {
  get(key: Fingerprint): Promise<ActionResult | undefined>
  hits(): number
  /** Tells of questions without an answer that were too few to be told of before. */
  finish(): void
}

/** Then something stands in between that answers whatever it is asked. */
const damagedAllowed = 3

export function remoteReader({ local, store, guard, name, keys, fills, warn, limits }: RemoteParts, budget: LookUpBudget): RemoteReader {
  /** One fetch serves all who want a blob. */
  const fetching = new Map<Digest, Promise<boolean>>()
  let hits = 0
  let damaged = 0
  let unanswered = 0
  let lastWhy = ''

  async function ask<T>(work: (signal: AbortSignal) => Promise<T>, sizeBytes = 0): Promise<T | undefined> {
    const answer = await guard.ask('reading', work, sizeBytes)
    if (answer.ok) return answer.value
    unanswered += 1
    lastWhy = answer.why
    return undefined
  }

  async function lookUp(key: Fingerprint): Promise<ActionRecord | undefined> {
    const end = budget.begin()
    const bytes = await ask(async (signal) => (await store()).readAction(key, signal))
    const record = bytes && opened(key, bytes)
    end(record !== undefined)
    if (budget.isSpent()) guard.turnOff('reading', `look-ups took more than ${limits.maxWaitMs / 1000} s and found nothing`)
    return record
  }

  function opened(key: Fingerprint, bytes: Uint8Array): ActionRecord | undefined {
    const entry = openEntry(key, bytes, keys)
    if ('untrusted' in entry) {
      warn(`entries of the remote cache ${name} are not believed: the first such ${entry.untrusted}`, 'untrusted')
      return undefined
    }
    const record = 'text' in entry ? parseSharedRecord(entry.text, key) : { refused: entry.damaged }
    if (!('refused' in record)) return record
    unusable(`entry ${key.slice(0, 12)} ${record.refused}`)
    return undefined
  }

  function unusable(what: string): void {
    warn(`the remote cache ${name} has what cannot be used: ${what}`)
    damaged += 1
    if (damaged >= damagedAllowed) guard.turnOff('reading', `${damaged} of its entries or blobs cannot be used`)
  }

  function fetched(digest: Digest, size: number): Promise<boolean> {
    const known = fetching.get(digest)
    if (known !== undefined) return known
    const fetch = fetchBlob(digest, size).finally(() => fetching.delete(digest))
    fetching.set(digest, fetch)
    return fetch
  }

  /** @returns false when the blob cannot be had. */
  async function fetchBlob(digest: Digest, size: number): Promise<boolean> {
    if (await local.content.has(digest)) return true
    const isKept = await (size > heldBytes ? downloaded(digest, size) : read(digest, size))
    if (isKept === 'other') unusable(`blob ${digest.slice(0, 12)} is not what its name says`)
    return isKept === true
  }

  async function read(digest: Digest, size: number): Promise<boolean | 'other'> {
    const bytes = await ask(async (signal) => (await store()).readBlob(digest, signal, size), size)
    if (!bytes) return false
    if (digestOf(bytes) !== digest) return 'other'
    await local.content.write(bytes)
    return true
  }

  const downloaded = (digest: Digest, size: number): Promise<boolean | 'other'> =>
    withTemporaryFile(local, async (path) => {
      const isThere = await ask(async (signal) => (await store()).downloadBlob(digest, path, signal, size), size)
      if (!isThere) return false
      return (await keepFile(local, digest, path)) || 'other'
    })

  return {
    hits: () => hits,
    finish() {
      // Turned off means told; cut short means nobody waits for an answer.
      if (unanswered === 0 || !guard.isOn('reading')) return
      warn(`the remote cache ${name} did not answer ${unanswered === 1 ? 'a question' : `${unanswered} questions`}: ${lastWhy}`)
    },
    async get(key) {
      if (!guard.isOn('reading')) return undefined
      try {
        const record = await lookUp(key)
        if (!record) return undefined
        const { result, sizes } = record
        if (fills) {
          const there = await Promise.all(blobsOf(result).map((digest) => fetched(digest, sizes[digest] ?? 0)))
          if (there.includes(false)) return undefined
          await local.actions.set(key, result)
        }
        hits += 1
        return result
      } catch (error) {
        // The folder of the local cache, most likely; without the blobs there is nothing to restore from.
        warn(`what the remote cache ${name} has cannot be kept here: ${messageOf(error)}`, 'unkept')
        return undefined
      }
    },
  }
}
