import { statSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
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
  if (app.env['STAGECRAFT_CACHE_DIR'] || statSync(directory, { throwIfNoEntry: false })?.isDirectory()) return folder
  throw new InputError([{ code: 'SC5001', severity: 'error', message: `the folder of \`${globals.config}\` does not exist` }])
}
