/** Which folders hold code that may be run: part of every start, so nothing but `node:fs` and `node:path` is imported here. */
import { lstatSync, realpathSync, type Stats } from 'node:fs'
import { dirname, isAbsolute, join } from 'node:path'

const writableByOthers = 0o022
const sticky = 0o1000

/**
 * Where compiled code of this user's is kept: below XDG_CACHE_HOME or `~/.cache`. Undefined where nothing tells, and where files have no owners, so
 * that nobody could say whose they are.
 */
export function codeFolder(env: Readonly<Record<string, string | undefined>>): string | undefined {
  if (process.geteuid === undefined) return undefined
  const said = env['XDG_CACHE_HOME']
  if (said && isAbsolute(said)) return join(said, 'stagecraft', 'code')
  const home = env['HOME']
  return home && isAbsolute(home) ? join(home, '.cache', 'stagecraft', 'code') : undefined
}

/**
 * True for a folder that only this user can have put something into: it is the user's own and no link, nobody else may write to it, and nobody but the
 * user and root may put another in its place.
 */
export function isPrivateFolder(folder: string): boolean {
  try {
    const found = lstatSync(folder)
    return found.isDirectory() && isPrivate(found) && isBeyondOthers(dirname(realpathSync.native(folder)))
  } catch {
    // What is not there, or may not be looked at.
    return false
  }
}

/** The user's own, and nobody else may write to it. */
export function isPrivate(found: Stats): boolean {
  return found.uid === process.geteuid?.() && (found.mode & writableByOthers) === 0
}

/** Nobody but root and this user can rename what is in the folder, or any folder above it. */
function isBeyondOthers(folder: string): boolean {
  const found = lstatSync(folder)
  const isTrusted = found.uid === 0 || found.uid === process.geteuid?.()
  // In a folder like `/tmp`, only the owner of an entry renames it.
  const isGuarded = (found.mode & writableByOthers) === 0 || (found.mode & sticky) !== 0
  const above = dirname(folder)
  return isTrusted && isGuarded && (above === folder || isBeyondOthers(above))
}
