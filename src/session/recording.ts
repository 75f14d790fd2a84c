/** Connects a run to the release history. */
import { hostname } from 'node:os'
import type { TaskGraph } from '../../graph/types.ts'
import { kinds } from '../../tasks/index.ts'
import type { ReleasePort } from '../../tasks/ports.ts'
import type { App } from '../contracts.ts'
import { localUser } from '../hosts/local-user.ts'
import { isDirty } from '../release-version.ts'
import { createRecorder, type Recorder } from '../releases/recorder.ts'
import { createReleaseStore } from '../releases/store.ts'
import { composeHash } from './compose-hash.ts'
import type { Project } from './open-project.ts'

/** Of runs that finish no release: a build, a migration by itself. */
export const unrecorded: ReleasePort = {
  id: async () => 'unreleased',
  complete: () => Promise.reject(new Error('this run records no release')),
}

/** What a rollback leaves out, and why. */
const leftOut = { build: 'reuse_image', push: 'reuse_image', migrate_pre: 'rollback', migrate_post: 'rollback' } as const

/** A release is recorded where one is finished; anything less leaves no trace in the history. */
export async function openRecorder(
  graph: TaskGraph,
  project: Project,
  app: App,
  stop: (reason: Error) => void,
  redact: (text: string) => string,
): Promise<Recorder> {
  const tasks = graph.order.map((id) => graph.task(id))
  if (!tasks.some(({ kind }) => kind === 'finalize'))
    return { ...unrecorded, on: () => {}, comesAfter: async () => {}, finish: async () => undefined }
  const { release, deployment, directory, part, rollback } = project
  const version = release.version ?? 'unknown'
  // Asks git, which a run without work need not.
  const marked = async () => (!rollback && version === release.commit && (await isDirty(directory)) ? `${version}-dirty` : version)
  return createRecorder({
    store: createReleaseStore({ projectDirectory: directory, env: app.env }),
    kind: rollback ? 'rollback' : 'deploy',
    environment: deployment.environment,
    version: marked,
    commitSha: release.commit ?? '',
    by: `${localUser(app.env)}@${hostname()}`,
    tasks,
    about: {
      hosts: Object.fromEntries(
        deployment.hosts.filter(({ name }) => !part?.unreachable?.includes(name)).map(({ name, address }) => [name, address]),
      ),
      compose_hash: composeHash(deployment),
      ...(rollback?.reason === undefined ? {} : { reason: redact(rollback.reason) }),
      ...(part ? { partial: true as const } : {}),
      ...(part?.unreachable?.length ? { unreachable: part.unreachable } : {}),
    },
    ...(rollback ? { rollback: { from: rollback.from, to: rollback.to }, skipped: leftOut } : {}),
    phaseOf: ({ kind, params }) => {
      const found = kinds.get(kind)
      return found?.pure ? undefined : (found?.phaseOf?.(params) ?? found?.phase)
    },
    now: () => app.now(),
    onFailure: stop,
  })
}
