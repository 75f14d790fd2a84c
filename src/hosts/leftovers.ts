/** What a run that was cut off had begun to write on a host, and whoever takes its lock over does away with. */
import { liveFolder, maintenanceFolder, routeFolder, setFolder, trialKey } from '../../tasks/edge/layout.ts'
import { TaskFailure } from '../../tasks/kind.ts'
import type { Host, HostFiles } from '../../tasks/ports.ts'
import { bundlesFolder, filesFolder, incomingPrefix } from '../../tasks/rendering/bundle-layout.ts'
import type { EdgeScope } from './edge-state.ts'
import { temporaryPrefix } from './sftp-files.ts'

const root = '.'
const ownFolders = [root, bundlesFolder, filesFolder, 'hooks']

/**
 * Unfinished files, and containers' places behind the proxy that were for trials. Call under the environment's lock: of a machine's edge, only what
 * is this environment's is touched, or what the edge's own lock is for.
 */
export async function removeLeftovers(
  host: Pick<Host, 'files' | 'edge' | 'observe' | 'changed'>,
  scope: EdgeScope | undefined,
): Promise<void> {
  const { files, edge } = host
  await Promise.all(ownFolders.map((folder) => removeIn(files, folder, isUnfinished)))
  if (scope === undefined) return
  const trials = scope.keys.map(trialKey)
  const isTrial = (name: string) => trials.includes(name) && !scope.keys.includes(name)
  const isOurs = (name: string) => name.startsWith(`${temporaryPrefix}${scope.prefix}`)
  host.changed()
  const routes = (await host.observe()).edge?.routes ?? {}
  /** Sets of upstreams are called after their service and a hash; only the one that its link leads to is in use. */
  const isStaleSet = (name: string) => {
    const key = name.replace(/-[0-9a-f]{16}$/, '')
    return isTrial(key) || (scope.keys.includes(key) && routes[key]?.live !== `${setFolder}/${name}`)
  }
  await Promise.all([
    removeIn(edge.files, liveFolder, (name) => isTrial(name) || isOurs(name)),
    removeIn(edge.files, `${liveFolder}/${setFolder}`, isStaleSet),
    removeIn(edge.files, maintenanceFolder, isOurs),
    removeIn(edge.files, routeFolder, isOurs),
    removeShared(edge),
  ])
}

async function removeIn(files: HostFiles, folder: string, isLeft: (name: string) => boolean): Promise<void> {
  const names = (await files.list(folder)).filter(isLeft)
  await Promise.all(names.map((name) => files.remove(`${folder}/${name}`)))
}

/** What all projects of a machine share is only written under the edge's lock, which the dead run may have had too. */
async function removeShared(edge: Host['edge']): Promise<void> {
  const names = await edge.files.list(root)
  if (!names.some((name) => isUnfinished(name) || name === 'lock')) return
  try {
    await edge.exclusively(() => removeIn(edge.files, root, isUnfinished))
  } catch (error) {
    // Somebody is at work there: then nothing of it is left over.
    if (!(error instanceof TaskFailure) || error.failure.reason !== 'lock-held') throw error
  }
}

function isUnfinished(name: string): boolean {
  return name.startsWith(temporaryPrefix) || name.startsWith(incomingPrefix)
}
