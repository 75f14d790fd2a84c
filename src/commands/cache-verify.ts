import { z } from 'zod'
import { type Verified, verify } from '../../cache/verify.ts'
import { type App, type ExitCode, exitCodes, type GlobalOptions } from '../contracts.ts'
import { cacheFolderOf, onCacheFolder } from '../session/cache-folder.ts'
import { renderCount, renderSize } from '../ui/size.ts'

export const summary = 'read everything in the cache, and remove what is damaged'
export const feature = 'CLI_CACHE'
export const options = z.strictObject({ format: z.enum(['text', 'json']).default('text').describe('form of the result') })
export const examples = ['stagecraft cache verify', 'stagecraft cache verify --format json']

/** Exit code 2 when something was damaged: it is gone now, but disks that lose bits want to be known. */
export async function run(input: z.infer<typeof options>, globals: GlobalOptions, app: App): Promise<ExitCode> {
  const directory = cacheFolderOf(globals, app)
  const verified = await onCacheFolder(directory, () => verify(directory, { signal: app.signal, removes: !globals.dryRun }))
  app.stdout.write(input.format === 'json' ? `${JSON.stringify(verified, null, 2)}\n` : text(verified, globals.dryRun))
  return verified.damaged.length === 0 ? exitCodes.done : exitCodes.world
}

function text({ results, blobs, bytes, damaged }: Verified, isDry: boolean): string {
  const read = `read ${renderCount(results, 'result')} and ${renderCount(blobs, 'blob')}, ${renderSize(bytes)}`
  if (damaged.length === 0) return `${read}: all whole\n`
  const lines = damaged.map(({ what, name, why }) => `${what} ${name.slice(0, 12)} ${isDry ? 'is damaged' : 'was removed'}: it ${why}\n`)
  const next = isDry ? '' : ', and what made them will run again'
  return `${lines.join('')}${read}: ${renderCount(damaged.length, 'entry was', 'entries were')} damaged${next}\n`
}
