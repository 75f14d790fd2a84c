/** `--trace` and `--summary`: files that must be writable before anything runs, and are written whole or not at all. */
import { accessSync, constants, existsSync, mkdirSync, statSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { replaceFile } from '../../cache/replace-file.ts'
import type { Diagnostic } from '../../graph/types.ts'
import { InputError } from '../contracts.ts'

export interface ReportFiles {
  readonly trace?: string
  readonly summary?: string
}

/** Absolute paths; their folders exist. @throws InputError for what cannot be written, before anything ran. */
export function reportFiles(
  given: { readonly trace?: string | undefined; readonly summary?: string | undefined },
  cwd: string,
): ReportFiles {
  const problems: Diagnostic[] = []
  const checked = (flag: string, path: string | undefined) => {
    if (path === undefined) return undefined
    const absolute = resolve(cwd, path)
    const why = whyNot(absolute)
    if (why !== undefined) problems.push({ code: 'SC3125', severity: 'error', message: `\`--${flag} ${path}\` cannot be written: ${why}` })
    return absolute
  }
  const trace = checked('trace', given.trace)
  const summary = checked('summary', given.summary)
  if (trace !== undefined && trace === summary)
    problems.push({ code: 'SC3125', severity: 'error', message: '`--trace` and `--summary` name the same file' })
  if (problems.length > 0) throw new InputError(problems)
  return { ...(trace === undefined ? {} : { trace }), ...(summary === undefined ? {} : { summary }) }
}

function whyNot(path: string): string | undefined {
  try {
    if (statSync(path, { throwIfNoEntry: false })?.isDirectory()) return 'it is a folder'
    mkdirSync(dirname(path), { recursive: true })
    accessSync(dirname(path), constants.W_OK)
    if (existsSync(path)) accessSync(path, constants.W_OK)
    return undefined
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}

/** @param warn told when the file could not be written after all: the run itself is over and stands. */
export function writeReport(path: string, value: object, warn: (message: string) => void): void {
  try {
    replaceFile(path, `${JSON.stringify(value, null, 2)}\n`)
  } catch (error) {
    warn(`${path} was not written: ${error instanceof Error ? error.message : String(error)}`)
  }
}
