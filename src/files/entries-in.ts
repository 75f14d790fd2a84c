import { type Dirent, readdirSync, type Stats } from 'node:fs'
import { lookAt } from '../state/stamp.ts'
import type { WantedNames } from './wanted-names.ts'

/**
 * Entries of a folder whose names are wanted, and whether it has any at all. Of few among many, asking each what it is costs less than hearing it of all.
 * @param names all there are in the folder, if they are known. @throws the system's error for a folder that cannot be read.
 */
export function entriesIn(
  absolute: string,
  isWanted: WantedNames | undefined,
  names = (): readonly string[] => readdirSync(absolute),
): { readonly entries: readonly Dirent[]; readonly isEmpty: boolean } {
  if (isWanted === undefined) {
    const entries = readdirSync(absolute, { withFileTypes: true })
    return { entries, isEmpty: entries.length === 0 }
  }
  const all = names()
  const entries = all.filter(isWanted).flatMap((name) => {
    const found = lookAt(`${absolute}/${name}`)
    return found ? [entryOf(name, found)] : []
  })
  return { entries, isEmpty: all.length === 0 }
}

/** What is asked of an entry, answered by its stat. */
function entryOf(name: string, found: Stats): Dirent {
  return {
    name,
    isDirectory: () => found.isDirectory(),
    isFile: () => found.isFile(),
    isSymbolicLink: () => found.isSymbolicLink(),
  } as Dirent
}
