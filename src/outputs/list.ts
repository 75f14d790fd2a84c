/** Which outputs are there. Symbolic links are listed and never followed; folders count when they hold nothing that counts. */
import { type Dirent, lstatSync, type readdirSync as ReadDirectory, realpathSync, type Stats } from 'node:fs'
import { join, relative, sep } from 'node:path'
import { codeOf } from '../../cache/foreign.ts'
import { entriesIn } from '../files/entries-in.ts'
import { type WantedNames, wantedNames } from '../files/wanted-names.ts'
import { lookAt } from './look-at.ts'
import { isWithin, matchesSimply, neverOutputs, type Patterns, type Positive } from './patterns.ts'

/** `special`: a socket, pipe or device. */
export type EntryKind = 'file' | 'link' | 'folder' | 'special'
/** Project-relative path → what is there. */
export type Listing = ReadonlyMap<string, EntryKind>

/** A folder of the project turned out to lie elsewhere: nothing may be read or written through it. */
export class LeadsOutside extends Error {
  override readonly name = 'LeadsOutside'
  readonly path: string
  constructor(path: string, to: string) {
    super(`\`${path}\` leads out of the project, to \`${to}\``)
    this.path = path
  }
}

/** @throws LeadsOutside, or the system's error for what cannot be read. */
export async function listOutputs(directory: string, patterns: Patterns): Promise<Listing> {
  for (const { base, form } of patterns.positives) staysInside(directory, form === 'path' ? parentOf(base) : base)
  if (patterns.isGlob) return listByLibrary(directory, patterns)
  const found = new Map<string, EntryKind>()
  for (const positive of patterns.positives) listSimply(directory, positive, patterns.withoutPaths, found)
  return found
}

/** What one pattern contributes, before anything is taken away. */
export async function listPositive(directory: string, positive: Positive): Promise<Listing> {
  const only = { positives: [positive], withoutPaths: neverOutputs, isGlob: positive.form === 'glob', globs: [positive.text] }
  return listOutputs(directory, only)
}

/**
 * Looks at where a folder really is; what does not exist yet is judged by the nearest folder that does.
 * @throws LeadsOutside
 */
export function staysInside(directory: string, folder: string): void {
  const project = realpathSync.native(directory)
  for (let path = folder; ; path = parentOf(path)) {
    try {
      const real = realpathSync.native(join(directory, path))
      if (real === project || real.startsWith(project.endsWith(sep) ? project : `${project}${sep}`)) return
      throw new LeadsOutside(path, real)
    } catch (error) {
      if (codeOf(error) !== 'ENOENT' && codeOf(error) !== 'ENOTDIR') throw error
      // A link that leads nowhere would lead outside as soon as somebody makes its target.
      if (lookAt(join(directory, path))?.isSymbolicLink()) throw new LeadsOutside(path, 'nowhere')
    }
    if (path === '') return
  }
}

export function parentOf(path: string): string {
  return path.slice(0, Math.max(path.lastIndexOf('/'), 0))
}

/** Paths that the patterns do not mean: a result that names such a path is not a result of this task. */
export async function undeclared(patterns: Patterns, paths: readonly string[]): Promise<readonly string[]> {
  if (!patterns.isGlob) return paths.filter((path) => !matchesSimply(patterns, path))
  const folders = new Map<string, Map<string, boolean>>()
  for (const path of paths) {
    for (let child = path, isFolder = false; child !== ''; child = parentOf(child), isFolder = true) {
      const parent = parentOf(child)
      const names = folders.get(parent) ?? new Map<string, boolean>()
      folders.set(parent, names.set(child.slice(parent === '' ? 0 : parent.length + 1), isFolder))
    }
  }
  const read = (folder: string): readonly Dirent[] =>
    [...(folders.get(folder) ?? [])].map(([name, isFolder]) => entryOf(name, isFolder ? 'folder' : 'file'))
  const matched = new Set((await match('/', patterns.globs, read)).map((path) => path.replace(/\/$/, '')))
  return paths.filter((path) => !matched.has(path) || neverOutputs.some((never) => isWithin(path, never)))
}

