/** The lock while this run has it: keeps it alive, notices its loss, gives it back. See `lock.ts` for the protocol. */
import { TaskFailure } from '../../tasks/kind.ts'
import { type LockContent, parseLock, sameHolder } from './lock-holder.ts'
import { elapsedMs, type LocalMachine, type Moment, remember } from './lock-machine.ts'
import { type Handle, isAbsent, type Sftp } from './ssh-sftp.ts'
import { openFlag } from './ssh-sftp-packet.ts'
import type { SftpSession } from './ssh-sftp-session.ts'

export interface HeldLock {
  readonly owner: string
  /** Grows by one with every take-over. */
  readonly fence: number
  /**
   * Resolves while the lock is ours. Costs nothing shortly after a confirmed beat, else asks the host.
   * @throws TaskFailure (lock-lost) once someone else has it, for ever; or what kept the host from answering.
   */
  verify(): Promise<void>
  /** Gives it back, if it is still ours. A second call waits for the first. */
  release(): Promise<void>
}

export interface HeldLockOptions {
  readonly session: SftpSession
  readonly host: string
  readonly content: LockContent
  /** Absolute paths on the host. */
  readonly lock: string
  readonly beat: string
  readonly leaseMs: number
  readonly beatMs: number
  readonly local: LocalMachine
  readonly confirmed: Moment
}

const timeoutMs = 15_000
const beat = Buffer.from('1')

export class HeldEnvironmentLock implements HeldLock {
  readonly owner: string
  readonly fence: number
  readonly #options: HeldLockOptions
  readonly #timer: NodeJS.Timeout
  #confirmed: Moment
  #file: { readonly sftp: Sftp; readonly handle: Handle } | undefined
  #lost: TaskFailure | undefined
  #beating: Promise<void> | undefined
  #release: Promise<void> | undefined

  constructor(options: HeldLockOptions) {
    this.#options = options
    this.owner = options.content.owner
    this.fence = options.content.fence
    this.#confirmed = options.confirmed
    this.#timer = setInterval(() => {
      // A beat that fails is not the end: the next may come through, and `verify` asks for itself.
      this.#beat().catch(() => undefined)
    }, options.beatMs)
    this.#timer.unref()
  }

  async verify(): Promise<void> {
    if (this.#lost !== undefined) throw this.#lost
    if (this.#release !== undefined) throw new Error('the lock was given back')
    if (this.#isFresh()) return
    await this.#beat()
  }

  release(): Promise<void> {
    this.#release ??= this.#giveBack()
    return this.#release
  }

  async #giveBack(): Promise<void> {
    clearInterval(this.#timer)
    await this.#beating?.catch(() => undefined)
    if (this.#lost !== undefined) return
    try {
      await this.#remove(false)
    } catch (error) {
      // Asked of a connection that was just being lost, which nobody had noticed yet: the next one is a new one.
      if (!(error instanceof TaskFailure) || error.failure.reason !== 'unreachable') throw error
      await this.#remove(true)
    }
  }

  /** @param mayBeGone an earlier try may have come through, and others may have the lock by now. */
  async #remove(mayBeGone: boolean): Promise<void> {
    const { session, lock, beat: beatFile } = this.#options
    await session.perform(`give back ${lock}`, timeoutMs, async (sftp) => {
      // Between the look and the removal nobody takes over: the beat before the look is younger than the lease.
      const isOurs = (!mayBeGone && this.#isFresh()) || (await this.#confirm(sftp))
      const gone = [this.#closeBeat(sftp), sftp.remove(beatFile), ...(isOurs ? [sftp.remove(lock)] : [])]
      for (const outcome of await Promise.allSettled(gone)) {
        if (outcome.status === 'rejected' && !isAbsent(outcome.reason)) throw outcome.reason
      }
    })
  }

  #isFresh(): boolean {
    return elapsedMs(this.#confirmed, remember(this.#options.local)) < this.#options.leaseMs / 3
  }

  /** One at a time: they all ask the same. */
  #beat(): Promise<void> {
    this.#beating ??= this.#options.session
      .perform(`keep ${this.#options.lock}`, timeoutMs, async (sftp) => {
        if (!(await this.#confirm(sftp))) throw this.#lost
      })
      .finally(() => {
        this.#beating = undefined
      })
    return this.#beating
  }

  /** Writes the beat, then reads the lock: in this order, so that whoever takes over in between sees the beat. @returns whether it is ours. */
  async #confirm(sftp: Sftp): Promise<boolean> {
    const started = remember(this.#options.local)
    const [, found] = await Promise.all([this.#writeBeat(sftp), this.#holder(sftp)])
    if (found !== undefined && sameHolder(found, this.#options.content)) {
      this.#confirmed = started
      return true
    }
    clearInterval(this.#timer)
    this.#lost = this.#lostTo(found)
    await this.#closeBeat(sftp)
    await sftp.remove(this.#options.beat).catch((error: unknown) => {
      if (!isAbsent(error)) throw error
    })
    return false
  }

  /** Through a handle that stays open: a beat file that was taken away is not made anew. */
  #writeBeat(sftp: Sftp): Promise<void> {
    const open = this.#file
    if (open?.sftp === sftp) return sftp.write(open.handle, 0, beat)
    return (async () => {
      const handle = await sftp.open(this.#options.beat, openFlag.write | openFlag.create, 0o644)
      this.#file = { sftp, handle }
      await sftp.write(handle, 0, beat)
    })()
  }

  async #holder(sftp: Sftp): Promise<LockContent | undefined> {
    try {
      return parseLock(await sftp.readLink(this.#options.lock))
    } catch (error) {
      if (isAbsent(error)) return undefined
      throw error
    }
  }

  async #closeBeat(sftp: Sftp): Promise<void> {
    const open = this.#file
    this.#file = undefined
    if (open?.sftp === sftp) await sftp.close(open.handle)
  }

  #lostTo(found: LockContent | undefined): TaskFailure {
    const { host, lock } = this.#options
    const now = found === undefined ? 'it is gone' : `${found.description} has it now`
    return new TaskFailure({
      reason: 'lock-lost',
      subject: host,
      message: `lost ${lock} on ${host}: ${now}`,
      remedy: 'this run showed no sign of life for too long and stops here; run again when the other is done',
    })
  }
}
