import { appendFileSync, rmSync, statfsSync, statSync, utimesSync } from 'node:fs'
import { join } from 'node:path'
import type { Digest } from '../graph/types.ts'
import { actionLogDirectory } from './action-log.ts'
import { blobsOf } from './action-record.ts'
import { loadCacache, removeKey, removeLarge } from './blobs.ts'
import { isOfTheDisk, parseObject } from './foreign.ts'
import { textIfThere } from './if-there.ts'
import { addedFile, collectedFile } from './layout.ts'
import type { LocalCache } from './local.ts'
import { replaceFile } from './replace-file.ts'
import { runningSince } from './running.ts'
import { filesBelow, type StoredResult, survey } from './survey.ts'

export interface Limits {
  readonly maxSizeBytes: number
  /** Since a result was last stored or hit. */
  readonly maxAgeMs: number
}

/** What holds where the manifest says nothing: no cache grows without bound. */
export const defaultLimits: Limits = { maxSizeBytes: 5 * 1024 ** 3, maxAgeMs: 30 * 24 * 3_600_000 }

export interface Collected {
  readonly removedResults: number
  readonly removedBytes: number
  readonly keptResults: number
  readonly keptBytes: number
}

/** A blob no result names may belong to a task that is about to store its result. */
const graceMs = 3_600_000
const intervalMs = 24 * 3_600_000
/** Of what is free on the file system and the cache itself, this much may be the cache's. */
const shareOfFree = 0.5

/**
 * Collects when the last time was a day ago or more, or when more was added since than the limit leaves room for. To know that costs two small reads.
 * Limits are also bounded by the disk: a cache never takes more than half of what is free and its own.
 */
export async function collectWhenDue(
  cache: LocalCache,
  limits: Limits = defaultLimits,
  nowMs = Date.now(),
): Promise<Collected | undefined> {
  if (!statSync(cache.directory, { throwIfNoEntry: false })) return undefined
  if (cache.addedBytes() > 0) bestEffort(() => appendFileSync(join(cache.directory, addedFile), `${cache.addedBytes()}\n`))
  const last = lastCollection(cache.directory)
  const sizeBytes = last.keptBytes + addedSince(cache.directory)
  const bounded = boundedByDisk(cache.directory, limits, sizeBytes)
  // A stamp of the future is one of a clock that was wrong.
  const sinceMs = nowMs - last.atMs
  if (sinceMs >= 0 && sinceMs < intervalMs && sizeBytes <= bounded.maxSizeBytes) return undefined
  // Stamped first, so that a second process does not collect at the same time.
  stamp(cache.directory, nowMs, Math.min(sizeBytes, bounded.maxSizeBytes))
  return collect(cache, bounded, nowMs)
}

/** When was collected last, in milliseconds, and how much was kept; zeros when never. */
export function lastCollection(directory: string): { readonly atMs: number; readonly keptBytes: number } {
  const { atMs, keptBytes } = parseObject(textIfThere(join(directory, collectedFile)) ?? '') ?? {}
  return { atMs: typeof atMs === 'number' ? atMs : 0, keptBytes: typeof keptBytes === 'number' ? keptBytes : 0 }
}

/**
 * Brings the cache within its limits: first results go, least recently used first, then blobs no remaining result names. What a running process has used
 * since it began stays, even above the limits. With `removes: false` it only says what would go. Also removes what crashes left behind and log entries past their age.
 */
