/**
 * What tasks leave in the project folder: found by pattern, kept in the content store, put back exactly or not at all (docs/adr/0017).
 * Nothing here reads, writes or removes through a symbolic link that leads out of the project.
 */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import type { ContentStore } from '../../cache/cache.ts'
import { codeOf } from '../../cache/foreign.ts'
import type { Digest } from '../../graph/types.ts'
import { TaskFailure } from '../../tasks/kind.ts'
import type { Outputs } from '../../tasks/ports.ts'
import { hashFile } from '../files/hash-file.ts'
import { captureOutputs } from './capture.ts'
import { differenceOf, type FileDigest, wantedOf } from './difference.ts'
import { LeadsOutside, listOutputs, parentOf, staysInside } from './list.ts'
import { type Patterns, parsePatterns } from './patterns.ts'
import { restoreOutputs } from './restore.ts'
import { openStaging } from './staging.ts'

export interface OutputsOptions {
  /** Where digests of files on disk come from: an index that knows their stats, or, by default, reading them. */
  readonly digestOf?: FileDigest
}

/** @param directory absolute folder of the manifest. */
export function projectOutputs(directory: string, content: ContentStore, options: OutputsOptions = {}): Outputs {
  const digestOf = options.digestOf ?? ((path) => hashFile(join(directory, path)) as Digest)
  const staging = openStaging(directory)
  const parsed = new Map<string, Patterns>()

  /** Parsing is cheap, and asked for again at every step of a task. */
  function patternsOf(patterns: readonly string[]): Patterns {
    const key = patterns.join('\0')
    const known = parsed.get(key) ?? parsePatterns(patterns)
    parsed.set(key, known)
    return known
  }

  return {
    async prepare(patterns) {
      staging.recover()
      for (const { base, form } of patternsOf(patterns).positives) {
        const folder = form === 'path' ? parentOf(base) : base
        try {
          staysInside(directory, folder)
          mkdirSync(join(directory, folder), { recursive: true })
        } catch (error) {
          throw unprepared(folder, error)
        }
      }
    },

    async capture(patterns, cwd = '.') {
      return captureOutputs(directory, patternsOf(patterns), content, cwd)
    },

    async isIntact(patterns, result) {
      staging.recover()
      try {
        const listing = await listOutputs(directory, patternsOf(patterns))
        const { changed, left } = await differenceOf(directory, listing, wantedOf(result), digestOf, true)
        return changed.size === 0 && left.size === 0
      } catch (error) {
        // What cannot be looked at is not known to be intact; putting it back or running the task will say why.
        if (error instanceof LeadsOutside || codeOf(error) !== undefined) return false
        throw error
      }
    },

    async restore(patterns, result) {
      staging.recover()
      return restoreOutputs({ directory, content, digestOf, staging }, patternsOf(patterns), result)
    },
  }
}

function unprepared(folder: string, error: unknown): Error {
  if (!(error instanceof LeadsOutside) && codeOf(error) === undefined) return error as Error
  const message = `the folder \`${folder}\` for its outputs cannot be made: ${(error as Error).message}`
  return new TaskFailure(
    { reason: 'refused', subject: folder, message, remedy: 'remove what is in the way, or correct `outputs`' },
    { cause: error },
  )
}
