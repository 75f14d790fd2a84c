import { lstatSync, readFileSync, readlinkSync, type Stats } from 'node:fs'
import { join } from 'node:path'
import { digestOf } from '../../graph/fingerprint.ts'
import type { ActionResult } from '../../graph/types.ts'

/** A file that a task left in the project and that is not as it left it. */
export interface OutputChange {
  readonly path: string
  readonly change: 'missing' | 'edited'
}

/** Looks only. @param directory absolute folder of the manifest. @returns sorted by path; empty when all are there, exactly. */
export function outputChanges(directory: string, { files, links = {} }: ActionResult): readonly OutputChange[] {
  const changes: OutputChange[] = []
  for (const path of [...Object.keys(files), ...Object.keys(links)].sort()) {
    const absolute = join(directory, path)
    const stat = lstatSync(absolute, { throwIfNoEntry: false })
    if (!stat) changes.push({ path, change: 'missing' })
    else if (!isAsMade(absolute, stat, files[path], links[path])) changes.push({ path, change: 'edited' })
  }
  return changes
}

function isAsMade(absolute: string, stat: Stats, file: ActionResult['files'][string] | undefined, target: string | undefined): boolean {
  if (target !== undefined) return stat.isSymbolicLink() && readlinkSync(absolute) === target
  if (!stat.isFile() || file === undefined) return false
  if (((stat.mode & 0o100) !== 0) !== file.executable) return false
  return digestOf(readFileSync(absolute)) === file.digest
}
