/** Reduces the user's files to states that enter fingerprints: the same on every machine, whatever the times and wherever the checkout. */
import { readlinkSync, type Stats } from 'node:fs'
import { setImmediate } from 'node:timers/promises'
import { codeOf } from '../../cache/foreign.ts'
import type { FileState } from '../../graph/types.ts'
import type { FileSet } from '../../tasks/kind.ts'
import type { FileClock } from '../state/file-clock.ts'
import type { RunState } from '../state/run-state.ts'
import { lookAt, type Stamped } from '../state/stamp.ts'
import { filesOfSet, isOwnFile } from './file-set.ts'
import { hashFile } from './hash-file.ts'
import { type Listing, namesUnusual, openListings } from './listings.ts'
import { refused, unreadable } from './refused.ts'

export interface FileIndex {
  /**
   * Project-relative path → state, sorted by code unit. What Stagecraft itself keeps in `.stagecraft/` is never an input.
   * @throws TaskFailure naming the path: a missing `always` file or root, something unreadable, a pipe, socket or device.
   */
  states(set: FileSet): Promise<Record<string, FileState>>
  /** What output patterns match now. @throws TaskFailure for what no output can be: something unreadable, a pipe, a socket, a device. */
  matched(patterns: readonly string[]): Matched
  /**
   * What was last seen of these patterns, with every stamp that vouches for it; undefined when something cannot be vouched for.
   * `anew`: looks again first.
   */
  evidence(patterns: readonly string[], use: 'input' | 'output', anew: boolean): Evidence | undefined
  /** Hands what was learned over to the state. */
  save(): void
}

export interface Matched {
  /** Path → state, sorted. */
  readonly states: Readonly<Record<string, FileState>>
  /** Folders without entries that were met on the way, sorted. */
  readonly empty: readonly string[]
  /** Permission bits of a file that was matched. */
  mode(path: string): number
}

export interface Evidence extends Matched {
  /** Path, or `folder/.`, → how it looked; undefined for what is not there. */
  readonly stamps: ReadonlyMap<string, Stamped | undefined>
}

/** Files read between two turns of the event loop, so that signals and the screen are served. */
const filesPerTurn = 512

