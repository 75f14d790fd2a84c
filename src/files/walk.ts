import type { Dirent, readdirSync } from 'node:fs'
import { relative, sep } from 'node:path'
import { globSync } from 'tinyglobby'
import { codeOf } from '../../cache/foreign.ts'
import { lookAt } from '../state/stamp.ts'
import { entriesIn } from './entries-in.ts'
import { refused, unreadable } from './refused.ts'
import { type WantedNames, wantedNames } from './wanted-names.ts'

export interface Walk {
  /** Absolute folder to walk. */
  readonly root: string
  /** Shown in front of paths in messages: the root as the user knows it. */
  readonly shown: (path: string) => string
  /** Globs below the root; default everything, dot files too. */
  readonly include?: readonly string[] | undefined
  /** Whether to read a folder. Paths are relative to the root. */
  readonly enters: (directory: string) => boolean
  /** Entries of a folder given relative to the root, those at least whose names are wanted; default straight from the disk. */
  readonly read?: (directory: string, isWanted: WantedNames | undefined) => readonly Dirent[]
}

/**
 * Everything below a folder that is not a folder, relative to it and unsorted; symbolic links are listed, never followed.
 * Synchronous: six times faster than promises for what is mostly short calls.
 * @throws TaskFailure for a folder that cannot be read, or a pattern that leaves the root.
 */
export function walk({ root, shown, include, enters, read = onDisk(root) }: Walk): readonly string[] {
  /** Entries of a folder, without the folders nobody wants to see. */
  const list = (directory: string, isWanted?: WantedNames): Dirent[] =>
    read(directory, isWanted).filter((entry) => !entry.isDirectory() || enters(join(directory, entry.name)))
  return include ? walkMatching(root, include, list, enters, shown) : walkAll(list, shown)
}

function onDisk(root: string): NonNullable<Walk['read']> {
  return (directory, isWanted) => entriesIn(directory === '' ? root : `${root}${sep}${directory}`, isWanted).entries
}

function walkAll(list: (directory: string) => readonly Dirent[], shown: Walk['shown']): readonly string[] {
  const found: string[] = []
  const waiting = ['']
  for (let directory = waiting.pop(); directory !== undefined; directory = waiting.pop()) {
    try {
      for (const entry of list(directory)) {
        const path = join(directory, entry.name)
        if (entry.isDirectory()) waiting.push(path)
        else found.push(path)
      }
    } catch (error) {
      if (codeOf(error) !== 'ENOENT') throw unreadable(shown(directory), error)
    }
  }
  return found
}

function walkMatching(
  root: string,
  include: readonly string[],
  list: (directory: string, isWanted?: WantedNames) => readonly Dirent[],
  enters: Walk['enters'],
  shown: Walk['shown'],
): readonly string[] {
  for (const pattern of include) {
    const leaves = pattern.replace(/^!/, '').split('/')
    if (leaves[0] !== '' && !leaves.includes('..')) continue
    throw refused(pattern, `the input pattern \`${pattern}\` leaves \`${shown('')}\``, 'name inputs relative to that folder, without `..`')
  }
  // The library passes over folders it cannot read and over everything that is not a file; we want to hear of both.
  let failure: Error | undefined
  const listAsFiles = (directory: string, isWanted: WantedNames | undefined): readonly Dirent[] => {
    try {
      return list(directory, isWanted).map((entry) => (entry.isDirectory() ? entry : asFile(entry)))
    } catch (error) {
      if (codeOf(error) !== 'ENOENT' && codeOf(error) !== 'ENOTDIR') failure ??= unreadable(shown(directory), error)
      return []
    }
  }
  /** Folders of which all entries are known. */
  const listed = new Map<string, readonly Dirent[]>()
  const listOnce = (absolute: string, wanted: ReturnType<typeof wantedNames>): readonly Dirent[] => {
    const directory = relative(root, absolute).split(sep).join('/')
    const isWanted = wanted(directory)
    const known = listed.get(directory) ?? listAsFiles(directory, isWanted)
    if (isWanted === undefined) listed.set(directory, known)
    return known
  }
  const without = include.filter((pattern) => pattern.startsWith('!'))
  const found = new Set<string>()
  // One by one: of several, the library walks all that is below the folder they have in common, which is mostly the project.
  for (const pattern of include) {
    if (pattern.startsWith('!')) continue
    const fixed = fixedFolder(pattern)
    const wanted = wantedNames([pattern])
    const listOnTheWay = (absolute: string): readonly Dirent[] => wayTo(root, fixed, absolute, enters) ?? listOnce(absolute, wanted)
    // The type asks for every overload of `readdirSync`; only the one with file types is called.
    const fs = { readdirSync: listOnTheWay as unknown as typeof readdirSync }
    for (const path of globSync([pattern, ...without], { cwd: root, dot: true, followSymbolicLinks: false, fs })) found.add(path)
  }
  if (failure) throw failure
  return [...found]
}

/** What all of a pattern's matches are below: the part before its first wildcard. */
function fixedFolder(pattern: string): string {
  const parts = pattern.split('/')
  if (parts.some((part) => part === '' || part === '.')) return ''
  const wild = parts.findIndex((part) => /[*?[\]{}()!+@\\]/.test(part))
  return parts.slice(0, wild === -1 ? parts.length - 1 : wild).join('/')
}

/**
 * On the way to the folder that a pattern is fixed to, there is one entry to see, and no need to read a folder that may have thousands: every task
 * of a large project does this. Undefined where the folder itself has to be read, a link on the way included.
 */
function wayTo(root: string, fixed: string, absolute: string, enters: Walk['enters']): readonly Dirent[] | undefined {
  const directory = relative(root, absolute).split(sep).join('/')
  if (fixed === '' || !(directory === '' || fixed.startsWith(`${directory}/`))) return undefined
  const [name = ''] = fixed.slice(directory === '' ? 0 : directory.length + 1).split('/')
  const path = join(directory, name)
  const found = lookAt(`${root}/${path}`)
  // What is not there is looked for all the same: that it is not there is what the listing rests on.
  if (found !== undefined && !found.isDirectory()) return undefined
  return enters(path) ? [asFolder(name)] : []
}

/** As much of an entry as the library asks for. */
function asFolder(name: string): Dirent {
  return { name, isDirectory: () => true, isFile: () => false, isSymbolicLink: () => false } as Dirent
}

function asFile(entry: Dirent): Dirent {
  return Object.assign(Object.create(entry) as Dirent, { isFile: () => true, isSymbolicLink: () => false })
}

function join(directory: string, name: string): string {
  return directory === '' ? name : `${directory}/${name}`
}
