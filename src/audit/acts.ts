/**
 * What operations leave in the audit of an environment. Who holds the environment's lock on the primary host writes into the audit itself; who
 * does not, such as a program in a container, into one of its own beside it, under a lock of its own: a deploy never waits for that.
 */
import { randomUUID } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import { messageOf } from '../../cache/foreign.ts'
import { TaskFailure } from '../../tasks/kind.ts'
import type { App } from '../contracts.ts'
import type { AppendOnly } from '../hosts/append-only.ts'
import { actorOf } from './actor.ts'
import { createAudit } from './audit.ts'
import type { AuditEntry } from './chain.ts'

/** In the environment's folder on the primary host. */
export const actsFolder = 'acts'

/** Never rejects: what was done is done, and that it is not on record is told. */
export type ActNote = (entry: AuditEntry) => Promise<void>

/** The parts of a pool of hosts that are needed. */
export interface ActHosts {
  appendOnly(name: string): AppendOnly
  acts(name: string): {
    readonly appendOnly: AppendOnly
    readonly lock: {
      acquire(run: { readonly owner: string; readonly description: string }): Promise<{ release(): Promise<void> }>
    }
  }
}

/** Others hold it for the length of one line. */
const tries = 20
const pauseMs = 250

/** @param locked hosts whose environment's lock is held. */
export function actNote(
  hosts: ActHosts,
  primaryHost: string | undefined,
  locked: readonly string[],
  app: Pick<App, 'env' | 'stderr'>,
): ActNote {
  const warn = (message: string) => void app.stderr.write(`warning: ${message}\n`)
  const options = { who: actorOf(app.env), redact: (said: string) => said, warn }
  return async (entry) => {
    if (primaryHost === undefined) return
    if (locked.includes(primaryHost)) return createAudit(() => hosts.appendOnly(primaryHost), options).append(entry)
    try {
      const { lock, appendOnly } = hosts.acts(primaryHost)
      const held = await patiently(() => lock.acquire({ owner: randomUUID(), description: `${options.who.user}@${options.who.machine}` }))
      try {
        await createAudit(() => appendOnly, options).append(entry)
      } finally {
        await held.release()
      }
    } catch (error) {
      warn(`the audit was not written: ${messageOf(error)}`)
    }
  }
}

async function patiently<T>(work: () => Promise<T>): Promise<T> {
  for (let left = tries; ; left--) {
    try {
      return await work()
    } catch (error) {
      if (left <= 1 || !(error instanceof TaskFailure) || error.failure.reason !== 'lock-held') throw error
      await delay(pauseMs)
    }
  }
}
