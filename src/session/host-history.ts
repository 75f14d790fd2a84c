/** The copy of the release history on the primary host (ruling 11): another machine sees the same releases. */

import type { App } from '../contracts.ts'
import { parseHistory, renderHistory } from '../releases/history-file.ts'
import { mergeHistory } from '../releases/merge-history.ts'
import type { Release } from '../releases/release.ts'
import { createReleaseStore } from '../releases/store.ts'
import type { HostPool } from './hosts.ts'
import type { Project } from './open-project.ts'

/** Name in the environment's folder on the host. */
export const remoteHistory = 'releases.json'

export interface HostHistory {
  /** Takes in what other machines released, of which `before` is told first. Call under the lock. @throws TaskFailure when the host's copy is damaged. */
  pull(before?: (others: readonly Release[]) => Promise<void>): Promise<void>
  /** Copies this environment's history to the host: a failed release is history too. Call under the lock. */
  push(): Promise<void>
}

export function hostHistory({ deployment, directory }: Project, hosts: HostPool, app: App): HostHistory {
  const { primaryHost, environment } = deployment
  const store = createReleaseStore({ projectDirectory: directory, env: app.env })
  return {
    async pull(before) {
      if (primaryHost === undefined) return
      const host = hosts.host(primaryHost)
      const bytes = await host.files.read(remoteHistory)
      if (!bytes) return
      const remote = parseHistory(Buffer.from(bytes).toString('utf8'), `${host.name}:${host.directory}/${remoteHistory}`)
      await before?.(remote.releases)
      await store.update((local) => mergeHistory(local, remote.releases))
    },
    async push() {
      if (primaryHost === undefined) return
      const releases = (await store.read()).filter((release) => release.environment === environment)
      await hosts.host(primaryHost).files.write(remoteHistory, Buffer.from(renderHistory({ releases, fields: {} })), 0o640)
    },
  }
}
