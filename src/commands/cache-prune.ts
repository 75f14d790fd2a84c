import { z } from 'zod'
import { type Collected, collect } from '../../cache/collect.ts'
import { openLocalCache } from '../../cache/local.ts'
import { parseDuration } from '../config/duration.ts'
import { parseSize } from '../config/size.ts'
import { type App, type ExitCode, exitCodes, type GlobalOptions, InputError } from '../contracts.ts'
import { cacheFolderOf, onCacheFolder } from '../session/cache-folder.ts'
import { limitsOf, manifestCache } from '../session/cache-limits.ts'
import { renderCount, renderSize } from '../ui/size.ts'

export const summary = 'bring the cache within its limits, or within smaller ones'
export const feature = 'CLI_CACHE'
export const options = z.strictObject({
  maxSize: z.string().optional().describe('how large it may be, such as 500MB or 2GB; 0B for nothing').meta({ value: '<size>' }),
  maxAge: z.string().optional().describe('how long a result may be unused, such as 12h or 7d').meta({ value: '<duration>' }),
  format: z.enum(['text', 'json']).default('text').describe('form of the result'),
})
export const examples = ['stagecraft cache prune', 'stagecraft cache prune --max-size 2GB --max-age 7d']

/** Least recently used goes first; what a running process uses stays. @throws InputError for what is no size or no duration. */
export async function run(input: z.infer<typeof options>, globals: GlobalOptions, app: App): Promise<ExitCode> {
  const maxSizeBytes = parsed(input.maxSize, 'max-size', 'a size such as 500MB', parseSize)
  const maxAgeSeconds = parsed(input.maxAge, 'max-age', 'a duration such as 7d', parseDuration)
  const directory = cacheFolderOf(globals, app)
  const warn = (message: string): void => void app.stderr.write(`warning: ${message}\n`)
  const { settings, ignored } = await manifestCache(globals, app)
  const isTold = maxSizeBytes !== undefined && maxAgeSeconds !== undefined
  if (ignored !== undefined && !isTold) warn(`the default limits hold, as ${ignored}`)
  const limits = {
    ...limitsOf(settings),
    ...(maxSizeBytes !== undefined && { maxSizeBytes }),
    ...(maxAgeSeconds !== undefined && { maxAgeMs: maxAgeSeconds * 1000 }),
  }
  const collected = await onCacheFolder(directory, () =>
    collect(openLocalCache(directory, { warn }), limits, app.now().getTime(), { removes: !globals.dryRun }),
  )
  app.stdout.write(input.format === 'json' ? `${JSON.stringify({ directory, ...collected }, null, 2)}\n` : text(collected, globals.dryRun))
  return exitCodes.done
}

function text({ removedResults, removedBytes, keptResults, keptBytes }: Collected, isDry: boolean): string {
  const kept = `${renderCount(keptResults, 'result')}, ${renderSize(keptBytes)}`
  if (removedResults === 0 && removedBytes === 0) return `nothing to remove: ${kept}\n`
  return `${isDry ? 'would remove' : 'removed'} ${renderCount(removedResults, 'result')}, ${renderSize(removedBytes)}; kept ${kept}\n`
}

function parsed(text: string | undefined, flag: string, expected: string, parse: (text: string) => number | undefined): number | undefined {
  if (text === undefined) return undefined
  const value = parse(text)
  if (value !== undefined) return value
  throw new InputError([{ code: 'SC3004', severity: 'error', message: `\`--${flag}\` takes ${expected}, not \`${text}\`` }])
}
