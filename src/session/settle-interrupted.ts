/** A run that was cut off never says how its release ended: whoever holds the lock after it does, and tells a person. */
import { phases } from '../../graph/types.ts'
import type { App } from '../contracts.ts'
import type { OpenRun } from '../journal/replay.ts'
import { endedText } from '../journal/text.ts'
import { allPhases, crashed, type Release, releaseTimeMs } from '../releases/release.ts'
import { createReleaseStore } from '../releases/store.ts'
import type { Project } from './open-project.ts'

/** Call under the lock, with the host's history taken in: then the run is over, wherever it ran. @throws TaskFailure when the history cannot be written. */
export async function settleInterrupted(
  run: OpenRun | undefined,
  { deployment, directory }: Pick<Project, 'deployment' | 'directory'>,
  app: App,
): Promise<void> {
  if (run === undefined) return
  app.stderr.write(`${endedText(run)}; going on from there\n`)
  const store = createReleaseStore({ projectDirectory: directory, env: app.env })
  await store.update((releases) => withCrashed(releases, run, deployment.environment, app.now()))
}

/** The same array when all is said already. Pure. */
export function withCrashed(releases: readonly Release[], run: OpenRun, environment: string, now: Date): readonly Release[] {
  const { release: id } = run
  if (id === undefined || releaseTimeMs(id) === undefined) return releases
  const known = releases.find((release) => release.id === id)
  if (known?.finished) return releases
  const settled = crashed(known ?? unknownRelease(id, run, environment), now)
  return known ? releases.map((release) => (release.id === id ? settled : release)) : [...releases, settled]
}

/** It was made on another machine, which kept all else that is known of it. */
function unknownRelease(id: string, { at, who, what, version = 'unknown', last }: OpenRun, environment: string): Release {
  const kind = what === 'rollback' ? 'rollback' : 'deploy'
  const phase = (last?.task ?? '').startsWith('finalize:') ? 'finalize' : 'rollout'
  // It came so far.
  const before = phases.slice(0, phases.indexOf(phase)).map((name) => [name, 'completed'] as const)
  const states = { ...allPhases('pending'), ...Object.fromEntries(before), [phase]: 'running' as const }
  return { id, kind, environment, version, commit_sha: '', timestamp: at, by: who, updated_at: at, phases: states, finished: false }
}
