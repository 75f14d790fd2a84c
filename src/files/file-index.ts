/** Reduces the user's files to states that enter fingerprints: the same on every machine, whatever the times and wherever the checkout. */
import { lstatSync, readFileSync, readlinkSync, realpathSync, type Stats, statSync } from 'node:fs'
import { dirname, join, posix, relative, resolve, sep } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { codeOf } from '../../cache/foreign.ts'
import type { FileState } from '../../graph/types.ts'
import type { FileSet } from '../../tasks/kind.ts'
import type { FileClock } from '../state/file-clock.ts'
import type { RunState } from '../state/run-state.ts'
import { lookAt, type Stamped } from '../state/stamp.ts'
import { type IgnoreRules, parseDockerignore } from './dockerignore.ts'
import { hashFile } from './hash-file.ts'
import { type Listing, openListings } from './listings.ts'
import { refused, unreadable } from './refused.ts'
import { walk } from './walk.ts'

export interface FileIndex {
  /**
   * Project-relative path → state, sorted by code unit. What Stagecraft itself keeps in `.stagecraft/` is never an input.
   * @throws TaskFailure naming the path: a missing `always` file or root, something unreadable, a pipe, socket or device.
   */
  states(set: FileSet): Promise<Record<string, FileState>>
  /** What output patterns match now. @throws TaskFailure for what no output can be: something unreadable, a pipe, a socket, a device. */
  matched(patterns: readonly string[]): Matched
  /** What it was told of these patterns, with every stamp that vouches for it; undefined when something cannot be vouched for. */
  evidence(patterns: readonly string[], use: 'input' | 'output'): Evidence | undefined
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

/** Below `.stagecraft/` only these are the user's own. */
const ownFiles = /^\.stagecraft\/(?!(?:agent|templates|tests)(?:\/|$))/

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

  const lookAtPath = (path: string): Stats | undefined => {
    try {
      const found = lookAt(absolute(path))
      if (found || !path.includes('\uFFFD')) return found
    } catch (error) {
      throw unreadable(path, error)
    }
    throw unreadable(path, new Error('its name is not text'))
  }

  /** Paths that patterns without wildcards name; undefined when it takes a walk to tell. */
  const named = (patterns: readonly string[]): readonly string[] | undefined => {
    if (!patterns.every(isLiteral)) return undefined
    const excluded = patterns.filter((pattern) => pattern.startsWith('!')).map((pattern) => pattern.slice(1))
    const isTaken = (path: string) => excluded.some((one) => path === one || path.startsWith(`${one}/`))
    return patterns.filter((pattern) => !pattern.startsWith('!') && !isTaken(pattern) && !ownFiles.test(pattern))
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
    return { listing, files: listing.files.filter((path) => !ownFiles.test(path)).sort() }
  }

  function evidence(patterns: readonly string[], use: 'input' | 'output'): Evidence | undefined {
    const stamps = new Map<string, Stamped | undefined>()
    const states: [string, FileState][] = []
    const vouch = (path: string): boolean => {
      if (state.files.vouched(path) === undefined) stateOf(path)
      const row = state.files.vouched(path)
      if (!row) return false
      stamps.set(path, row.stamp)
      states.push([path, row.state])
      modes.set(path, row.stamp.mode & 0o7777)
      return true
    }
    const paths = named(patterns)
    const plain = paths && namedStates(paths)
    if (plain) {
      for (const [path, found] of plain) {
        if (found === undefined) stamps.set(path, undefined)
        else if (!vouch(path)) return undefined
      }
      return { states: Object.fromEntries(states), empty: [], stamps, mode: (path) => modes.get(path) ?? 0 }
    }
    const { listing, files } = walked(patterns, use)
    if (!listing.settled) return undefined
    for (const [row, stamp] of listing.folders) stamps.set(row, stamp)
    for (const path of files) if (!vouch(path)) return undefined
    return { states: Object.fromEntries(states), empty: [...listing.empty].sort(), stamps, mode: (path) => modes.get(path) ?? 0 }
  }

