import { once } from 'node:events'
import { createServer } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'

// A name in Linux's abstract socket namespace. Unlike a file it is gone with the process that holds it, however that process ends.
const name = '\0stagecraft-lab'

/** Runs `work` while no other process on this machine is inside `withLabLock`. */
export async function withLabLock<T>(work: () => Promise<T>, patienceMs = 10 * 60_000): Promise<T> {
  const release = await acquire(Date.now() + patienceMs)
  try {
    return await work()
  } finally {
    await release()
  }
}

async function acquire(deadline: number): Promise<() => Promise<void>> {
  for (;;) {
    const server = createServer((socket) => socket.destroy())
    server.listen(name)
    const taken = await once(server, 'listening').then(
      () => undefined,
      (error: NodeJS.ErrnoException) => error,
    )
    if (taken === undefined) {
      return () => new Promise((resolve) => server.close(() => resolve()))
    }
    if (taken.code !== 'EADDRINUSE') throw taken
    if (Date.now() > deadline) throw new Error('another process has been bringing the lab up or down for too long')
    await sleep(100)
  }
}
