import { readFile } from 'node:fs/promises'
import { TaskFailure } from '../../tasks/kind.ts'
import type { KnownHostsFile } from './known-hosts.ts'
import type { ConnectionSettings } from './ssh-config.ts'

/** Those of a host's known_hosts files that are there. @throws TaskFailure (refused) when one cannot be read. */
export async function readKnownHosts(settings: ConnectionSettings): Promise<readonly KnownHostsFile[]> {
  const files = await Promise.all(
    settings.knownHostsFiles.map(async (path) => {
      const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
        if (error.code === 'ENOENT') return undefined
        // Passing over a file that is there could pass over a pin or a revocation.
        throw new TaskFailure(
          { reason: 'refused', subject: settings.name, message: `${path} cannot be read: ${error.message}` },
          { cause: error },
        )
      })
      return text === undefined ? [] : [{ path, text }]
    }),
  )
  return files.flat()
}
