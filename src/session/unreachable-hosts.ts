/** `--allow-unreachable`: which hosts of a deploy do not answer, found before anything is touched. */
import { TaskFailure } from '../../tasks/kind.ts'
import type { App } from '../contracts.ts'
import { lockedHosts } from '../pipelines/fleet-part.ts'
import { hostPool } from './hosts.ts'
import type { Project } from './open-project.ts'

/** @throws TaskFailure when the primary host is one of them: nothing could be recorded. */
export async function unreachableHosts({ deployment, directory, part }: Project, app: App): Promise<readonly string[]> {
  const pool = hostPool(deployment, directory, app)
  try {
    const names = lockedHosts(deployment, part)
    const gone: string[] = []
    for (const [name, look] of await Promise.all(names.map(async (name) => [name, await settled(pool.host(name).observe())] as const))) {
      if (look.status === 'fulfilled') continue
      // A host that answers and refuses is not out of reach: a wrong key should not pass for a dead machine.
      if (!(look.reason instanceof TaskFailure) || !['unreachable', 'timeout'].includes(look.reason.failure.reason)) throw look.reason
      if (name === deployment.primaryHost) throw primaryIsGone(look.reason, name)
      gone.push(name)
    }
    return gone
  } finally {
    await pool.close()
  }
}

async function settled<T>(work: Promise<T>): Promise<PromiseSettledResult<T>> {
  const [outcome] = await Promise.allSettled([work])
  return outcome
}

function primaryIsGone({ failure }: TaskFailure, host: string): TaskFailure {
  return new TaskFailure({
    ...failure,
    message: `${failure.message}; ${host} is the primary host, which keeps the release history, so it cannot be left out`,
    remedy: 'bring it back, or name another one as `primary_host` of the environment',
  })
}
