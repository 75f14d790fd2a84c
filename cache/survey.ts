/** What lies in a cache's folder: for collecting, for showing and for verifying. Looks only. */
import { type Dirent, readdirSync, type Stats, statSync } from 'node:fs'
import { join } from 'node:path'
import type { Digest, Fingerprint } from '../graph/types.ts'
import type { ActionRecord } from './action-record.ts'
import { loadCacache } from './blobs.ts'
import { codeOf } from './foreign.ts'
import { textIfThere } from './if-there.ts'
import { blobsFolder, resultsFolder } from './layout.ts'
import { parseResultText } from './local.ts'

export interface StoredResult {
  readonly key: Fingerprint
  readonly path: string
  readonly sizeBytes: number
  readonly usedMs: number
  /** Undefined when the file is damaged or of another layout. */
  readonly record?: ActionRecord
}

export interface StoredBlob {
  readonly digest: Digest
  readonly path: string
  readonly sizeBytes: number
  readonly usedMs: number
  /** True when cacache keeps it. */
  readonly isLarge: boolean
}

export interface Survey {
  readonly results: readonly StoredResult[]
  readonly blobs: ReadonlyMap<Digest, StoredBlob>
  /** Keys in cacache's index that an older layout used. */
  readonly foreignKeys: readonly string[]
  /** Files that are neither: half-written ones, and content without a key. */
  readonly strays: readonly { readonly path: string; readonly sizeBytes: number; readonly changedMs: number }[]
}

export async function survey(directory: string): Promise<Survey> {
  const results: StoredResult[] = []
  const blobs = new Map<Digest, StoredBlob>()
  const foreignKeys: string[] = []
  const strays: { path: string; sizeBytes: number; changedMs: number }[] = []
  const stray = (path: string, stat: Stats): void => void strays.push({ path, sizeBytes: stat.size, changedMs: stat.mtimeMs })

  for (const [name, path, stat] of filesBelow(join(directory, resultsFolder))) {
    if (!isDigest(name)) stray(path, stat)
    else {
      const key = name as string as Fingerprint
      const text = textIfThere(path)
      if (text === undefined) continue
      const record = parseResultText(text, key)
      results.push({ key, path, sizeBytes: stat.size, usedMs: stat.mtimeMs, ...(record && { record }) })
    }
  }
  for (const [name, path, stat] of filesBelow(join(directory, blobsFolder))) {
    if (isDigest(name)) blobs.set(name, { digest: name, path, sizeBytes: stat.size, usedMs: stat.mtimeMs, isLarge: false })
    else stray(path, stat)
  }
  const known = new Set<string>()
  if (statOf(join(directory, 'index-v5'))) {
    for (const { key, path } of Object.values(await (await loadCacache()).ls(directory))) {
      const digest = key.replace(/^cas:/, '')
      const stat = statOf(path)
      if (!key.startsWith('cas:') || !isDigest(digest) || !stat) foreignKeys.push(key)
      else {
        known.add(path)
        if (!blobs.has(digest)) blobs.set(digest, { digest, path, sizeBytes: stat.size, usedMs: stat.mtimeMs, isLarge: true })
      }
    }
  }
  for (const folder of ['content-v2', 'tmp']) {
    for (const [, path, stat] of filesBelow(join(directory, folder))) if (!known.has(path)) stray(path, stat)
  }
  return { results, blobs, foreignKeys, strays }
}

export function* filesBelow(folder: string): Generator<readonly [name: string, path: string, stat: Stats]> {
  let entries: readonly Dirent[]
  try {
    entries = readdirSync(folder, { recursive: true, withFileTypes: true })
  } catch (error) {
    if (codeOf(error) === 'ENOENT' || codeOf(error) === 'ENOTDIR') return
    throw error
  }
  for (const entry of entries) {
    if (!entry.isFile()) continue
    const path = join(entry.parentPath, entry.name)
    const stat = statOf(path)
    if (stat) yield [entry.name, path, stat]
  }
}

function statOf(path: string): Stats | undefined {
  return statSync(path, { throwIfNoEntry: false })
}

function isDigest(name: string): name is Digest {
  return /^[0-9a-f]{64}$/.test(name)
}
