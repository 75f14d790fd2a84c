import { relative, resolve } from 'node:path'
import { replaceFile } from '../../cache/replace-file.ts'
import { TaskFailure } from '../../tasks/kind.ts'
import type { App } from '../contracts.ts'

/**
 * Prints a result, or writes it to a file and prints the file's path instead: readers of the file see the old text or the new one, whole.
 * @throws TaskFailure when it cannot be written.
 */
export function writeResult(text: string, out: string | undefined, app: App): void {
  if (out === undefined) return void app.stdout.write(text)
  const path = resolve(app.cwd, out)
  try {
    replaceFile(path, text)
  } catch (error) {
    const message = `it cannot be written: ${error instanceof Error ? error.message : String(error)}`
    throw new TaskFailure(
      { reason: 'refused', subject: out, message, remedy: 'name a file in a folder you may write to' },
      { cause: error },
    )
  }
  app.stdout.write(`${relative(app.cwd, path)}\n`)
}
