/**
 * A stamp is what `lstat` says of a path, as five numbers: whoever changes a file or a folder changes its stamp. Part of the certificate check, so
 * nothing but `node:fs` is imported here.
 */
import { lstatSync, type Stats } from 'node:fs'

/** Numbers in a stamp: mtime and ctime (milliseconds, a quarter of a microsecond fine), size, inode, mode. */
export const stampLength = 5

/** Every number of the stamp of a path at which there is nothing. */
const nothing = -1

export interface Stamped {
  readonly mtimeMs: number
  readonly ctimeMs: number
  readonly size: number
  readonly ino: number
  readonly mode: number
}

/** Undefined when nothing is there. @throws the system's error for anything else, such as a folder that may not be entered. */
export function lookAt(path: string): Stats | undefined {
  try {
    return lstatSync(path, { throwIfNoEntry: false })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOTDIR') return undefined
    throw error
  }
}

/** Writes the stamp of what was found into `stamps`, at row `row`. */
export function writeStamp(stamps: Float64Array, row: number, found: Stamped | undefined): void {
  const at = row * stampLength
  stamps[at] = found ? found.mtimeMs : nothing
  stamps[at + 1] = found ? found.ctimeMs : nothing
  stamps[at + 2] = found ? found.size : nothing
  stamps[at + 3] = found ? found.ino : nothing
  stamps[at + 4] = found ? found.mode : nothing
}

/** Is what was found what row `row` was made from? */
export function isStamp(stamps: Float64Array, row: number, found: Stamped | undefined): boolean {
  const at = row * stampLength
  if (!found) return stamps[at] === nothing && stamps[at + 4] === nothing
  return (
    found.mtimeMs === stamps[at] &&
    found.ctimeMs === stamps[at + 1] &&
    found.size === stamps[at + 2] &&
    found.ino === stamps[at + 3] &&
    found.mode === stamps[at + 4]
  )
}

/** A stamp on its own, and whether two are of the same thing. */
export function stampOf({ mtimeMs, ctimeMs, size, ino, mode }: Stamped): Stamped {
  return { mtimeMs, ctimeMs, size, ino, mode }
}

export function sameStamp(one: Stamped | undefined, other: Stamped | undefined): boolean {
  if (!one || !other) return one === other
  return (
    one.mtimeMs === other.mtimeMs &&
    one.ctimeMs === other.ctimeMs &&
    one.size === other.size &&
    one.ino === other.ino &&
    one.mode === other.mode
  )
}

/** What lies at row `row`; undefined for the absence of anything. */
export function readStamp(stamps: Float64Array, row: number): Stamped | undefined {
  const at = row * stampLength
  const number = (index: number): number => stamps[at + index] ?? nothing
  const mode = number(4)
  if (mode === nothing) return undefined
  return { mtimeMs: number(0), ctimeMs: number(1), size: number(2), ino: number(3), mode }
}

/** How slowly a file system's clock may tick. */
const coarseMs = 2000

/**
 * The stamp of a file about to be read for the first time, when no clock but ours is at hand; undefined when a change since might not show, as
 * one of the file behind a symbolic link never would.
 */
export function settledStamp(path: string): Stamped | undefined {
  const found = lookAt(path)
  return found && !found.isSymbolicLink() && Date.now() - found.ctimeMs >= coarseMs ? stampOf(found) : undefined
}
