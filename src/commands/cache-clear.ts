import { z } from 'zod'
import { clear } from '../../cache/clear.ts'
import { survey } from '../../cache/survey.ts'
import { type App, type ExitCode, exitCodes, type GlobalOptions, InputError } from '../contracts.ts'
import { canAsk, openQuestions } from '../scaffold/questions.ts'
import { cacheFolderOf, onCacheFolder } from '../session/cache-folder.ts'
import { renderCount, renderSize } from '../ui/size.ts'

export const summary = 'remove every result and blob in the cache'
export const feature = 'CLI_CACHE'
export const options = z.strictObject({
  yes: z.boolean().default(false).describe('do not ask'),
  format: z.enum(['text', 'json']).default('text').describe('form of the result'),
})
export const examples = ['stagecraft cache clear', 'stagecraft cache clear --yes']

/** @throws InputError when there is nobody to ask and nobody said yes. */
export async function run(input: z.infer<typeof options>, globals: GlobalOptions, app: App): Promise<ExitCode> {
  const directory = cacheFolderOf(globals, app)
  const { results, blobs } = await onCacheFolder(directory, () => survey(directory))
  const bytes = [...results, ...blobs.values()].reduce((sum, { sizeBytes }) => sum + sizeBytes, 0)
  const what = `${renderCount(results.length, 'result')} and ${renderCount(blobs.size, 'blob')}, ${renderSize(bytes)}, in ${directory}`
  const isRemoved = !globals.dryRun && (input.yes || (await isConfirmed(what, app)))
  if (isRemoved) await onCacheFolder(directory, () => clear(directory))
  const report = { directory, removed: isRemoved, results: results.length, blobs: blobs.size, bytes }
  const said = isRemoved ? 'removed' : globals.dryRun ? 'would remove' : 'kept'
  app.stdout.write(input.format === 'json' ? `${JSON.stringify(report, null, 2)}\n` : `${said} ${what}\n`)
  return exitCodes.done
}

async function isConfirmed(what: string, app: App): Promise<boolean> {
  if (!canAsk(app)) {
    const message = 'there is no terminal to ask on: add `--yes` to remove everything in the cache'
    throw new InputError([{ code: 'SC5002', severity: 'error', message }])
  }
  const questions = openQuestions(app)
  try {
    return await questions.confirm(`Remove ${what}?`)
  } finally {
    questions.close()
  }
}
