import { readdirSync, readFileSync, rmSync, type Stats, statSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Digest } from '../graph/types.ts'
import { actionLogDirectory } from './action-log.ts'
import { blobsOf, parseRecord } from './action-record.ts'
import { codeOf } from './foreign.ts'
import { blobKey, type LocalCache, removeEntry } from './local.ts'

export interface Limits {
  readonly maxSizeBytes: number
  /** Since a result was last stored or hit. */
  readonly maxAgeMs: number
}

export const defaultLimits: Limits = { maxSizeBytes: 2 * 1024 ** 3, maxAgeMs: 30 * 24 * 3_600_000 }

export interface Collected {
  readonly removedResults: number
  readonly removedBytes: number
  readonly keptResults: number
  readonly keptBytes: number
}

/** A blob no result names may belong to a task that is about to store its result. */
const graceMs = 3_600_000
const intervalMs = 24 * 3_600_000

interface StoredResult {
  readonly key: string
  readonly path: string
  readonly sizeBytes: number
  readonly usedMs: number
  readonly blobs: readonly Digest[]
}

/** Collects when the last time was a day ago or more: listing the index takes 0.1 ms an entry, too long for every run. */
export async function collectWhenDue(
  cache: LocalCache,
  limits: Limits = defaultLimits,
  nowMs = Date.now(),
): Promise<Collected | undefined> {
  const stamp = join(cache.directory, 'collected')
  const lastMs = statOf(stamp)?.mtimeMs ?? 0
  if (nowMs - lastMs < intervalMs || !statOf(cache.directory)) return undefined
  // Stamped first, so that a second process does not collect at the same time.
  writeFileSync(stamp, '')
  utimesSync(stamp, nowMs / 1000, nowMs / 1000)
  return collect(cache, limits, nowMs)
}

/**
 * Brings the cache within its limits: first results go, least recently used first, then blobs no remaining result names.
 * Also removes what crashes left behind and log entries past their age. What another process uses meanwhile may become a
 * miss for it, never an error.
 */
export async function collect(cache: LocalCache, limits: Limits = defaultLimits, nowMs = Date.now()): Promise<Collected> {
  if (!statOf(cache.directory)) return { removedResults: 0, removedBytes: 0, keptResults: 0, keptBytes: 0 }
  const { default: cacache } = await import('cacache')
  const entries = Object.values(await cacache.ls(cache.directory))
  const results = entries.filter(({ key }) => key.startsWith('action:')).map(({ key, path }) => readResult(key, path))
  const blobs = new Map(
    entries.filter(({ key }) => key.startsWith('cas:')).map((entry) => [entry.key, { path: entry.path, stat: statOf(entry.path) }]),
  )
  const sizeOf = (digest: Digest): number => blobs.get(blobKey(digest))?.stat?.size ?? 0

  const kept = new Set<StoredResult>()
  const keptBlobs = new Set<Digest>()
  let keptBytes = 0
  for (const result of results.toSorted((a, b) => b.usedMs - a.usedMs || (a.key < b.key ? -1 : 1))) {
    const added = result.blobs.filter((digest) => !keptBlobs.has(digest))
    const sizeBytes = added.reduce((sum, digest) => sum + sizeOf(digest), result.sizeBytes)
    if (nowMs - result.usedMs > limits.maxAgeMs || keptBytes + sizeBytes > limits.maxSizeBytes) continue
    kept.add(result)
    keptBytes += sizeBytes
    for (const digest of added) keptBlobs.add(digest)
  }

  let removedBytes = 0
  const remove = async (key: string, path: string, sizeBytes: number): Promise<void> => {
    await removeEntry(cacache, cache.directory, key)
    rmSync(path, { force: true })
    removedBytes += sizeBytes
  }
  const evicted = results.filter((result) => !kept.has(result))
  for (const result of evicted) await remove(result.key, result.path, result.sizeBytes)
  const keptKeys = new Set([...keptBlobs].map(blobKey))
  const namedBefore = new Set(results.flatMap((result) => result.blobs.map(blobKey)))
  for (const [key, { path, stat }] of blobs) {
    if (keptKeys.has(key)) continue
    if (namedBefore.has(key) || !stat || nowMs - stat.mtimeMs > graceMs) await remove(key, path, stat?.size ?? 0)
    else keptBytes += stat.size
  }
  removedBytes += removeStrays(cache.directory, new Set(entries.map(({ path }) => path)), nowMs)
  removeOld(actionLogDirectory(cache.directory), nowMs - limits.maxAgeMs)
  return { removedResults: evicted.length, removedBytes, keptResults: kept.size, keptBytes }
}

function readResult(key: string, path: string): StoredResult {
  const stat = statOf(path)
  const record = stat && parseRecord(readText(path))
  // One that cannot be read counts as never used, and goes.
  return {
    key,
    path,
    sizeBytes: stat?.size ?? 0,
    usedMs: record ? stat.mtimeMs : Number.NEGATIVE_INFINITY,
    blobs: record ? blobsOf(record.result) : [],
  }
}

/** Content that a crash left without a key, and unfinished temporary files. @returns their bytes. */
function removeStrays(directory: string, known: ReadonlySet<string>, nowMs: number): number {
  const folders = readdirSync(directory).filter((name) => name.startsWith('content-') || name === 'tmp')
  return folders.reduce((sum, folder) => sum + removeOld(join(directory, folder), nowMs - graceMs, known), 0)
}

/** @returns bytes removed. */
function removeOld(directory: string, beforeMs: number, except: ReadonlySet<string> = new Set()): number {
  if (!statOf(directory)) return 0
  let bytes = 0
  for (const entry of readdirSync(directory, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name)
    const stat = entry.isFile() && !except.has(path) ? statOf(path) : undefined
    if (!stat || stat.mtimeMs >= beforeMs) continue
    rmSync(path, { force: true })
    bytes += stat.size
  }
  return bytes
}

/** The file's text, or nothing when another process has just removed it. */
function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return ''
    throw error
  }
}

function statOf(path: string): Stats | undefined {
  return statSync(path, { throwIfNoEntry: false })
}