/** @param directory absolute folder of the manifest. */
export function openFileIndex(directory: string, state: RunState, clock: FileClock): FileIndex {
  const absolute = (path: string): string => `${directory}/${path}`
  const listings = openListings(directory, state.globs, clock)
  const modes = new Map<string, number>()
  let filesRead = 0

  /** The state of what is at a path; undefined when nothing is. */
  const stateOf = (path: string, found = lookAtPath(path)): FileState | undefined => {
    try {
      if (!found) return undefined
      modes.set(path, found.mode & 0o7777)
      const known = state.files.find(path, found)
      if (known !== undefined) return known
      if (!found.isFile() && !found.isSymbolicLink()) throw special(path, found)
      const read = found.isSymbolicLink()
        ? `link:${readlinkSync(absolute(path))}`
        : `${hashFile(absolute(path))}${(found.mode & 0o100) === 0 ? '' : '+x'}`
      state.files.remember(path, found, read, clock.isPast(found))
      filesRead++
      return read
    } catch (error) {
      if (codeOf(error) === 'ENOENT') return undefined
      throw error instanceof Error && error.name === 'TaskFailure' ? error : unreadable(path, error)
    }
  }

  /** What the last look at a path found: for evidence, which need not be newer than the decisions it supports. */
  const lastLooks = new Map<string, 'absent' | 'folder' | 'other'>()

  const lookAtPath = (path: string): Stats | undefined => {
    try {
      const found = lookAt(absolute(path))
      lastLooks.set(path, found === undefined ? 'absent' : found.isDirectory() ? 'folder' : 'other')
      if (found || !path.includes('\uFFFD')) return found
    } catch (error) {
      throw unreadable(path, error)
    }
    throw unreadable(path, new Error('its name is not text'))
  }

  /**
   * Paths that patterns without wildcards name, and the patterns that it takes a walk for: a name is looked at, as finding it would mean to read
   * the folder that it is in, once for every task that reads a file there. Undefined when wildcards take away: then it takes a walk to tell.
   */
  const named = (patterns: readonly string[]): { readonly paths: readonly string[]; readonly globs: readonly string[] } | undefined => {
    const negatives = patterns.filter((pattern) => pattern.startsWith('!'))
    if (!negatives.every(isKnownLiteral)) return undefined
    if (!patterns.every(isKnownLiteral) && patterns.some(namesUnusual)) return undefined
    const excluded = negatives.map((pattern) => pattern.slice(1))
    const isTaken = (path: string) => excluded.some((one) => path === one || path.startsWith(`${one}/`))
    const wanted = patterns.filter((pattern) => !pattern.startsWith('!'))
    const globs = wanted.filter((pattern) => !isKnownLiteral(pattern))
    const paths = wanted.filter((pattern) => isKnownLiteral(pattern) && !isTaken(pattern) && !isOwnFile(pattern))
    return { paths, globs: globs.length === 0 ? [] : [...globs, ...negatives] }
  }

  /** Only names. */
  const onlyNamed = (patterns: readonly string[]): readonly string[] | undefined => {
    const found = named(patterns)
    return found?.globs.length === 0 ? found.paths : undefined
  }

  /** Sorted; `undefined` for a folder among them: then it takes a walk. */
  const namedStates = (paths: readonly string[]): [string, FileState | undefined][] | undefined => {
    const found: [string, FileState | undefined][] = []
    for (const path of [...new Set(paths)].sort()) {
      const stat = lookAtPath(path)
      if (stat?.isDirectory()) return undefined
      found.push([path, stateOf(path, stat)])
    }
    return found
  }

  const walked = (include: readonly string[], use: 'input' | 'output'): { listing: Listing; files: readonly string[] } => {
    const listing = listings.of({ include, usual: use === 'input' })
    return { listing, files: listing.files.filter((path) => !isOwnFile(path)).sort() }
  }

  function evidence(patterns: readonly string[], use: 'input' | 'output', anew: boolean): Evidence | undefined {
    const stamps = new Map<string, Stamped | undefined>()
    const states: [string, FileState][] = []
    const names = use === 'input' ? named(patterns) : undefined
    const paths = names?.paths ?? onlyNamed(patterns)
    const globs = names ? names.globs : paths ? [] : patterns
    if (anew || !paths?.every((path) => lastLooks.has(path))) for (const path of paths ?? []) stateOfFile(path)
    let empty: readonly string[] = []
    const isNamed = paths !== undefined && !paths.some((path) => lastLooks.get(path) === 'folder')
    let files: readonly string[] = isNamed ? [...new Set(paths)].sort() : []
    if (!isNamed || globs.length > 0) {
      const walk = walked(isNamed ? globs : patterns, use)
      if (!walk.listing.settled) return undefined
      for (const [row, stamp] of walk.listing.folders) stamps.set(row, stamp)
      files = [...new Set([...files, ...walk.files])].sort()
      empty = walk.listing.empty
      if (anew) for (const path of walk.files) stateOf(path)
    }
    for (const path of files) {
      if (lastLooks.get(path) === 'absent') stamps.set(path, undefined)
      else {
        if (state.files.vouched(path) === undefined) stateOf(path)
        const row = state.files.vouched(path)
        if (!row) return undefined
        stamps.set(path, row.stamp)
        states.push([path, row.state])
      }
    }
    return {
      states: Object.fromEntries(states),
      empty: [...empty].sort(),
      stamps,
      mode: (path) => (stamps.get(path)?.mode ?? 0) & 0o7777,
    }
  }

  /** Looks; a folder has no state. */
  const stateOfFile = (path: string): void => {
    const found = lookAtPath(path)
    if (!found?.isDirectory()) stateOf(path, found)
  }

  return {
    async states(set) {
      const names = isPlain(set) ? named(set.include) : undefined
      const plain = names && namedStates(names.paths)?.filter((row): row is [string, FileState] => row[1] !== undefined)
      if (plain && names.globs.length === 0) return Object.fromEntries(plain)
      const files = isPlain(set) ? walked(plain ? names.globs : set.include, 'input').files : filesOfSet(directory, set)
      const found: [string, FileState][] = plain ?? []
      for (const path of files) {
        const before = filesRead
        const file = stateOf(path)
        if (file !== undefined) found.push([path, file])
        if (filesRead !== before && filesRead % filesPerTurn === 0) await setImmediate()
      }
      if (plain) found.sort(([one], [other]) => (one < other ? -1 : 1))
      return Object.fromEntries(found)
    },
    matched(patterns) {
      const paths = onlyNamed(patterns)
      const plain = paths && namedStates(paths)
      const { rows, empty } = plain
        ? { rows: plain, empty: [] }
        : (() => {
            const { listing, files } = walked(patterns, 'output')
            return { rows: files.map((path) => [path, stateOf(path)] as const), empty: [...listing.empty].sort() }
          })()
      const states = Object.fromEntries(rows.filter((row): row is [string, FileState] => row[1] !== undefined))
      return { states, empty, mode: (path) => modes.get(path) ?? 0 }
    },
    evidence,
    save() {
      const learned = listings.learned()
      if (learned === undefined) return
      state.globs = learned
      state.changed()
    },
  }
}

/** Patterns of the project's folder and nothing else. */
function isPlain(set: FileSet): set is FileSet & { readonly include: readonly string[] } {
  return set.include !== undefined && set.root === '.' && !set.dockerignore && !set.except && !set.always
}

const literals = new Map<string, boolean>()

function isKnownLiteral(pattern: string): boolean {
  const known = literals.get(pattern)
  if (known !== undefined) return known
  const literal = isLiteral(pattern)
  literals.set(pattern, literal)
  return literal
}

/** Names one path, which may be a folder. */
function isLiteral(pattern: string): boolean {
  const path = pattern.startsWith('!') ? pattern.slice(1) : pattern
  return path !== '' && !/[*?[\]{}()\\]/.test(path) && path.split('/').every((name) => name !== '' && name !== '.' && name !== '..')
}

function special(path: string, stat: Stats): Error {
  const what = stat.isFIFO() ? 'a named pipe' : stat.isSocket() ? 'a socket' : stat.isDirectory() ? 'a folder' : 'a device'
  return refused(path, `\`${path}\` is ${what}; an input is a file or a symbolic link`, 'remove it, or leave it out with an ignore file')
}
