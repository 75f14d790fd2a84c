/** A host of the manifest as the system's `ssh` is to reach it. Pure. */
import { isAbsolute, join, resolve } from 'node:path'
import type { Deployment, HostAddress } from '../../contracts.ts'
import type { SshTarget } from './ssh-command.ts'

export interface SshSources {
  /** Folder of the manifest, absolute. */
  readonly projectDirectory: string
  readonly homeDirectory: string
}

/** @param user instead of the manifest's. */
export function sshTarget(
  host: HostAddress,
  { knownHosts }: Pick<Deployment, 'knownHosts'>,
  { projectDirectory, homeDirectory }: SshSources,
  user: string | undefined = host.user,
): SshTarget {
  const absolute = (path: string) => {
    if (path.startsWith('~/')) return join(homeDirectory, path.slice(2))
    return isAbsolute(path) ? path : resolve(projectDirectory, path)
  }
  return {
    address: host.address,
    ...(user === undefined ? {} : { user }),
    ...(host.port === undefined ? {} : { port: host.port }),
    ...(host.identityFile === undefined ? {} : { identityFile: absolute(host.identityFile) }),
    ...(host.jump === undefined ? {} : { jump: host.jump }),
    knownHostsFiles: knownHosts.map(absolute),
  }
}
