import { lstatSync, readdirSync, readFileSync, readlinkSync, type Stats } from 'node:fs'
import { join } from 'node:path'
import { digestOf } from '../../graph/fingerprint.ts'
import type { ActionResult } from '../../graph/types.ts'
import { wantedOf } from '../outputs/difference.ts'
import { LeadsOutside, type Listing, listOutputs } from '../outputs/list.ts'
import { parsePatterns } from '../outputs/patterns.ts'

/** A file that a task left in the project and that is not as it left it, or that is among its outputs and not of its making. */
export interface OutputChange {
  readonly path: string
  readonly change: 'missing' | 'edited' | 'extra'
}

/**
 * Looks only.
 * @param directory absolute folder of the manifest.
 * @param patterns of all that is an output of the task.
 * @returns sorted by path; empty when all are there, exactly.
 */
export async function outputChanges(
  directory: string,
  patterns: readonly string[],
  result: ActionResult,
): Promise<readonly OutputChange[]> {
  const { files, links = {} } = result
  const changes: OutputChange[] = []
  for (const path of [...Object.keys(files), ...Object.keys(links)].sort()) {
    const absolute = join(directory, path)
    const stat = lstatSync(absolute, { throwIfNoEntry: false })
    if (!stat) changes.push({ path, change: 'missing' })
    else if (!isAsMade(absolute, stat, files[path], links[path])) changes.push({ path, change: 'edited' })
  }
  const wanted = wantedOf(result)
  for (const [path, kind] of await found(directory, patterns)) {
    const isNobodys = kind === 'folder' && readdirSync(join(directory, path)).length > 0
    if (!wanted.has(path) && !isNobodys) changes.push({ path, change: 'extra' })
  }
  return changes.sort((one, other) => (one.path < other.path ? -1 : 1))
}

async function found(directory: string, patterns: readonly string[]): Promise<Listing> {
  try {
    return await listOutputs(directory, parsePatterns(patterns))
  } catch (error) {
    // A folder on the way became a link: the task's own files are told as missing or edited.
    if (error instanceof LeadsOutside) return new Map()
    throw error
  }
}

function isAsMade(absolute: string, stat: Stats, file: ActionResult['files'][string] | undefined, target: string | undefined): boolean {
  if (target !== undefined) return stat.isSymbolicLink() && readlinkSync(absolute) === target
  if (!stat.isFile() || file === undefined) return false
  if (((stat.mode & 0o100) !== 0) !== file.executable) return false
  return digestOf(readFileSync(absolute)) === file.digest
}
