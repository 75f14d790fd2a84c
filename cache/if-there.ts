/** Reading what another process may just have removed, or what was never there. */
import { readdirSync, readFileSync } from 'node:fs'
import { codeOf } from './foreign.ts'

/** A file's text; undefined when there is none. @throws the system's error for anything else. */
export function textIfThere(path: string): string | undefined {
  return ifThere(() => readFileSync(path, 'utf8'))
}

/** Names in a folder; none when there is no folder. @throws the system's error for anything else. */
export function namesIfThere(folder: string): readonly string[] {
  return ifThere(() => readdirSync(folder)) ?? []
}

function ifThere<T>(read: () => T): T | undefined {
  try {
    return read()
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined
    throw error
  }
}
