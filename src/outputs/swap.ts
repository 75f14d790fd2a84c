/**
 * Puts staged outputs in place of what is there, by renames only. A journal is written first: from it and from which files are still staged, the
 * state before can be brought back at any moment, by this process or, after a kill, by the next one. Removing the journal is the commit.
 */
import { lstatSync, mkdirSync, readFileSync, renameSync, rmdirSync, rmSync, unlinkSync } from 'node:fs'
import { join } from 'node:path'
import { isPathBelow } from '../../cache/action-record.ts'
import { codeOf, isObject, parseObject } from '../../cache/foreign.ts'
import { replaceFile } from '../../cache/replace-file.ts'
import { faultPoint } from '../../tasks/fault-point.ts'
import type { Difference } from './difference.ts'
import { parentOf, staysInside } from './list.ts'
import { lookAt } from './look-at.ts'
import { isWithin, type Patterns } from './patterns.ts'

/** Paths are project-relative; a staged file is called by its position: `in/0`, `away/0`. */
export interface Journal {
  readonly schema: 1
  /** Files and links to put in place, each with the inode of what was staged: only that is ever removed again. */
  readonly placed: readonly (readonly [path: string, inode: number])[]
  /** Files and links that go. */
  readonly away: readonly string[]
  /** Folders that may go because nothing is left in them, with their permission bits; parents first. */
  readonly emptied: readonly (readonly [path: string, mode: number])[]
  /** Folders that are to be made; parents first. */
  readonly made: readonly string[]
}

/** What a swap would do, looking only. `staged` are the paths that lie in `<folder>/in`, in order. */
export function planSwap(
  directory: string,
  folder: string,
  staged: readonly string[],
  patterns: Patterns,
  { changed, left }: Difference,
): Journal {
  const leaving = [...left].filter(([, kind]) => kind !== 'folder').map(([path]) => path)
  const going = new Set(leaving)
  /** What is seen below a link that goes is not there. */
  const isFolder = (path: string): boolean | undefined =>
    ancestors(path).some((parent) => going.has(parent)) ? undefined : lookAt(join(directory, path))?.isDirectory()
  const replacedFiles = [...changed.keys()].filter((path) => isFolder(path) === false)
  const away = [...leaving, ...replacedFiles]
  for (const path of replacedFiles) going.add(path)
  const folders = [...changed].filter(([, one]) => one.kind === 'folder').map(([path]) => path)
  const needed = parentsFirst([...folders, ...[...changed.keys()].flatMap(ancestors)])
  const made = needed.filter((path) => going.has(path) || isFolder(path) !== true)
  const kept = new Set(needed)
  const mayBeEmptied = [
    ...away.flatMap(ancestors),
    ...[...left].filter(([, kind]) => kind === 'folder').flatMap(([path]) => [path, ...ancestors(path)]),
  ]
  // A folder may also stand where a file or a link is wanted.
  const replaced = staged.filter((path) => isFolder(path) === true)
  const emptied = parentsFirst([...mayBeEmptied.filter((path) => !kept.has(path) && isBelowBase(patterns, path)), ...replaced])
  return {
    schema: 1,
    placed: staged.map((path, index) => [path, lstatSync(join(folder, 'in', String(index))).ino]),
    away,
    emptied: emptied.map((path) => [path, lstatSync(join(directory, path)).mode & 0o777]),
    made,
  }
}

/** Does it, or leaves everything as it was. @throws the system's error, or LeadsOutside; when even the way back failed, the journal is kept for a later run. */
export function swap(directory: string, folder: string, journal: Journal): void {
  mkdirSync(join(folder, 'away'), { recursive: true })
  replaceFile(journalPath(folder), JSON.stringify(journal))
  try {
    forward(directory, folder, journal)
  } catch (error) {
    undoSwap(directory, folder, journal)
    throw error
  }
  rmSync(journalPath(folder))
  faultPoint('outputs-committed')
}

