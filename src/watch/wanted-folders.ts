/** Which folders have to be watched to notice every change that matters to some tasks. Pure. */
import { posix } from 'node:path'
import type { FileSet } from '../../tasks/kind.ts'

/** Project-relative folders, `.` for the project itself. */
export interface WantedFolders {
  /** With all that is below. */
  readonly deep: readonly string[]
  /** Only what is directly in them. */
  readonly flat: readonly string[]
}

/** @param files single files that matter: the manifest, the Compose file. Project-relative. */
export function wantedFolders(sets: readonly FileSet[], files: readonly string[]): WantedFolders {
  const deep = new Set<string>()
  const flat = new Set(files.map((file) => posix.dirname(posix.normalize(file))))
  for (const set of sets) {
    for (const file of [...(set.always ?? []), ...(set.dockerignore === undefined ? [] : [set.dockerignore])])
      flat.add(posix.dirname(posix.normalize(file)))
    if (set.include === undefined) deep.add(posix.normalize(set.root).replace(/\/$/, ''))
    for (const pattern of set.include ?? []) {
      if (pattern.startsWith('!')) continue
      const part = fixedPart(posix.join(set.root, pattern))
      if (part.deep !== undefined) deep.add(part.deep)
      if (part.flat !== undefined) flat.add(part.flat)
    }
  }
  const isCovered = (folder: string): boolean => ancestors(folder).some((above) => deep.has(above))
  const tops = [...deep].filter((folder) => !isCovered(folder)).sort()
  return { deep: tops, flat: [...flat].filter((folder) => !deep.has(folder) && !isCovered(folder)).sort() }
}

/** `a/b/c` → `a/b`, `a`, `.` */
function ancestors(folder: string): readonly string[] {
  const found: string[] = []
  for (let up = folder; up !== '.' && up !== '/' && !up.endsWith('..'); ) {
    up = posix.dirname(up)
    found.push(up)
  }
  return found
}

/** `src/*.ts` → `src`, flat; `src/**` → `src`, deep; `a/b` → `a`, flat, and `a/b`, deep, since that may be a folder and stands for all in it. */
function fixedPart(pattern: string): { readonly deep?: string; readonly flat?: string } {
  const parts = posix
    .normalize(pattern)
    .split('/')
    .filter((part) => part !== '')
  const first = parts.findIndex((part) => /[*?[\]{}()!+@]/.test(part))
  if (first === -1) return { flat: posix.dirname(parts.join('/')), deep: parts.join('/') }
  const folder = parts.slice(0, first).join('/') || '.'
  return first < parts.length - 1 || (parts[first] ?? '').includes('**') ? { deep: folder } : { flat: folder }
}
