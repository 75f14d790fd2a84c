import { z } from 'zod'
import { boundedByDisk, lastCollection } from '../../cache/collect.ts'
import { type Survey, survey } from '../../cache/survey.ts'
import { type App, type ExitCode, exitCodes, type GlobalOptions } from '../contracts.ts'
import { cacheFolderOf, onCacheFolder } from '../session/cache-folder.ts'
import { limitsOf, manifestCache } from '../session/cache-limits.ts'
import { type DescribedRemote, describedRemote, describeRemote } from '../session/remote-settings.ts'
import { renderAge, renderCount, renderSize } from '../ui/size.ts'

export const summary = 'say where the cache lies, what is in it and what bounds it'
export const feature = 'CLI_CACHE'
export const options = z.strictObject({ format: z.enum(['text', 'json']).default('text').describe('form of the result') })
export const examples = ['stagecraft cache status', 'stagecraft cache status --format json']

/** Looks at folder, manifest and variables only: no environment is needed, nobody is asked, and a broken manifest is noted. */
export async function run(input: z.infer<typeof options>, globals: GlobalOptions, app: App): Promise<ExitCode> {
  const directory = cacheFolderOf(globals, app)
  const found = await onCacheFolder(directory, () => survey(directory))
  const bytes = bytesOf(found)
  const { settings, ignored } = await manifestCache(globals, app)
  const wanted = limitsOf(settings)
  const limits = found.results.length > 0 || found.blobs.size > 0 ? boundedByDisk(directory, wanted, bytes) : wanted
  const used = found.results.map(({ usedMs }) => usedMs)
  const report = {
    directory,
    results: found.results.length,
    blobs: found.blobs.size,
    bytes,
    limits: { ...limits, isBoundByDisk: limits.maxSizeBytes < wanted.maxSizeBytes },
    ...(used.length > 0 && { oldestUseMs: minimum(used), newestUseMs: -minimum(used.map((one) => -one)) }),
    lastCollectionMs: lastCollection(directory).atMs,
    remote: describedRemote(settings, app.env),
    ...(ignored !== undefined && { ignored }),
  }
  app.stdout.write(input.format === 'json' ? `${JSON.stringify(report, null, 2)}\n` : text(report, app.now().getTime()))
  return exitCodes.done
}

interface Report {
  readonly directory: string
  readonly results: number
  readonly blobs: number
  readonly bytes: number
  readonly limits: { readonly maxSizeBytes: number; readonly maxAgeMs: number; readonly isBoundByDisk: boolean }
  readonly oldestUseMs?: number
  readonly newestUseMs?: number
  readonly lastCollectionMs: number
  readonly remote: DescribedRemote
  readonly ignored?: string
}

function text(
  { directory, results, blobs, bytes, limits, oldestUseMs, newestUseMs, lastCollectionMs, remote, ignored }: Report,
  nowMs: number,
): string {
  const hours = Math.round(limits.maxAgeMs / 3_600_000)
  const unused = hours < 48 ? renderCount(hours, 'hour') : renderCount(Math.round(hours / 24), 'day')
  const rows: [string, string][] = [
    ['folder', directory],
    ['holds', `${renderCount(results, 'result')} and ${renderCount(blobs, 'blob')}, ${renderSize(bytes)}`],
    ...(oldestUseMs === undefined || newestUseMs === undefined
      ? []
      : [['used', `${renderAge(nowMs - oldestUseMs)} to ${renderAge(nowMs - newestUseMs)}`] satisfies [string, string]]),
    [
      'limits',
      `${renderSize(limits.maxSizeBytes)}${limits.isBoundByDisk ? ' (half of what the disk has left)' : ''}, unused for ${unused}`,
    ],
    ['collected', lastCollectionMs === 0 ? 'never' : renderAge(nowMs - lastCollectionMs)],
    ['shared', describeRemote(remote)],
    ...(ignored === undefined ? [] : [['note', `the defaults hold, as ${ignored}`] satisfies [string, string]]),
  ]
  return rows.map(([name, value]) => `${name.padEnd(10)} ${value}\n`).join('')
}

function bytesOf({ results, blobs, strays }: Survey): number {
  return [...results, ...blobs.values(), ...strays].reduce((sum, { sizeBytes }) => sum + sizeBytes, 0)
}

/** Of many: spreading tens of thousands into `Math.min` overflows the stack. */
function minimum(values: readonly number[]): number {
  return values.reduce((least, value) => Math.min(least, value), Number.POSITIVE_INFINITY)
}
