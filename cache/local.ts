/**
 * The cache of one machine's folder. Results are small files of ours, each verified by a digest of its own and put in place by rename: any number of
 * processes may use one folder at once, and one that is killed leaves nothing half. Blobs are written before the result that names them.
 */
import { rmSync } from 'node:fs'
import { digestOf } from '../graph/fingerprint.ts'
import type { ActionResult, Digest, Fingerprint } from '../graph/types.ts'
import { actionLogDirectory, openActionLog } from './action-log.ts'
import { type ActionRecord, blobsOf, parseRecord } from './action-record.ts'
import { type Blobs, openBlobs } from './blobs.ts'
import type { ActionCache, ActionLog, Cache } from './cache.ts'
import { isOfTheDisk, messageOf } from './foreign.ts'
import { textIfThere } from './if-there.ts'
import { resultPath } from './layout.ts'
import { replaceFile } from './replace-file.ts'
import { announce } from './running.ts'
import { touch } from './touch.ts'

export interface LocalCache extends Cache {
  readonly name: 'local'
  readonly directory: string
  readonly content: Blobs
  readonly log: ActionLog
  /** Bytes that were added through this opening: what decides whether a collection is due. */
  addedBytes(): number
}

export interface LocalCacheOptions {
  /** Told of what was found damaged or could not be kept; such an entry is a miss. Default: nobody. */
  readonly warn?: (message: string) => void
}

/** Opens the cache in `directory`, which need not exist. Nothing is read, and cacache is not loaded, before the first question. */
export function openLocalCache(directory: string, options: LocalCacheOptions = {}): LocalCache {
  const warn = options.warn ?? (() => {})
  const openedMs = Date.now()
  let addedBytes = 0
  const used = (bytes: number): void => {
    announce(directory)
    addedBytes += bytes
  }
  let isUnwritable = false
  let isUnreadable = false
  /** What was made is still good, and every task would say the same. */
  const unwritable = (error: unknown): void => {
    if (!isUnwritable && !isUnreadable)
      warn(`the cache in ${directory} cannot be written, so what this run makes is not kept: ${messageOf(error)}`)
    isUnwritable = true
  }
  const unreadable = (error: unknown): void => {
    if (!isUnreadable) warn(`the cache in ${directory} cannot be used: ${messageOf(error)}`)
    isUnreadable = true
  }
  const content = telling(openBlobs(directory, { warn, used, openedMs }), directory, unwritable)
  return {
    name: 'local',
    directory,
    content,
    actions: openActions(directory, content, { warn, used, openedMs, unwritable, unreadable, isUnwritable: () => isUnwritable }),
    log: openActionLog(actionLogDirectory(directory), warn),
    addedBytes: () => addedBytes,
  }
}

/** What a result's file holds: the digest of the rest, so that no flipped bit becomes a wrong hit, then the record. */
export function resultText(record: ActionRecord): string {
  const text = JSON.stringify(record)
  return `${digestOf(text)}\n${text}`
}

/** The record in a result's file, or undefined when it is damaged, of another layout, or another key's. */
export function parseResultText(text: string, key?: Fingerprint): ActionRecord | undefined {
  const end = text.indexOf('\n')
  const record = text.slice(end + 1)
  return text.slice(0, Math.max(end, 0)) === digestOf(record) ? parseRecord(record, key) : undefined
}

interface Watching {
  readonly warn: (message: string) => void
  readonly used: (addedBytes: number) => void
  readonly openedMs: number
  /** Told what kept something from being written. */
  readonly unwritable: (error: unknown) => void
  /** Told what kept something from being read. */
  readonly unreadable: (error: unknown) => void
  readonly isUnwritable: () => boolean
}

/** Whoever writes is told of a failure, and so is `unwritable`: not all who write can say what it means. */
function telling(blobs: Blobs, directory: string, unwritable: (error: unknown) => void): Blobs {
  const told = async (write: Promise<Digest>): Promise<Digest> => {
    try {
      return await write
    } catch (error) {
      if (isOfTheDisk(error) || isBelow(directory, error)) unwritable(error)
      throw error
    }
  }
  return { ...blobs, write: (bytes) => told(blobs.write(bytes)), writeFile: (path) => told(blobs.writeFile(path)) }
}

/** A folder that cannot be made is reported as one that is not there. */
function isBelow(directory: string, error: unknown): boolean {
  return error instanceof Error && 'path' in error && typeof error.path === 'string' && error.path.startsWith(directory)
}

function openActions(
  directory: string,
  blobs: Blobs,
  { warn, used, openedMs, unwritable, unreadable, isUnwritable }: Watching,
): ActionCache {
  /** The result behind a key, why what is there cannot be used, or nothing. */
  async function look(path: string, key: Fingerprint): Promise<ActionResult | { readonly unusable: string } | undefined> {
    const text = textIfThere(path)
    if (text === undefined) return undefined
    const record = parseResultText(text, key)
    if (!record) return { unusable: 'it is not a result of this task' }
    for (const digest of blobsOf(record.result)) {
      if ((await blobs.sizeOf(digest, record.sizes[digest])) === undefined)
        return { unusable: `blob ${digest.slice(0, 12)} is gone or was cut off` }
    }
    touch(path, openedMs)
    return record.result
  }
  return {
    async get(key) {
      try {
        const path = resultPath(directory, key)
        const found = await look(path, key)
        if (found === undefined) return undefined
        used(0)
        if (!('unusable' in found)) return found
        rmSync(path, { force: true })
        warn(`result ${key.slice(0, 12)} in the cache cannot be used and has been removed: ${found.unusable}`)
      } catch (error) {
        unreadable(error)
      }
      return undefined
    },

    async set(key, result) {
      try {
        const sizes: Record<Digest, number> = {}
        for (const digest of blobsOf(result)) {
          const size = await blobs.sizeOf(digest)
          if (size === undefined) throw new Error(`blob ${digest.slice(0, 12)} is not in the cache`)
          sizes[digest] = size
        }
        const text = resultText({ schema: 1, fingerprint: key, result, sizes })
        replaceFile(resultPath(directory, key), text)
        used(text.length)
      } catch (error) {
        // What was made is still good: only the next run is slower for it.
        if (isOfTheDisk(error)) unwritable(error)
        else if (!isUnwritable()) warn(`result ${key.slice(0, 12)} was not kept: ${messageOf(error)}`)
      }
    },
  }
}