  return {
    async states(set) {
      const paths = isPlain(set) ? named(set.include) : undefined
      const plain = paths && namedStates(paths)
      if (plain) return Object.fromEntries(plain.filter((row): row is [string, FileState] => row[1] !== undefined))
      const files = isPlain(set)
        ? walked(set.include, 'input').files
        : [
            ...new Set([...listed(directory, set), ...(set.always ?? []).flatMap((path) => required(directory, posix.normalize(path)))]),
          ].sort()
      const found: [string, FileState][] = []
      for (const path of files) {
        const before = filesRead
        const file = stateOf(path)
        if (file !== undefined) found.push([path, file])
        if (filesRead !== before && filesRead % filesPerTurn === 0) await setImmediate()
      }
      return Object.fromEntries(found)
    },
    matched(patterns) {
      const paths = named(patterns)
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

/** Names one path, which may be a folder. */
function isLiteral(pattern: string): boolean {
  const path = pattern.startsWith('!') ? pattern.slice(1) : pattern
  return path !== '' && !/[*?[\]{}()\\]/.test(path) && path.split('/').every((name) => name !== '' && name !== '.' && name !== '..')
}

/** Project-relative paths of a set, but for its `always`. */
function listed(directory: string, set: FileSet): readonly string[] {
  const root = posix.normalize(set.root).replace(/\/$/, '')
  const outside = root === '..' || root.startsWith('../')
  // A root above the project meets the project again by its folder's name, which must not matter.
  const below = (path: string): string =>
    outside
      ? relative(directory, join(directory, root, path))
          .split(sep)
          .join('/')
      : posix.join(root, path)
  const stat = statSync(join(directory, root), { throwIfNoEntry: false })
  if (!stat?.isDirectory()) {
    throw refused(
      root,
      stat ? `\`${root}\` is not a folder` : `the folder \`${root}\` does not exist`,
      'correct the path in the manifest or the Compose file',
    )
  }
  const rules = set.dockerignore === undefined ? undefined : readRules(directory, set.dockerignore)
  const wanted = walk({
    root: join(directory, root),
    shown: below,
    include: set.include,
    enters: (path) => !ownFiles.test(below(path)) && !isExcepted(below(path), set) && (rules?.enters(path) ?? true),
  })
  return wanted
    .filter((path) => rules?.keeps(path) ?? true)
    .map(below)
    .filter((path) => !ownFiles.test(path) && !isExcepted(path, set))
}

function isExcepted(path: string, { except = [] }: FileSet): boolean {
  return except.some((excepted) => path === excepted || path.startsWith(`${excepted}/`))
}

function readRules(directory: string, path: string): IgnoreRules | undefined {
  try {
    return parseDockerignore(readFileSync(join(directory, path), 'utf8'))
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined
    throw unreadable(path, error)
  }
}

/** A file that must be there and, when it is a symbolic link, the file it leads to: both decide what is built. */
function required(directory: string, path: string): readonly string[] {
  const stat = lstatSync(join(directory, path), { throwIfNoEntry: false })
  const missing = (): Error =>
    refused(path, `\`${path}\` does not exist`, 'create it, or correct its path in the manifest or the Compose file')
  if (!stat) throw missing()
  if (!stat.isSymbolicLink()) return [path]
  let target: string
  try {
    target = realpathSync(join(directory, path))
  } catch (error) {
    if (codeOf(error) === 'ENOENT') throw missing()
    throw unreadable(path, error)
  }
  const project = realpathSync(directory)
  const isInside = [project, realpathSync(dirname(join(directory, path)))].some((folder) => target.startsWith(`${folder}${sep}`))
  if (!isInside)
    throw refused(path, `\`${path}\` is a symbolic link out of the project, to \`${target}\``, 'put the file itself into the project')
  return [path, relative(project, resolve(target)).split(sep).join('/')]
}

function special(path: string, stat: Stats): Error {
  const what = stat.isFIFO() ? 'a named pipe' : stat.isSocket() ? 'a socket' : stat.isDirectory() ? 'a folder' : 'a device'
  return refused(path, `\`${path}\` is ${what}; an input is a file or a symbolic link`, 'remove it, or leave it out with an ignore file')
}
