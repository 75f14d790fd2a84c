/**
 * `.stagecraft/releases.json`: every read is a fresh one, every write is whole or not at all, and a write is a change of what
 * is there now, under a lock between processes.
 */
import { randomUUID } from 'node:crypto'
import * as nodeFiles from 'node:fs/promises'
import { basename, dirname, extname, join, resolve } from 'node:path'
import { faultPoint } from '../../tasks/fault-point.ts'
import { TaskFailure } from '../../tasks/kind.ts'
import { parseHistory, renderHistory } from './history-file.ts'
import type { Release } from './release.ts'
import type { StateFiles } from './state-files.ts'
import { acquireStateLock } from './state-lock.ts'

export interface ReleaseStore {
  /** Absolute. */
  readonly path: string
  /** Releases in the order of the file; empty when there is none. @throws TaskFailure when it is damaged. */
  read(): Promise<readonly Release[]>
  /**
   * Replaces the releases by what `change` makes of them; returning the same array writes nothing. `change` may be called
   * again when another process wrote in between, so it must not act.
   * @throws TaskFailure when the file is damaged, locked or cannot be written: it is then as it was.
   */
  update(change: (releases: readonly Release[]) => readonly Release[]): Promise<readonly Release[]>
}

export interface ReleaseStoreOptions {
  /** Folder of the manifest: the history is kept in its `.stagecraft`. */
  readonly projectDirectory: string
  /** Beats everything. */
  readonly path?: string
  /** For STAGECRAFT_STATE_FILE; a relative one counts from the project. */
  readonly env?: Readonly<Record<string, string | undefined>>
  readonly files?: StateFiles
  /** How long to wait for another writer; default 10 s. */
  readonly lockWaitMs?: number
}

export function createReleaseStore(options: ReleaseStoreOptions): ReleaseStore {
  const chosen = options.path ?? (options.env?.['STAGECRAFT_STATE_FILE'] || join('.stagecraft', 'releases.json'))
  const path = resolve(options.projectDirectory, chosen)
  const files = options.files ?? nodeFiles
  const lockPath = join(dirname(path), `${basename(path, extname(path))}.lock`)
  const readText = () => textOf(path, files)
  const parse = (text: string | undefined) => (text === undefined ? { releases: [], fields: {} } : parseHistory(text, path))

  return {
    path,
    read: async () => {
      try {
        return parse(await readText()).releases
      } catch (error) {
        throw worldly(path, 'read', error)
      }
    },
    update: async (change) => {
      try {
        await files.mkdir(dirname(path), { recursive: true, mode: 0o750 })
        for (;;) {
          const lock = await acquireStateLock(lockPath, files, options.lockWaitMs ?? 10_000)
          try {
            const history = parse(await readText())
            const releases = change(history.releases)
            if (releases === history.releases) return releases
            if (await replace(path, renderHistory({ ...history, releases }), files, lock.held)) return releases
          } finally {
            await lock.release()
          }
        }
      } catch (error) {
        throw worldly(path, 'written', error)
      }
    },
  }
}

/** Call under the state lock. Write protocol: temporary file beside it, content, fsync, close, rename, fsync of the folder. @returns false when `allowed` says no. */
async function replace(path: string, text: string, files: StateFiles, allowed: () => Promise<boolean>): Promise<boolean> {
  const directory = dirname(path)
  const prefix = `.releases-${basename(path)}-`
  // Of a writer that was killed: whoever still works has the lock, and that is us.
  for (const name of await files.readdir(directory))
    if (name.startsWith(prefix) && name.endsWith('.tmp')) await files.rm(join(directory, name), { force: true })
  const temporary = join(directory, `${prefix}${randomUUID()}.tmp`)
  try {
    const handle = await files.open(temporary, 'wx')
    try {
      await handle.writeFile(text)
      await handle.sync()
    } finally {
      await handle.close()
    }
    if (!(await allowed())) return false
    faultPoint('history-written')
    await files.rename(temporary, path)
  } finally {
    await files.rm(temporary, { force: true })
  }
  await syncDirectory(directory, files)
  return true
}

/** Best effort: not every file system can, and the content is safe already. */
async function syncDirectory(directory: string, files: StateFiles): Promise<void> {
  try {
    const handle = await files.open(directory, 'r')
    try {
      await handle.sync()
    } finally {
      await handle.close()
    }
  } catch {
    // Nothing to do about it, and nothing to tell: the rename itself succeeded.
  }
}

async function textOf(path: string, files: StateFiles): Promise<string | undefined> {
  try {
    return await files.readFile(path, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

/** An error of the file system is the world's; an error of `change` is ours and passes as it is. */
function worldly(path: string, verb: 'read' | 'written', error: unknown): unknown {
  if (!(error instanceof Error) || !('code' in error) || error instanceof TaskFailure) return error
  return new TaskFailure(
    {
      reason: 'refused',
      subject: path,
      message: `the release history could not be ${verb}: ${error.message}`,
      remedy: 'see that the folder may be read and written and has free space, then run again',
    },
    { cause: error },
  )
}
