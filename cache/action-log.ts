import { readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { digestOf } from '../graph/fingerprint.ts'
import type { Action, TaskId } from '../graph/types.ts'
import type { ActionLog } from './cache.ts'
import { codeOf, isObject, messageOf, parseObject } from './foreign.ts'
import { replaceFile } from './replace-file.ts'

const schema = 1

/** Where the log of a cache directory lies. */
export function actionLogDirectory(cacheDirectory: string): string {
  return join(cacheDirectory, 'last')
}

/**
 * One small JSON file per task rather than entries in cacache: measured an eighth of the time to write, a twentieth to read, no index that only grows, and
 * `explain` need not load cacache. Files are named by digest, as ids may differ in case only and hold any character.
 * Nothing depends on the log, so what goes wrong with it is a warning.
 */
export function openActionLog(directory: string, warn: (message: string) => void): ActionLog {
  const pathOf = (id: TaskId): string => join(directory, `${digestOf(id)}.json`)
  return {
    async last(id) {
      const path = pathOf(id)
      try {
        const action = parseEntry(readFileSync(path, 'utf8'), id)
        if (action) return action
        rmSync(path, { force: true })
        warn(`what is recorded of the last run of \`${id}\` was damaged and has been removed`)
      } catch (error) {
        if (codeOf(error) !== 'ENOENT') warn(`cannot read what is recorded of the last run of \`${id}\`: ${messageOf(error)}`)
      }
      return undefined
    },
    async record(id, action) {
      try {
        const [path, text] = [pathOf(id), JSON.stringify({ schema, id, action })]
        // In a run that does nothing this is every task: reading costs a tenth of writing.
        if (textAt(path) !== text) replaceFile(path, text)
      } catch (error) {
        warn(`cannot record the last run of \`${id}\`: ${messageOf(error)}`)
      }
    },
  }
}

function textAt(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    // Whatever stands in the way of reading is for the write to tell.
    return undefined
  }
}

function parseEntry(text: string, id: TaskId): Action | undefined {
  const entry = parseObject(text)
  const action = entry?.['action']
  if (entry?.['schema'] !== schema || entry['id'] !== id || !isObject(action)) return undefined
  const complete = typeof action['kind'] === 'string' && typeof action['version'] === 'number' && action['params'] !== undefined
  const parts = ['env', 'secrets', 'files', 'needs'].every((part) => isTextRecord(action[part]))
  return complete && parts ? (action as unknown as Action) : undefined
}

function isTextRecord(value: unknown): boolean {
  return isObject(value) && Object.values(value).every((member) => typeof member === 'string')
}
