/** What a lock asks of the machine this process runs on. */
import { createHash } from 'node:crypto'
import { readFile, readlink } from 'node:fs/promises'
import { hostname } from 'node:os'

export interface LocalMachine {
  /** See `processSpace`. */
  space(): Promise<string>
  isRunning(pid: number): boolean
  /** Milliseconds, never going back. */
  monotonicMs(): number
  wallMs(): number
}

/** A moment by both clocks: the monotonic one stands still while a laptop sleeps, the other may be set. */
export interface Moment {
  readonly monotonicMs: number
  readonly wallMs: number
}

export function remember(local: LocalMachine): Moment {
  return { monotonicMs: local.monotonicMs(), wallMs: local.wallMs() }
}

/** Milliseconds from `then` to `now`, by the clock that says more: it is an upper bound that counts. */
export function elapsedMs(then: Moment, now: Moment): number {
  return Math.max(now.monotonicMs - then.monotonicMs, Math.abs(now.wallMs - then.wallMs))
}

/**
 * Names a space of process ids: this boot of this kernel and, on Linux, this pid namespace. A machine id alone would not do:
 * containers of one image share it, and a process that lives in one of them looks dead from the other.
 */
async function processSpace(): Promise<string> {
  const parts = await Promise.all([
    readFile('/proc/sys/kernel/random/boot_id', 'utf8').catch(() => ''),
    readlink('/proc/self/ns/pid').catch(() => ''),
    readFile('/etc/machine-id', 'utf8').catch(() => ''),
  ])
  return createHash('sha256')
    .update([...parts, hostname()].join('\n'))
    .digest('hex')
    .slice(0, 16)
}

/** Signal 0 asks without touching. */
function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    // EPERM: it runs as someone else.
    return (error as NodeJS.ErrnoException).code !== 'ESRCH'
  }
}

export const thisMachine: LocalMachine = { space: processSpace, isRunning, monotonicMs: () => performance.now(), wallMs: () => Date.now() }
