import { statSync, utimesSync } from 'node:fs'
import { codeOf } from './foreign.ts'

/**
 * Marks a file as used now, unless it was since this opening of the cache: ages are counted from when something was last used, and a
 * collection running now leaves it alone. One that went meanwhile was good all the same.
 */
export function touch(path: string, openedMs: number): void {
  const stat = statSync(path, { throwIfNoEntry: false })
  if (!stat || stat.mtimeMs >= openedMs) return
  // Whole milliseconds, rounded down, would be before a process that began within this one.
  const now = new Date(Date.now() + 1)
  try {
    utimesSync(path, now, now)
  } catch (error) {
    // A folder that may only be read, or one that another process collects.
    if (!['ENOENT', 'EACCES', 'EPERM', 'EROFS'].includes(codeOf(error) ?? '')) throw error
  }
}
