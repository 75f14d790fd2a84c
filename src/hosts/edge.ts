/** A machine's edge over its SSH connection: `HostEdge` for real. */
import { randomUUID } from 'node:crypto'
import { TaskFailure } from '../../tasks/kind.ts'
import type { HostEdge } from '../../tasks/ports/edge.ts'
import { EnvironmentLock } from './lock.ts'
import { createSftpFiles } from './sftp-files.ts'
import type { SftpSession } from './ssh-sftp-session.ts'

/** Changing what all projects share takes a second or two. */
const patienceMs = 30_000
const pauseMs = 500

export interface HostEdgeOptions {
  readonly host: string
  readonly directory: string
  /** For people: `anna@laptop pid 4711`. */
  readonly description: string
  readonly leaseMs?: number
}

/** Tasks of this run take turns among themselves; other runs are kept away by a lock file, which a dead one loses after its lease. */
export function createHostEdge(session: SftpSession, options: HostEdgeOptions): HostEdge {
  const { host, directory, description, leaseMs } = options
  const lock = new EnvironmentLock(session, { host, directory, ...(leaseMs !== undefined && { leaseMs }) })
  let turn: Promise<unknown> = Promise.resolve()

  async function alone<T>(work: () => Promise<T>): Promise<T> {
    const deadline = Date.now() + patienceMs
    for (;;) {
      const held = await lock.acquire({ owner: randomUUID(), description }).catch((error: unknown) => {
        const isTaken = error instanceof TaskFailure && error.failure.reason === 'lock-held'
        if (!isTaken || Date.now() > deadline) throw error
        return undefined
      })
      if (held) {
        try {
          return await work()
        } finally {
          await held.release()
        }
      }
      await new Promise((resolve) => setTimeout(resolve, pauseMs))
    }
  }

  return {
    directory,
    files: createSftpFiles(session, directory),
    exclusively(work) {
      const mine = turn.then(() => alone(work))
      turn = mine.catch(() => undefined)
      return mine
    },
  }
}
