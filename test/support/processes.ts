/** Real processes in tests: waiting for what they do, never for time to pass. */
import { existsSync, readFileSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { within } from './assertions.ts'

const pollMs = 5
const patienceMs = 10_000

/** Waits until `look` finds something. */
export function eventually<T>(look: () => T | undefined | false | Promise<T | undefined | false>, ms = patienceMs): Promise<T> {
  const poll = async () => {
    for (;;) {
      const found = await look()
      if (found !== undefined && found !== false) return found
      await delay(pollMs)
    }
  }
  return within(ms, poll())
}

/** Whether a process runs. One that has ended and waits to be collected does not. */
export function isRunning(pid: number): boolean {
  try {
    return !/\) [ZX] /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'))
  } catch {
    return false
  }
}

export function gone(pid: number): Promise<true> {
  return eventually(() => !isRunning(pid))
}

/** The number that a program writes into a file, once it is there whole. */
export function pidIn(path: string): Promise<number> {
  return eventually(() => {
    const text = existsSync(path) ? readFileSync(path, 'utf8') : ''
    return text.endsWith('\n') ? Number(text) : undefined
  })
}

export async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  await new Promise((resolve) => server.close(resolve))
  return typeof address === 'object' && address ? address.port : 0
}

export function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    socket.on('connect', () => resolve(true))
    socket.on('error', () => resolve(false))
    socket.on('connect', () => socket.destroy())
  })
}
