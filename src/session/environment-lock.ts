/** The environment's lock: one lease on each of its hosts, taken in order of name so that two runs cannot hold halves of it. */
import type { EnvironmentLock } from '../executor.ts'

/** One host's lease: `src/hosts/lock.ts`. */
export interface HeldLock {
  verify(): Promise<void>
  release(): Promise<void>
}

export interface LockableHost {
  readonly name: string
  /** @throws TaskFailure `lock-held`, naming the holder. */
  lock(): Promise<HeldLock>
  changed(): void
}

export interface HeldEnvironmentLock extends EnvironmentLock {
  /** Gives every lease back; does nothing when none was taken. */
  release(): Promise<void>
}

/** @param onTaken called once, under the lock, before the first task writes. */
export function environmentLock(hosts: readonly LockableHost[], onTaken: () => Promise<void>): HeldEnvironmentLock {
  const held: HeldLock[] = []
  let taking: Promise<void> | undefined
  let isHeld = false

  async function take(): Promise<void> {
    try {
      for (const host of [...hosts].sort((a, b) => (a.name < b.name ? -1 : 1))) {
        held.push(await host.lock())
        // Others may have written until the lease was ours.
        host.changed()
      }
      await onTaken()
      isHeld = true
    } catch (error) {
      await release()
      throw error
    }
  }

  async function release(): Promise<void> {
    for (const lock of held.splice(0).reverse()) await lock.release()
  }

  return {
    get isHeld() {
      return isHeld
    },
    hold() {
      taking ??= take()
      return taking
    },
    async verify() {
      for (const lock of held) await lock.verify()
    },
    release,
  }
}
