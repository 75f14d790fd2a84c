/** A connection to a database, for as long as a migration needs it. */
import { setTimeout as sleep } from 'node:timers/promises'
import { type TaskContext, TaskFailure } from '../kind.ts'
import type { Database } from '../ports.ts'

/** Works, then closes; an abort hangs up, which cancels what the server is doing. */
export async function using<T>(database: Database, { signal }: Pick<TaskContext, 'signal'>, work: () => Promise<T>): Promise<T> {
  let closing: Promise<void> | undefined
  const hangUp = () => {
    closing = database.close().catch(() => undefined)
  }
  signal.addEventListener('abort', hangUp, { once: true })
  try {
    return await work()
  } finally {
    signal.removeEventListener('abort', hangUp)
    await (closing ?? database.close())
  }
}

/** Right after its first start a database refuses connections for a while; anything else does not pass by waiting. */
export async function openWhenUp(
  name: string,
  waitSeconds: number,
  { ports, signal, log }: Pick<TaskContext, 'log' | 'ports' | 'signal'>,
): Promise<Database> {
  const deadline = performance.now() + waitSeconds * 1000
  for (let delayMs = 100; ; delayMs = Math.min(delayMs * 2, 2_000)) {
    try {
      return await ports.database(name)
    } catch (error) {
      const remainingMs = deadline - performance.now()
      if (!isStarting(error) || remainingMs <= 0) throw error
      if (delayMs === 100) log(`waiting for database \`${name}\`: ${error.failure.message}`)
      await sleep(Math.min(delayMs, remainingMs), undefined, { signal }).catch(() => undefined)
      if (signal.aborted) throw error
    }
  }
}

export function isStarting(error: unknown): error is TaskFailure {
  return error instanceof TaskFailure && error.failure.reason === 'unreachable'
}
