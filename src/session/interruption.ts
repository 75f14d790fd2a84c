/** For who looks without the lock: whether the last run on these hosts was cut off, and where. */
import { TaskFailure } from '../../tasks/kind.ts'
import { journalFile } from '../journal/line.ts'
import { latestRun, replay } from '../journal/replay.ts'
import { damageText, endedText } from '../journal/text.ts'
import type { HostPool } from './hosts.ts'

/** Lines for a person; none while a run is at work. What cannot be asked says nothing: others tell that it does not answer. */
export async function interruption(hosts: readonly string[], pool: Pick<HostPool, 'host' | 'lock'>): Promise<readonly string[]> {
  const looks = await Promise.all(hosts.map((name) => lookAt(name, pool)))
  if (looks.some((look) => look?.isAtWork)) return []
  const damaged = looks.flatMap((look) => (look && !look.replayed.ok ? [damageText(look.name, look.directory, look.replayed.damage)] : []))
  const run = latestRun(looks.flatMap((look) => (look?.replayed.ok ? [look.replayed.state] : [])))
  return [...(run ? [`${endedText(run)}; a deploy goes on from there`] : []), ...damaged]
}

async function lookAt(name: string, pool: Pick<HostPool, 'host' | 'lock'>) {
  const host = pool.host(name)
  try {
    const [bytes, { lock }] = await Promise.all([host.files.read(journalFile), host.observe()])
    const isAtWork = lock !== undefined && (await pool.lock(name).look())?.isAlive === true
    return { name, directory: host.directory, isAtWork, replayed: replay(bytes) }
  } catch (error) {
    if (error instanceof TaskFailure && error.failure.reason !== 'interrupted') return undefined
    throw error
  }
}
