/** Which of some paths a set of files has, with no file looked at: they may be gone. */
import type { Dirent, readdirSync } from 'node:fs'
import { posix } from 'node:path'
import { globSync } from 'tinyglobby'
import type { FileSet } from '../../tasks/kind.ts'
import type { IgnoreRules } from '../files/dockerignore.ts'
import { isOwnFile } from '../files/file-set.ts'

/** Paths, asked many questions. */
export interface Paths {
  /** The first, by code unit, that belongs to a set. `rules` are those of the set's ignore file, if it has one. */
  firstIn(set: FileSet, rules: IgnoreRules | undefined): string | undefined
}

/** @param paths project-relative, `/`-separated; those outside the project begin with `../`. */
export function openPaths(paths: readonly string[]): Paths {
  const sorted = [...new Set(paths)].filter((path) => !isOwnFile(path)).sort()
  const known = new Set(sorted)
  const belowRoots = new Map<string, readonly string[]>()
  const trees = new Map<string, Tree>()

  /** Paths below a root, relative to it. */
  const below = (root: string): readonly string[] => {
    const found = belowRoots.get(root) ?? sorted.flatMap((path) => relativeTo(root, path) ?? [])
    belowRoots.set(root, found)
    return found
  }
  const matching = (root: string, include: readonly string[]): readonly string[] => {
    const tree = trees.get(root) ?? treeOf(below(root))
    trees.set(root, tree)
    return tree.size === 0
      ? []
      : globSync(include, { cwd: place, dot: true, followSymbolicLinks: false, fs: { readdirSync: readerOf(tree) } }).sort()
  }

  return {
    firstIn(set, rules) {
      const always = (set.always ?? []).map((path) => posix.normalize(path)).find((path) => known.has(path))
      if (always !== undefined) return always
      if (set.dockerignore !== undefined && known.has(set.dockerignore)) return set.dockerignore
      const root = posix.normalize(set.root).replace(/\/$/, '')
      const candidates = set.include === undefined ? below(root) : matching(root, set.include)
      const found = candidates.find((path) => (rules?.keeps(path) ?? true) && !isExcepted(posix.join(root, path), set))
      return found === undefined ? undefined : posix.join(root, found)
    },
  }
}

function isExcepted(path: string, { except = [] }: FileSet): boolean {
  return except.some((excepted) => path === excepted || path.startsWith(`${excepted}/`))
}

function relativeTo(root: string, path: string): string | undefined {
  const relative = posix.relative(root, path)
  return relative === '' || relative === '..' || relative.startsWith('../') ? undefined : relative
}

/** Folder → its entries, and whether each is a folder. The glob library walks it as it would walk a disk, so that globs mean the same. */
type Tree = ReadonlyMap<string, ReadonlyMap<string, boolean>>

const place = '/paths'

function treeOf(paths: readonly string[]): Tree {
  const tree = new Map<string, Map<string, boolean>>()
  const add = (path: string, isFolder: boolean): void => {
    const folder = posix.dirname(path)
    const known = tree.get(folder)
    const entries = known ?? new Map<string, boolean>()
    entries.set(posix.basename(path), isFolder || entries.get(posix.basename(path)) === true)
    if (known !== undefined) return
    tree.set(folder, entries)
    if (folder !== '.') add(folder, true)
  }
  for (const path of paths) add(path, false)
  return tree
}

function readerOf(tree: Tree): typeof readdirSync {
  const read = (absolute: string): readonly Dirent[] => {
    const entries = tree.get(posix.relative(place, absolute) || '.') ?? new Map<string, boolean>()
    return [...entries].map(([name, isFolder]) => entryOf(name, isFolder))
  }
  // The type asks for every overload; only the one with file types is called.
  return read as unknown as typeof readdirSync
}

function entryOf(name: string, isFolder: boolean): Dirent {
  const entry = { name, isDirectory: () => isFolder, isFile: () => !isFolder, isSymbolicLink: () => false }
  return entry as unknown as Dirent
}
