import { constants } from 'node:fs'
import { copyFile, readFile, writeFile } from 'node:fs/promises'
import { basename } from 'node:path'
import { codeOf, messageOf } from '../../cache/foreign.ts'
import { replaceFile } from '../../cache/replace-file.ts'
import { TaskFailure } from '../../tasks/kind.ts'
import { withIgnoredFolder } from './gitignore.ts'

/** Writes a file that must not be there yet. @throws TaskFailure. */
export async function createFile(path: string, text: string): Promise<void> {
  await writing(path, () => writeFile(path, text, { flag: 'wx', mode: 0o644 }))
}

/** Writes over a file, after a copy of it was kept beside it. @returns the copy's path: never one that was there before. @throws TaskFailure. */
export async function replaceKeepingCopy(path: string, text: string): Promise<string> {
  for (let number = 1; ; number++) {
    const copy = `${path}.bak${number === 1 ? '' : `.${number}`}`
    try {
      await copyFile(path, copy, constants.COPYFILE_EXCL)
    } catch (error) {
      if (codeOf(error) === 'EEXIST') continue
      throw refused(copy, error)
    }
    await writing(path, () => writeFile(path, text))
    return copy
  }
}

/** Adds our lines to a `.gitignore` once. @returns whether it was changed. @throws TaskFailure. */
export async function ignoreFolder(path: string): Promise<boolean> {
  const text = await readFile(path, 'utf8').catch((error: unknown) => {
    if (codeOf(error) === 'ENOENT') return undefined
    throw refused(path, error)
  })
  const changed = withIgnoredFolder(text)
  if (changed === undefined) return false
  await writing(path, () => writeFile(path, changed))
  return true
}

/** Writes a file of ours, in a folder of ours. @throws TaskFailure. */
export async function keepFile(path: string, text: string): Promise<void> {
  await writing(path, async () => replaceFile(path, text))
}

async function writing(path: string, write: () => Promise<void>): Promise<void> {
  await write().catch((error: unknown) => {
    throw refused(path, error)
  })
}

function refused(path: string, error: unknown): TaskFailure {
  const message = `cannot write \`${basename(path)}\`: ${messageOf(error)}`
  return new TaskFailure({ reason: 'refused', subject: path, message, remedy: 'make the folder writable' }, { cause: error })
}
