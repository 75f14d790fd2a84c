import { setTimeout as delay } from 'node:timers/promises'

const pollMs = 20
const running = new Set<number>()

/** The group dies with us even when we leave by `process.exit`, where nothing asynchronous runs any more. */
function killAll(): void {
  for (const pid of running) signalGroup(pid, 'SIGKILL')
}

/** Remembers a process group as ours. @returns forgets it again, once its leader has ended in good order. */
export function adoptGroup(pid: number): () => void {
  if (running.size === 0) process.on('exit', killAll)
  running.add(pid)
  return () => {
    running.delete(pid)
    if (running.size === 0) process.off('exit', killAll)
  }
}

/** SIGTERM to a whole process group, then SIGKILL to what is left of it. Resolves when the last signal is sent. */
export async function endGroup(pid: number, graceMs: number): Promise<void> {
  const deadline = Date.now() + graceMs
  let alive = signalGroup(pid, 'SIGTERM')
  while (alive && Date.now() < deadline) {
    await delay(Math.min(pollMs, graceMs))
    alive = signalGroup(pid, 0)
  }
  if (alive) signalGroup(pid, 'SIGKILL')
}

/** @returns whether the group has a member. */
function signalGroup(pid: number, signal: NodeJS.Signals | 0): boolean {
  try {
    return process.kill(-pid, signal)
  } catch (error) {
    // EPERM: a member has become another user's process. It is there, and not ours to end.
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}
