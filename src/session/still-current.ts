/** A rollback was chosen before the environment was locked: somebody may have released in between. */
import { TaskFailure } from '../../tasks/kind.ts'
import type { App } from '../contracts.ts'
import { currentRelease } from '../releases/release.ts'
import { createReleaseStore } from '../releases/store.ts'
import type { Project, Rollback } from './open-project.ts'

/** Call under the lock, with the host's history taken in. @throws TaskFailure when what is live is not what the rollback goes back from. */
export async function stillCurrent({ deployment, directory }: Project, { from }: Rollback, app: App): Promise<void> {
  const releases = await createReleaseStore({ projectDirectory: directory, env: app.env }).read()
  const now = currentRelease(releases, deployment.environment)
  if (now?.id === from) return
  throw new TaskFailure({
    reason: 'refused',
    subject: deployment.environment,
    message: `${now?.id ?? 'nothing'} is live now, and not ${from ?? 'nothing'} as when this rollback was chosen; nothing was changed`,
    remedy: 'look at `stagecraft releases list --remote`, and roll back again',
  })
}
