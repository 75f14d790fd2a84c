import { posix } from 'node:path'
import { bounded } from './ssh-deadline.ts'
import type { FileSystemSpace, Sftp } from './ssh-sftp.ts'

/** Looking at the disk must not hold up the failure it explains. */
const timeoutMs = 5_000

/** Of the file system that holds `path`, or would: of its nearest directory that exists. Undefined when it cannot be told. */
export async function spaceNear(path: string, sftp: Sftp): Promise<FileSystemSpace | undefined> {
  const look = async () => {
    for (let folder = path; folder.startsWith('/'); folder = posix.dirname(folder)) {
      const space = await sftp.space(folder).catch(() => undefined)
      if (space !== undefined || folder === '/') return space
    }
    return undefined
  }
  const onTimeout = () => new Error('no answer')
  return bounded({ timeoutMs, onTimeout, signals: [] }, look).catch(() => undefined)
}
