import { type BigIntStats, lstatSync, readFileSync } from 'node:fs'
import { parseObject } from '../../cache/foreign.ts'
import { replaceFile } from '../../cache/replace-file.ts'
import type { FileState } from '../../graph/types.ts'

/** A file written so recently may be written again without its times changing: file systems tick as slowly as every 2 s. */
const restMs = 2000
const version = 1

/** Remembers the state a file had when its stat was what it is now, so that unchanged files are not read again. */
export class StatIndex {
  readonly #path: string
  readonly #entries: Map<string, readonly [stamp: string, state: FileState]>
  readonly #seen = new Set<string>()
  #changed = false

  /** What cannot be read as an index counts as empty. */
  constructor(path: string) {
    this.#path = path
    this.#entries = load(path)
  }

  find(path: string, stat: BigIntStats): FileState | undefined {
    this.#seen.add(path)
    const entry = this.#entries.get(path)
    return entry && entry[0] === stampOf(stat) ? entry[1] : undefined
  }

  /** `stat` was taken before the file was read, and reading began at `nowMs`. A file not at rest then is not remembered. */
  remember(path: string, stat: BigIntStats, state: FileState, nowMs: number): void {
    const touchedMs = Math.max(Number(stat.mtimeNs), Number(stat.ctimeNs)) / 1e6
    if (nowMs - touchedMs >= restMs) this.#entries.set(path, [stampOf(stat), state])
    else if (!this.#entries.delete(path)) return
    this.#changed = true
  }

  /** Written only when something changed; of two processes the last wins, which costs the other's files a second reading. */
  save(resolve: (path: string) => string): void {
    if (!this.#changed) return
    for (const path of this.#entries.keys()) {
      const isGone = !this.#seen.has(path) && !lstatSync(resolve(path), { throwIfNoEntry: false })
      if (isGone) this.#entries.delete(path)
    }
    replaceFile(this.#path, JSON.stringify({ version, files: [...this.#entries].map(([path, [stamp, state]]) => [path, stamp, state]) }))
    this.#changed = false
  }
}

/** Anything that changes when a file's content or mode may have. Nanoseconds: two writes within a millisecond are two writes. */
function stampOf(stat: BigIntStats): string {
  return `${stat.size}:${stat.mtimeNs}:${stat.ctimeNs}:${stat.ino}:${stat.mode}`
}

function load(path: string): Map<string, readonly [string, FileState]> {
  const entries = new Map<string, readonly [string, FileState]>()
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch {
    // No index, or one we may not read: every file is read instead.
    return entries
  }
  const index = parseObject(text)
  if (index?.['version'] !== version || !Array.isArray(index['files'])) return entries
  for (const row of index['files'] as readonly unknown[]) {
    if (!Array.isArray(row) || row.length !== 3 || !row.every((cell) => typeof cell === 'string')) return new Map()
    const [file, stamp, state] = row as [string, string, string]
    entries.set(file, [stamp, state])
  }
  return entries
}
