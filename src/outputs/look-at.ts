import { lstatSync, type Stats } from 'node:fs'
import { codeOf } from '../../cache/foreign.ts'

/** What is at an absolute path, links not followed; undefined when nothing is, also because a file stands where a folder would have to be. */
export function lookAt(absolute: string): Stats | undefined {
  try {
    return lstatSync(absolute, { throwIfNoEntry: false })
  } catch (error) {
    if (codeOf(error) === 'ENOTDIR') return undefined
    throw error
  }
}
