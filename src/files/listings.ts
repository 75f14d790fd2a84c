/** Which files globs match, remembered together with the folders that decided it: as long as those look the same, nothing need be walked. */
import { readdirSync, type Stats } from 'node:fs'
import { isObject } from '../../cache/foreign.ts'
import type { FileClock } from '../state/file-clock.ts'
import { lookAt, type Stamped, sameStamp, stampOf } from '../state/stamp.ts'
import { entriesIn } from './entries-in.ts'
import { type Walk, walk } from './walk.ts'

export interface Listing {
  /** Project-relative, unsorted: all that is not a folder. */
  readonly files: readonly string[]
  /** Folders without entries. */
  readonly empty: readonly string[]
  /** Every folder whose entries were read, as `folder/.`; undefined for one that is not there. */
  readonly folders: ReadonlyMap<string, Stamped | undefined>
  /** False when a change to one of the folders might not show. */
  readonly settled: boolean
}

export interface Patterns {
  readonly include: readonly string[]
  /** Folders that nobody means unless they name them are passed over. */
  readonly usual: boolean
}

export interface Listings {
  /** @throws TaskFailure for a folder that cannot be read, or a pattern that leaves the project. */
  of(patterns: Patterns): Listing
  /** What is kept for the next run; undefined when that is what was given. */
  learned(): unknown
}

/** Histories, and what package managers put there. */
const unusual = new Set(['.git', '.hg', '.svn', 'node_modules', '.stagecraft'])

/** Names a folder that is else passed over, and so opens it for all patterns beside it. */
export function namesUnusual(pattern: string): boolean {
  return pattern.split('/').some((name) => unusual.has(name))
}

export function openListings(directory: string, remembered: unknown, clock: FileClock): Listings {
  const known = new Map<string, Listing>()
  const kept: Record<string, unknown> = isObject(remembered) ? remembered : {}
  const shared = sharedFolders(clock)
  let isChanged = false

  function list({ include, usual }: Patterns): Listing {
    const folders = new Map<string, Stamped | undefined>()
    const empty: string[] = []
    let settled = true
    const read: NonNullable<Walk['read']> = (folder, isWanted) => {
      const row = rowOf(folder)
      const found = lookAt(`${directory}/${row}`)
      folders.set(row, found && stampOf(found))
      const absolute = `${directory}/${folder}`
      const { entries, isEmpty } = entriesIn(absolute, isWanted, () => shared.of(absolute, found))
      if (isEmpty && folder !== '') empty.push(folder)
      settled &&= found !== undefined && clock.isPast(found)
      return entries
    }
    const named = new Set(include.flatMap((pattern) => (pattern.startsWith('!') ? [] : pattern.split('/'))))
    const enters = (folder: string): boolean => {
      const name = folder.slice(folder.lastIndexOf('/') + 1)
      return !usual || !unusual.has(name) || named.has(name)
    }
    const files = walk({ root: directory, shown: (path) => (path === '' ? '.' : path), include, enters, read })
    return { files, empty, folders, settled }
  }

  const stillHolds = ({ folders }: Listing): boolean => {
    for (const [row, stamp] of folders) {
      const found = lookAt(`${directory}/${row}`)
      if (!sameStamp(stamp, found)) return false
    }
    return true
  }

  return {
    of(patterns) {
      const key = JSON.stringify(patterns)
      const before = known.get(key) ?? parseListing(kept[key])
      if (before?.settled && stillHolds(before)) {
        known.set(key, before)
        return before
      }
      const listing = list(patterns)
      known.set(key, listing)
      isChanged = true
      return listing
    },
    learned() {
      if (!isChanged) return undefined
      const all = { ...kept }
      for (const [key, listing] of known) {
        if (listing.settled) all[key] = writtenListing(listing)
        else delete all[key]
      }
      return all
    },
  }
}

/** Folders at a time whose names are kept: a run goes from task to task, and those near each other read the same ones. */
const mostFolders = 8

/** Names in folders in which many tasks look for a few each, read once for as long as a change would show. */
function sharedFolders(clock: FileClock): { of(absolute: string, found: Stats | undefined): readonly string[] } {
  const known = new Map<string, { readonly stamp: Stamped; readonly names: readonly string[] }>()
  return {
    of(absolute, found) {
      const before = known.get(absolute)
      if (before && sameStamp(before.stamp, found)) return before.names
      const names = readdirSync(absolute)
      known.delete(absolute)
      if (found && clock.isPast(found)) known.set(absolute, { stamp: stampOf(found), names })
      for (const oldest of known.size > mostFolders ? [...known.keys()].slice(0, 1) : []) known.delete(oldest)
      return names
    },
  }
}

/** The trailing dot makes the system follow a link to the folder, and refuse what is none. */
function rowOf(folder: string): string {
  return folder === '' ? '.' : `${folder}/.`
}

function writtenListing({ files, empty, folders }: Listing): unknown {
  return {
    files,
    empty,
    folders: [...folders].map(([row, stamp]) => (stamp ? [row, stamp.mtimeMs, stamp.ctimeMs, stamp.size, stamp.ino, stamp.mode] : [row])),
  }
}

function parseListing(value: unknown): Listing | undefined {
  if (!isObject(value)) return undefined
  const { files, empty, folders } = value as {
    files: readonly string[]
    empty: readonly string[]
    folders: readonly (readonly [string, ...number[]])[]
  }
  const stamps = folders.map(([row, mtimeMs = 0, ctimeMs = 0, size = 0, ino = 0, mode]) => {
    return [row, mode === undefined ? undefined : { mtimeMs, ctimeMs, size, ino, mode }] as const
  })
  return { files, empty, folders: new Map(stamps), settled: true }
}
