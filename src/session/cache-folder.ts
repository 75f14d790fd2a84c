import { statSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { codeOf, isOfTheDisk, messageOf } from '../../cache/foreign.ts'
import { TaskFailure } from '../../tasks/kind.ts'
import { type App, type GlobalOptions, InputError } from '../contracts.ts'

/**
 * Where the cache of this machine lies: what STAGECRAFT_CACHE_DIR says, which checkouts may share, else below the manifest's folder.
 * @param directory absolute folder of the manifest.
 */
export function cacheFolder(directory: string, app: Pick<App, 'cwd' | 'env'>): string {
  const said = app.env['STAGECRAFT_CACHE_DIR']
  return said === undefined || said === '' ? join(directory, '.stagecraft', 'cache') : resolve(app.cwd, said)
}

/**
 * The same for commands that must work whatever the manifest says: only its folder counts.
 * @throws InputError when nothing tells where the cache would be.
 */
export function cacheFolderOf(globals: GlobalOptions, app: App): string {
  const directory = dirname(resolve(app.cwd, globals.config))
  const folder = cacheFolder(directory, app)
  if (app.env['STAGECRAFT_CACHE_DIR'] || kindOf(directory) === 'folder') {
    if (kindOf(folder) !== 'other') return folder
    throw new InputError([{ code: 'SC5001', severity: 'error', message: `the cache cannot be in \`${folder}\`: a file is in the way` }])
  }
  throw new InputError([{ code: 'SC5001', severity: 'error', message: `the folder of \`${globals.config}\` does not exist` }])
}

/** Work on the folder of a cache. @throws TaskFailure for what its disk refuses. */
export async function onCacheFolder<T>(folder: string, work: () => T | Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (!isOfTheDisk(error)) throw error
    const remedy = 'look at who owns the folder, and at the space that is left, or set STAGECRAFT_CACHE_DIR'
    throw new TaskFailure({ reason: 'refused', subject: folder, message: messageOf(error), remedy }, { cause: error })
  }
}

function kindOf(path: string): 'folder' | 'other' | 'nothing' {
  try {
    const stat = statSync(path, { throwIfNoEntry: false })
    return stat === undefined ? 'nothing' : stat.isDirectory() ? 'folder' : 'other'
  } catch (error) {
    if (codeOf(error) === 'ENOTDIR') return 'other'
    // May not be looked at: whoever uses it is told so.
    return 'folder'
  }
}