function forward(directory: string, folder: string, { away, emptied, made, placed }: Journal): void {
  const at = (path: string): string => join(directory, path)
  for (const [index, path] of away.entries()) {
    faultPoint('outputs-away', index)
    ignoring(['ENOENT'], () => renameSync(at(path), join(folder, 'away', String(index))))
  }
  for (const [path] of emptied.toReversed()) ignoring(['ENOENT', 'ENOTEMPTY', 'EEXIST', 'ENOTDIR'], () => rmdirSync(at(path)))
  for (const path of made) {
    faultPoint('outputs-folder')
    staysInside(directory, parentOf(path))
    ignoring(['EEXIST'], () => mkdirSync(at(path)))
  }
  const parents = new Set(placed.map(([path]) => parentOf(path)))
  for (const parent of parents) staysInside(directory, parent)
  for (const [index, [path]] of placed.entries()) {
    faultPoint('outputs-in', index)
    renameSync(join(folder, 'in', String(index)), at(path))
  }
}

/** Brings back what was there. Whatever somebody else put in a place meanwhile stays. */
export function undoSwap(directory: string, folder: string, { placed, made, emptied, away }: Journal): void {
  const at = (path: string): string => join(directory, path)
  for (const [index, [path, inode]] of placed.entries()) {
    if (lookAt(join(folder, 'in', String(index)))) continue
    ignoring(['ENOENT', 'ENOTDIR'], () => {
      if (lstatSync(at(path)).ino === inode) unlinkSync(at(path))
    })
  }
  for (const path of made.toReversed()) ignoring(['ENOENT', 'ENOTEMPTY', 'EEXIST', 'ENOTDIR'], () => rmdirSync(at(path)))
  for (const [path, mode] of emptied) ignoring(['EEXIST'], () => mkdirSync(at(path), { mode }))
  for (const [index, path] of away.entries()) {
    const stored = join(folder, 'away', String(index))
    if (!lookAt(stored) || lookAt(at(path))) continue
    ignoring(['EEXIST', 'ENOTDIR'], () => {
      mkdirSync(at(parentOf(path)), { recursive: true })
      renameSync(stored, at(path))
    })
  }
  rmSync(journalPath(folder), { force: true })
}

/** The journal of a staging folder; undefined when nothing was begun, or all was done. */
export function readJournal(folder: string): Journal | undefined {
  let text: string
  try {
    text = readFileSync(journalPath(folder), 'utf8')
  } catch (error) {
    if (codeOf(error) === 'ENOENT' || codeOf(error) === 'ENOTDIR') return undefined
    throw error
  }
  const journal = parseObject(text)
  return isObject(journal) && isSound(journal) ? (journal as unknown as Journal) : undefined
}

function isSound(journal: Readonly<Record<string, unknown>>): boolean {
  const lists = ['away', 'made', 'placed', 'emptied'].map((key) => journal[key])
  if (journal['schema'] !== 1 || !lists.every(Array.isArray)) return false
  return (lists as unknown[][])
    .flat()
    .every((row) => (Array.isArray(row) ? isPathBelow(row[0]) && Number.isInteger(row[1]) : isPathBelow(row)))
}

function journalPath(folder: string): string {
  return join(folder, 'journal.json')
}

/** A folder that was emptied goes when the patterns can mean it: strictly below the fixed part of one. */
function isBelowBase({ positives }: Patterns, path: string): boolean {
  return positives.some(({ base, form }) => (form === 'path' ? isWithin(path, base) : path !== base && isWithin(path, base)))
}

function ancestors(path: string): string[] {
  const found: string[] = []
  for (let parent = parentOf(path); parent !== ''; parent = parentOf(parent)) found.push(parent)
  return found
}

function parentsFirst(paths: readonly string[]): readonly string[] {
  return [...new Set(paths)].sort((a, b) => a.split('/').length - b.split('/').length || (a < b ? -1 : 1))
}

function ignoring(codes: readonly string[], work: () => void): void {
  try {
    work()
  } catch (error) {
    if (!codes.includes(codeOf(error) ?? '')) throw error
  }
}