function listSimply(directory: string, { base, form }: Positive, without: readonly string[], found: Map<string, EntryKind>): void {
  if (without.some((path) => isWithin(base, path))) return
  const stat = lookAt(join(directory, base))
  if (!stat) return
  const kind = kindOf(stat)
  if (form === 'path' && kind !== 'folder') found.set(base, kind)
  else if (!walk(directory, base, without, found) && form === 'path') found.set(base, 'folder')
}

/** @returns whether the folder holds anything that counts. */
function walk(directory: string, folder: string, without: readonly string[], found: Map<string, EntryKind>): boolean {
  let holdsAny = false
  for (const entry of entriesOf(join(directory, folder))) {
    const path = folder === '' ? entry.name : `${folder}/${entry.name}`
    if (without.some((excluded) => isWithin(path, excluded))) continue
    holdsAny = true
    const kind = kindOf(entry)
    if (kind !== 'folder' || !walk(directory, path, without, found)) found.set(path, kind)
  }
  return holdsAny
}

async function listByLibrary(directory: string, patterns: Patterns): Promise<Listing> {
  const kinds = new Map<string, EntryKind>()
  const wanted = wantedNames(patterns.globs.filter((glob) => !glob.startsWith('!')))
  const read = (folder: string): readonly Dirent[] =>
    entriesOf(join(directory, folder), wanted(folder))
      .filter((entry) => folder !== '' || !neverOutputs.includes(entry.name))
      .map((entry) => {
        const kind = kindOf(entry)
        kinds.set(folder === '' ? entry.name : `${folder}/${entry.name}`, kind)
        // The library passes over what is neither file nor folder, and we want to hear of it.
        return entryOf(entry.name, kind)
      })
  const matched = await match(directory, patterns.globs, read)
  const bases = new Set(patterns.positives.filter(({ form }) => form === 'below').map(({ base }) => base))
  const found = new Map<string, EntryKind>()
  const holding = new Set<string>()
  for (const shown of matched) {
    const path = shown.replace(/\/$/, '')
    if (path === '' || path === '.' || bases.has(path)) continue
    found.set(path, kinds.get(path) ?? kindOf(lstatSync(join(directory, path))))
    for (let parent = parentOf(path); parent !== '' && !holding.has(parent); parent = parentOf(parent)) holding.add(parent)
  }
  for (const path of holding) found.delete(path)
  return found
}

/** Paths the library finds in folders as `read` tells them, by project-relative path; those of folders end in `/`. */
async function match(root: string, globs: readonly string[], read: (folder: string) => readonly Dirent[]): Promise<readonly string[]> {
  const { globSync } = await import('tinyglobby')
  let failure: unknown
  const readdir = (absolute: string): readonly Dirent[] => {
    try {
      return read(relative(root, absolute).split(sep).join('/'))
    } catch (error) {
      failure ??= error
      return []
    }
  }
  const found = globSync([...globs], {
    cwd: root,
    dot: true,
    followSymbolicLinks: false,
    onlyFiles: false,
    // The type asks for every overload of `readdirSync`; only the one with file types is called.
    fs: { readdirSync: readdir as unknown as typeof ReadDirectory },
  })
  if (failure !== undefined) throw failure
  return found
}

function entryOf(name: string, kind: EntryKind): Dirent {
  const isFolder = kind === 'folder'
  return { name, isDirectory: () => isFolder, isFile: () => !isFolder, isSymbolicLink: () => false } as unknown as Dirent
}

/** Entries of a folder, those at least whose names are wanted; none when there is no such folder. */
function entriesOf(absolute: string, isWanted?: WantedNames): readonly Dirent[] {
  try {
    return entriesIn(absolute, isWanted).entries
  } catch (error) {
    if (codeOf(error) === 'ENOENT' || codeOf(error) === 'ENOTDIR') return []
    throw error
  }
}

function kindOf(entry: Pick<Stats, 'isFile' | 'isDirectory' | 'isSymbolicLink'>): EntryKind {
  if (entry.isFile()) return 'file'
  if (entry.isSymbolicLink()) return 'link'
  return entry.isDirectory() ? 'folder' : 'special'
}
