/** The history that `releases` shows: what is kept beside the manifest and, when asked for, what the primary host knows. */
import { dirname, resolve } from 'node:path'
import { type App, type Deployment, type GlobalOptions, InputError } from '../contracts.ts'
import { withoutGhosts } from '../releases/crash-recovery.ts'
import { parseHistory } from '../releases/history-file.ts'
import { mergeHistory } from '../releases/merge-history.ts'
import type { Release } from '../releases/release.ts'
import { createReleaseStore } from '../releases/store.ts'
import { remoteHistory } from './host-history.ts'
import { hostPool } from './hosts.ts'
import { openDeployment } from './open-deployment.ts'

/**
 * The local history needs no manifest; `remote` needs one, and `--env`. Writes nothing.
 * @throws InputError without them. @throws TaskFailure when the host does not answer, or a history is damaged.
 */
export async function allReleases(
  remote: boolean,
  globals: GlobalOptions,
  app: App,
): Promise<{ releases: readonly Release[]; path: string }> {
  const directory = dirname(resolve(app.cwd, globals.config))
  const store = createReleaseStore({ projectDirectory: directory, env: app.env })
  const local = await store.read()
  const known = remote ? mergeHistory(local, await remoteReleases(await deploymentOf(globals, app), directory, app)) : local
  return { releases: withoutGhosts(known, app.now()), path: store.path }
}

async function remoteReleases(deployment: Deployment, directory: string, app: App): Promise<readonly Release[]> {
  if (deployment.primaryHost === undefined) return []
  const hosts = hostPool(deployment, directory, app)
  try {
    const host = hosts.host(deployment.primaryHost)
    const bytes = await host.files.read(remoteHistory)
    return bytes ? parseHistory(Buffer.from(bytes).toString('utf8'), `${host.name}:${host.directory}/${remoteHistory}`).releases : []
  } finally {
    await hosts.close()
  }
}

/** Never guessed, as `--remote` is about one environment's host. */
async function deploymentOf(globals: GlobalOptions, app: App): Promise<Deployment> {
  if (globals.env === undefined) {
    const message = '`--remote` asks the primary host of an environment: name it with `--env`'
    throw new InputError([{ code: 'SC3101', severity: 'error', message }])
  }
  return (await openDeployment(globals, app)).deployment
}