export async function collect(
  cache: LocalCache,
  limits: Limits = defaultLimits,
  nowMs = Date.now(),
  { removes = true }: { readonly removes?: boolean } = {},
): Promise<Collected> {
  const { directory } = cache
  const { results, blobs, foreignKeys, strays } = await survey(directory)
  if (!statSync(directory, { throwIfNoEntry: false })) return { removedResults: 0, removedBytes: 0, keptResults: 0, keptBytes: 0 }
  const inUseMs = runningSince(directory, nowMs) ?? Number.POSITIVE_INFINITY
  const { kept, keptBlobs, keptBytes: bytesOfKept } = choose(results, (digest) => blobs.get(digest)?.sizeBytes ?? 0, limits, nowMs, inUseMs)

  let keptBytes = bytesOfKept
  let removedBytes = 0
  const remove = (path: string, sizeBytes: number): void => {
    if (removes) rmSync(path, { force: true })
    removedBytes += sizeBytes
  }
  const evicted = results.filter((result) => !kept.has(result))
  for (const { path, sizeBytes } of evicted) remove(path, sizeBytes)
  const namedBefore = new Set(results.flatMap(({ record }) => (record ? blobsOf(record.result) : [])))
  for (const { digest, path, sizeBytes, usedMs, isLarge } of blobs.values()) {
    if (keptBlobs.has(digest)) continue
    const isWaiting = usedMs >= inUseMs || (!namedBefore.has(digest) && nowMs - usedMs <= graceMs)
    if (isWaiting) keptBytes += sizeBytes
    else {
      if (isLarge && removes) await removeLarge(await loadCacache(), directory, digest)
      remove(path, sizeBytes)
    }
  }
  if (removes) for (const key of foreignKeys) await removeKey(await loadCacache(), directory, key)
  for (const { path, sizeBytes, changedMs } of strays) if (nowMs - changedMs > graceMs) remove(path, sizeBytes)
  for (const [, path, stat] of filesBelow(actionLogDirectory(directory)))
    if (nowMs - stat.mtimeMs > limits.maxAgeMs) remove(path, stat.size)
  if (removes) {
    // Used by a clock that was wrong: it would never be of any age.
    for (const { path, usedMs } of [...kept, ...blobs.values()]) if (usedMs > nowMs + graceMs) bestEffort(() => setUsed(path, nowMs))
    stamp(directory, nowMs, keptBytes)
  }
  return { removedResults: evicted.length, removedBytes, keptResults: kept.size, keptBytes }
}

interface Choice {
  readonly kept: ReadonlySet<StoredResult>
  readonly keptBlobs: ReadonlySet<Digest>
  readonly keptBytes: number
}

/** Which results stay: the most recently used, as many as fit. A blob counts once. */
function choose(
  results: readonly StoredResult[],
  sizeOf: (digest: Digest) => number,
  limits: Limits,
  nowMs: number,
  inUseMs: number,
): Choice {
  const kept = new Set<StoredResult>()
  const keptBlobs = new Set<Digest>()
  let keptBytes = 0
  for (const result of results.toSorted((a, b) => b.usedMs - a.usedMs || (a.key < b.key ? -1 : 1))) {
    if (!result.record) continue
    const added = blobsOf(result.record.result).filter((digest) => !keptBlobs.has(digest))
    const sizeBytes = added.reduce((sum, digest) => sum + sizeOf(digest), result.sizeBytes)
    const fits = nowMs - result.usedMs <= limits.maxAgeMs && keptBytes + sizeBytes <= limits.maxSizeBytes
    if (!fits && result.usedMs < inUseMs) continue
    kept.add(result)
    keptBytes += sizeBytes
    for (const digest of added) keptBlobs.add(digest)
  }
  return { kept, keptBlobs, keptBytes }
}

/** Never more than a share of what is free, so that a full disk is not ours to answer for. */
export function boundedByDisk(directory: string, limits: Limits, cacheBytes: number): Limits {
  const { bavail, bsize } = statfsSync(directory)
  return { ...limits, maxSizeBytes: Math.min(limits.maxSizeBytes, Math.floor((bavail * bsize + cacheBytes) * shareOfFree)) }
}

function stamp(directory: string, atMs: number, keptBytes: number): void {
  bestEffort(() => {
    replaceFile(join(directory, collectedFile), JSON.stringify({ atMs, keptBytes }))
    rmSync(join(directory, addedFile), { force: true })
  })
}

function setUsed(path: string, atMs: number): void {
  if (statSync(path, { throwIfNoEntry: false })) utimesSync(path, atMs / 1000, atMs / 1000)
}

/** What is noted for the next collection: a disk that is full must not keep this one from making room. */
function bestEffort(note: () => void): void {
  try {
    note()
  } catch (error) {
    if (!isOfTheDisk(error)) throw error
  }
}

function addedSince(directory: string): number {
  const lines = (textIfThere(join(directory, addedFile)) ?? '').split('\n')
  return lines.reduce((sum, line) => sum + (/^\d+$/.test(line) ? Number(line) : 0), 0)
}
