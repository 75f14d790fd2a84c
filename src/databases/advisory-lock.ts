import { createHash } from 'node:crypto'
import { TaskFailure } from '../../tasks/kind.ts'
import { codeOf } from './server-error.ts'
import type { Session } from './session.ts'

const lockNotAvailable = '55P03'

/**
 * Runs `work` while this session holds the lock of a project's database: of two runs, from whatever machine, one goes first.
 * The lock ends with the session, so a run that dies leaves none behind.
 *
 * @throws TaskFailure `lock-held` naming who holds it after `waitMs`.
 */
export async function withAdvisoryLock<T>(session: Session, key: bigint, waitMs: number, work: () => Promise<T>): Promise<T> {
  const { sql, answer } = session
  const [tried] = await answer(sql`select pg_try_advisory_lock(${String(key)}::bigint) as ok`)
  if (tried?.['ok'] !== true) await wait(session, key, waitMs)
  try {
    return await work()
  } finally {
    // A connection that is gone took the lock with it; the reason is what `work` reports.
    if (!session.isLost()) await answer(sql`select pg_advisory_unlock(${String(key)}::bigint)`).catch(() => undefined)
  }
}

/** 64 bits of a digest: the same on every machine, and not the key of somebody else's lock. */
export function lockKey(project: string, database: string): bigint {
  return createHash('sha256').update(`stagecraft\0${project}\0${database}`).digest().readBigInt64BE(0)
}

async function wait(session: Session, key: bigint, waitMs: number): Promise<void> {
  const { sql, answer } = session
  try {
    await session.run(`set lock_timeout = ${Math.max(1, Math.round(waitMs))}`)
    await answer(sql`select pg_advisory_lock(${String(key)}::bigint)`)
  } catch (error) {
    if (codeOf(error) === lockNotAvailable) throw await held(session, key, waitMs)
    throw error
  } finally {
    if (!session.isLost()) await session.run('reset lock_timeout')
  }
}

async function held(session: Session, key: bigint, waitMs: number): Promise<TaskFailure> {
  const [holder] = await session.answer(session.sql`
    select activity.application_name as name, locks.pid as pid, coalesce(host(activity.client_addr), 'a local socket') as client
    from pg_locks as locks left join pg_stat_activity as activity on activity.pid = locks.pid
    where locks.locktype = 'advisory' and locks.granted and locks.objsubid = 1
      and locks.database = (select oid from pg_database where datname = current_database())
      and ((locks.classid::bigint << 32) | locks.objid::bigint) = ${String(key)}::bigint`)
  const who = holder
    ? `\`${holder['name'] || 'unnamed'}\`, server process ${holder['pid']}, from ${holder['client']}`
    : 'somebody who has just left'
  return new TaskFailure({
    reason: 'lock-held',
    subject: session.subject,
    message: `migrations are being applied by ${who}; waited ${waitMs / 1000} s`,
    remedy: 'wait for that run to end, then run again',
  })
}
