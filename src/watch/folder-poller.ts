/** For file systems that tell of no changes (some network and virtual ones): looks at every file, again and again. */
import { lstatSync, readdirSync } from 'node:fs'
import { join, posix } from 'node:path'
import { type FolderWatcher, foldersOf } from './folder-watcher.ts'
import type { WantedFolders } from './wanted-folders.ts'

/** @param everyMs between two looks. */
export function pollFolders(directory: string, everyMs: number, onChange: (path: string) => void): FolderWatcher {
  let wanted: WantedFolders = { deep: [], flat: [] }
  let seen: ReadonlyMap<string, string> | undefined
  const look = () => {
    const now = filesOf(directory, wanted)
    for (const [path, state] of now) if (seen !== undefined && seen.get(path) !== state) onChange(path)
    for (const path of seen?.keys() ?? []) if (!now.has(path)) onChange(path)
    seen = now
  }
  const timer = setInterval(look, everyMs)
  return {
    sync(next) {
      const isSame = JSON.stringify(next) === JSON.stringify(wanted)
      wanted = next
      if (!isSame) seen = filesOf(directory, wanted)
    },
    get size() {
      return seen?.size ?? 0
    },
    close: () => clearInterval(timer),
  }
}

function filesOf(directory: string, wanted: WantedFolders): ReadonlyMap<string, string> {
  const found = new Map<string, string>()
  for (const folder of foldersOf(directory, wanted).keys()) {
    try {
      for (const entry of readdirSync(join(directory, folder), { withFileTypes: true })) {
        if (entry.isDirectory()) continue
        const path = posix.join(folder, entry.name)
        const stat = lstatSync(join(directory, path), { bigint: true, throwIfNoEntry: false })
        if (stat) found.set(path, `${stat.ino}:${stat.size}:${stat.mtimeNs}:${stat.mode}`)
      }
    } catch (error) {
      // It has just gone: the next look misses its files.
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    }
  }
  return found
}
