import { lstat, readdir, readFile, realpath } from 'node:fs/promises'
import { join } from 'node:path'
import type { Digest } from '../../graph/types.ts'
import { TaskFailure } from '../kind.ts'
import type { Content } from '../ports.ts'
import { sortedNames } from './json.ts'

/** One file of a tree; `path` is relative to the tree, and empty when the tree is a single file. */
export interface TreeEntry {
  readonly path: string
  readonly digest: Digest
  readonly executable: boolean
}

/**
 * Puts a file, or every file of a folder, into the content store. Sorted by path, so two reads of the same tree are equal.
 * @throws TaskFailure for what is absent or cannot be copied as it is: links, sockets, devices.
 */
export async function storeProjectTree(projectDirectory: string, path: string, content: Content): Promise<readonly TreeEntry[]> {
  const root = join(projectDirectory, path)
  const actual = await realpath(root).catch(() => undefined)
  if (actual !== undefined && actual !== join(await realpath(projectDirectory), path)) throw linkFailure(path)
  const entries: TreeEntry[] = []
  const visit = async (relative: string): Promise<void> => {
    const absolute = relative === '' ? root : join(root, relative)
    const shown = relative === '' ? path : `${path}/${relative}`
    const found = await lstat(absolute).catch((cause: NodeJS.ErrnoException) => {
      throw readFailure(shown, cause)
    })
    if (found.isSymbolicLink()) throw linkFailure(shown)
    if (found.isDirectory()) {
      for (const name of sortedNames(await readdir(absolute))) await visit(relative === '' ? name : `${relative}/${name}`)
      return
    }
    if (!found.isFile()) {
      throw new TaskFailure({
        reason: 'refused',
        subject: shown,
        message: `${shown} is neither a file nor a folder, so it cannot be copied to a host`,
        remedy: 'bind a path on the host (an absolute one) instead',
      })
    }
    const bytes = await readFile(absolute).catch((cause: NodeJS.ErrnoException) => {
      throw readFailure(shown, cause)
    })
    entries.push({ path: relative, digest: await content.write(bytes), executable: (found.mode & 0o111) !== 0 })
  }
  await visit('')
  return entries
}

function linkFailure(path: string): TaskFailure {
  return new TaskFailure({
    reason: 'refused',
    subject: path,
    message: `${path} is a symbolic link, or below one; what it points to would not be noticed when it changes`,
    remedy: 'put the file itself there',
  })
}

function readFailure(path: string, cause: NodeJS.ErrnoException): TaskFailure {
  const absent = cause.code === 'ENOENT' || cause.code === 'ENOTDIR'
  return new TaskFailure(
    {
      reason: absent ? 'missing-output' : 'refused',
      subject: path,
      message: absent ? `${path} does not exist, and the Compose file binds it` : `${path} cannot be read: ${cause.message}`,
      remedy: 'create it in the project folder; data a service writes belongs in a named volume or an absolute path on the host',
    },
    { cause },
  )
}
