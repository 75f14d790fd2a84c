/**
 * Watches folders with what the system offers for one folder (`fs.watch`), and keeps the watches in step with the folders that there are.
 * Events are hints: they say where to look, and whoever is told looks for himself. So a folder that vanishes, appears or is replaced in the
 * middle of a burst (`git checkout`) costs at most a look too many.
 */
import { type FSWatcher, lstatSync, readdirSync, watch } from 'node:fs'
import { basename, join, posix } from 'node:path'
import { TaskFailure } from '../../tasks/kind.ts'
import type { WantedFolders } from './wanted-folders.ts'

export interface FolderWatcher {
  /** Brings the watches in step with the disk; files in folders that were not watched before are told as changed. */
  sync(wanted: WantedFolders): void
  /** Folders being watched now. */
  readonly size: number
  close(): void
}

/** Never read for changes unless a task's pattern begins in there: too many files, none of them written by hand. */
const passedOver = new Set(['.git', 'node_modules', '.stagecraft'])

interface Watched {
  readonly watcher: FSWatcher
  readonly identity: string
}

/**
 * @param directory absolute folder of the project.
 * @param onChange project-relative path of what may have changed.
 * @param watchFolder what the system offers.
 * @throws TaskFailure when the system lets us watch no more.
 */
export function watchFolders(directory: string, onChange: (path: string) => void, watchFolder: typeof watch = watch): FolderWatcher {
  const watched = new Map<string, Watched>()
  let isFirst = true

  const drop = (folder: string): void => {
    for (const [path, { watcher }] of watched) {
      if (path !== folder && !path.startsWith(`${folder}/`)) continue
      watcher.close()
      watched.delete(path)
    }
  }

  const add = (folder: string, identity: string): void => {
    const absolute = join(directory, folder)
    try {
      const watcher = watchFolder(absolute, { persistent: true }, (event, name) => {
        if (name === null) return onChange(posix.join(folder, '.'))
        const path = posix.join(folder, name)
        // A folder of that name may be another one now, which is not watched.
        if (event === 'rename' && name !== basename(absolute)) drop(path)
        onChange(path)
      })
      watcher.on('error', () => drop(folder))
      watched.set(folder, { watcher, identity })
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException
      if (code !== 'ENOENT' && code !== 'ENOTDIR' && code !== 'EACCES') throw notWatchable(error, watched.size)
    }
  }

  return {
    sync(wanted) {
      const there = foldersOf(directory, wanted)
      for (const [folder, { identity }] of watched) if (there.get(folder) !== identity) drop(folder)
      for (const [folder, identity] of there) {
        if (watched.has(folder)) continue
        add(folder, identity)
        if (!isFirst) for (const name of filesIn(join(directory, folder))) onChange(posix.join(folder, name))
      }
      isFirst = false
    },
    get size() {
      return watched.size
    },
    close() {
      for (const { watcher } of watched.values()) watcher.close()
      watched.clear()
    },
  }
}

/** Folder → what it is, so that another one in its place is noticed. */
export function foldersOf(directory: string, { deep, flat }: WantedFolders): ReadonlyMap<string, string> {
  const found = new Map<string, string>()
  for (const folder of [...flat, ...deep]) {
    // Up to one that is there: it tells when the others appear.
    for (let up = folder; ; up = posix.dirname(up)) {
      const identity = identityOf(join(directory, up))
      if (identity !== undefined) found.set(up, identity)
      if (identity !== undefined || up === '.' || up.endsWith('..')) break
    }
    const parent = posix.dirname(folder)
    const above = folder === '.' || folder.endsWith('..') ? undefined : identityOf(join(directory, parent))
    if (above !== undefined) found.set(parent, above)
  }
  const waiting = deep.filter((folder) => found.has(folder))
  const entered = new Set(waiting)
  for (let folder = waiting.pop(); folder !== undefined; folder = waiting.pop()) {
    for (const name of foldersIn(join(directory, folder))) {
      const path = posix.join(folder, name)
      const identity = passedOver.has(name) || entered.has(path) ? undefined : identityOf(join(directory, path))
      if (identity === undefined) continue
      found.set(path, identity)
      entered.add(path)
      waiting.push(path)
    }
  }
  return found
}

function identityOf(absolute: string): string | undefined {
  try {
    const stat = lstatSync(absolute, { bigint: true, throwIfNoEntry: false })
    return stat?.isDirectory() ? `${stat.dev}:${stat.ino}:${stat.birthtimeNs}` : undefined
  } catch {
    return undefined
  }
}

function entriesIn(absolute: string) {
  try {
    return readdirSync(absolute, { withFileTypes: true })
  } catch {
    // It has just gone, or is not ours to read: then no task can read it either, and says so.
    return []
  }
}

const foldersIn = (absolute: string): readonly string[] => entriesIn(absolute).flatMap((entry) => (entry.isDirectory() ? [entry.name] : []))
const filesIn = (absolute: string): readonly string[] => entriesIn(absolute).flatMap((entry) => (entry.isDirectory() ? [] : [entry.name]))

function notWatchable(error: unknown, size: number): TaskFailure {
  const { code, message } = error as NodeJS.ErrnoException
  const isLimit = code === 'ENOSPC' || code === 'EMFILE'
  const limit = code === 'ENOSPC' ? 'max_user_watches' : 'max_user_instances'
  return new TaskFailure(
    {
      reason: 'refused',
      subject: 'watch',
      message: isLimit
        ? `the system lets us watch no more than the ${size} ${size === 1 ? 'folder' : 'folders'} watched now (${code})`
        : `folders cannot be watched: ${message}`,
      remedy: isLimit
        ? `raise the limit (\`sudo sysctl fs.inotify.${limit}=1048576\`), narrow the tasks' \`inputs\`, or set STAGECRAFT_WATCH_POLL=1000 to look every second instead`
        : 'set STAGECRAFT_WATCH_POLL=1000 to look every second instead',
    },
    { cause: error },
  )
}
