import { type BigIntStats, lstatSync, readdirSync, readlinkSync } from 'node:fs'
import { join } from 'node:path'
import type { ActionResult, Digest, OutputFile } from '../../graph/types.ts'
import type { EntryKind, Listing } from './list.ts'

/** One output as a result says it is. */
export type Wanted =
  | { readonly kind: 'file'; readonly file: OutputFile }
  | { readonly kind: 'link'; readonly target: string }
  | { readonly kind: 'folder' }

/** What has to happen for the outputs on disk to be a result's. */
export interface Difference {
  /** Absent, or something else than wanted. */
  readonly changed: ReadonlyMap<string, Wanted>
  /** There, and not wanted. A folder that holds what is nobody's output is left alone. */
  readonly left: ReadonlyMap<string, EntryKind>
}

/** Digest of a regular file whose stat was just taken: by reading it, or from what is known of that stat. */
export type FileDigest = (path: string, stat: BigIntStats) => Digest | Promise<Digest>

/** By path; a Map, as paths may be called `__proto__` or `constructor`. */
export function wantedOf({ files, links = {}, folders = [] }: ActionResult): ReadonlyMap<string, Wanted> {
  const wanted = new Map<string, Wanted>()
  for (const [path, file] of Object.entries(files)) wanted.set(path, { kind: 'file', file })
  for (const [path, target] of Object.entries(links)) wanted.set(path, { kind: 'link', target })
  for (const path of folders) wanted.set(path, { kind: 'folder' })
  return wanted
}

/** @param first stop at the first difference: enough to know whether there is one. */
export async function differenceOf(
  directory: string,
  listing: Listing,
  wanted: ReadonlyMap<string, Wanted>,
  digestOf: FileDigest,
  first = false,
): Promise<Difference> {
  const changed = new Map<string, Wanted>()
  const left = new Map<string, EntryKind>()
  for (const [path, kind] of listing) {
    if (wanted.has(path) || (kind === 'folder' && readdirSync(join(directory, path)).length > 0)) continue
    left.set(path, kind)
    if (first) return { changed, left }
  }
  for (const [path, one] of wanted) if (!listing.has(path)) changed.set(path, one)
  for (const [path, one] of wanted) {
    if (first && changed.size > 0) break
    if (!changed.has(path) && !(await isAsWanted(join(directory, path), path, listing.get(path), one, digestOf))) changed.set(path, one)
  }
  return { changed, left }
}

async function isAsWanted(
  absolute: string,
  path: string,
  kind: EntryKind | undefined,
  wanted: Wanted,
  digestOf: FileDigest,
): Promise<boolean> {
  if (kind !== wanted.kind) return false
  if (wanted.kind === 'folder') return true
  if (wanted.kind === 'link') return readlinkSync(absolute) === wanted.target
  const stat = lstatSync(absolute, { bigint: true })
  if (!stat.isFile() || !hasMode(Number(stat.mode), wanted.file)) return false
  return (await digestOf(path, stat)) === wanted.file.digest
}

/** A result of an older layout knows only whether a file can be executed. */
function hasMode(mode: number, { mode: wanted, executable }: OutputFile): boolean {
  return wanted === undefined ? ((mode & 0o100) !== 0) === executable : (mode & 0o777) === wanted
}
