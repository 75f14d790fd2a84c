/** The environment's lock: one lease on each of its hosts. Every run takes that of the first, the primary host, before others, so that two cannot hold halves. */
import { faultPoint } from '../../tasks/fault-point.ts'
import { TaskFailure } from '../../tasks/kind.ts'
import type { EnvironmentLock } from '../execution/run-options.ts'

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
  /** Whether it looked different before `changed()` was called. Default: nobody knows of it. */
  moved?(): Promise<boolean>
}

export interface HeldEnvironmentLock extends EnvironmentLock {
  /** Takes over, so that it can be given back, what a dead run left; somebody else's living lock is left alone. */
  reap(): Promise<void>
  /** Gives every lease back, also one that is just being taken; none is taken afterwards. @throws the first error, when all were tried. */
  release(): Promise<void>
}

/** @param hosts the first is the same for every run of the environment. @param onTaken called once, under the lock, before the first task writes. */
export function environmentLock(hosts: readonly LockableHost[], onTaken: () => Promise<void>): HeldEnvironmentLock {
  const held: HeldLock[] = []
  let taking: Promise<void> | undefined
  let isHeld = false
  let isOver = false

  async function take(): Promise<void> {
    if (isOver) throw new Error('the lock was given back for good')
    try {
      const [first, ...others] = hosts
      if (first) await takeOn(first)
      faultPoint('lock-partly-taken')
      const taken = await Promise.allSettled(others.map(takeOn))
      for (const one of taken) if (one.status === 'rejected') throw one.reason
      faultPoint('lock-taken')
      await onTaken()
      isHeld = true
    } catch (error) {
      // A lease that cannot be given back runs out; why the lock was not taken matters more.
      await giveBack().catch(() => {})
      throw error
    }
  }

  async function takeOn(host: LockableHost): Promise<void> {
    held.push(await host.lock())
    // Others may have written until the lease was ours.
    host.changed()
  }

  async function giveBack(): Promise<void> {
    faultPoint('lock-kept')
    isHeld = false
    throwFirst(await Promise.allSettled(held.splice(0).map((lock) => lock.release())))
  }

  return {
    get isHeld() {
      return isHeld
    },
    hold() {
      taking ??= take()
      return taking
    },
    movedMeanwhile: async () => (await Promise.all(hosts.map(async (host) => (await host.moved?.()) ?? false))).includes(true),
    async reap() {
      if (isHeld) return
      try {
        await this.hold()
      } catch (error) {
        if (!(error instanceof TaskFailure) || error.failure.reason !== 'lock-held') throw error
      }
    },
    async verify() {
      if (!isHeld) throw new Error('something is written without the lock')
      throwFirst(await Promise.allSettled(held.map((lock) => lock.verify())))
    },
    async release() {
      isOver = true
      // One that is being taken right now is given back too.
      await taking?.catch(() => {})
      await giveBack()
    },
  }
}

/** Every host is asked, and a lock that is lost says more than a host that does not answer. */
function throwFirst(outcomes: readonly PromiseSettledResult<void>[]): void {
  const errors: unknown[] = outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason] : []))
  if (errors.length === 0) return
  throw errors.find((error) => error instanceof TaskFailure && error.failure.reason === 'lock-lost') ?? errors[0]
}
