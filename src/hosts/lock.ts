/**
 * One lock per environment and host, so that two runs never change the same containers. It is
 * - leased: a holder that shows no sign of life for `leaseMs` loses it to whoever asks next;
 * - fenced: a holder finds out, before each write, that it has lost it (`verify`), even when it slept through the take-over.
 *
 * On the host, in the environment's directory:
 * - `lock`: a symbolic link whose target is the holder, as JSON. Making a link fails when there is one: that decides who holds it.
 * - `lock.beat.<owner>`: rewritten every `beatMs`. Its age is judged by the host's clock, against a file written there just now.
 * - `lock.steal.<fence>`: a link made exclusively by who takes over; it becomes `lock` by a rename.
 *
 * Invariants: only a rename or a removal changes `lock`; whoever renames reads it back and believes only what is read; a holder
 * trusts itself for a third of the lease after a beat it saw confirmed, and a lease is three times as long as that.
 */
import { randomUUID } from 'node:crypto'
import { posix } from 'node:path'
import { TaskFailure } from '../../tasks/kind.ts'
import { HeldEnvironmentLock, type HeldLock } from './lock-held.ts'
import { isOwnerName, type LockContent, parseLock, renderLock, sameHolder, silence } from './lock-holder.ts'
import { type LocalMachine, type Moment, remember, thisMachine } from './lock-machine.ts'
import { absentIs } from './sftp-absent.ts'
import { makeDirectories } from './sftp-files.ts'
import { isAbsent, type Sftp, SftpError } from './ssh-sftp.ts'
import { openFlag, sftpStatus } from './ssh-sftp-packet.ts'
import type { SftpSession } from './ssh-sftp-session.ts'

export interface LockOptions {
  /** The host's name, for messages. */
  readonly host: string
  /** Absolute, on the host. */
  readonly directory: string
  readonly leaseMs?: number
  readonly beatMs?: number
  /** For tests: what this machine's clocks and processes say. */
  readonly local?: Partial<LocalMachine>
}

/** A lock as somebody sees it who does not want it. */
export interface LockLook {
  /** For people: `anna@laptop pid 4711`. */
  readonly holder: string
  readonly fence: number
  /** ISO 8601 by the holder's clock; empty when it did not say. */
  readonly startedAt: string
  /** Since the last sign of life, by the host's clock. */
  readonly silentSeconds: number
  /** It may still write: whoever wants the lock has to wait. */
  readonly isAlive: boolean
}

const timeoutMs = 30_000
/** Each try follows a change someone else made in between. */
const maxTries = 10

export class EnvironmentLock {
  readonly #session: SftpSession
  readonly #host: string
  readonly #directory: string
  readonly #leaseMs: number
  readonly #beatMs: number
  readonly #local: LocalMachine

  constructor(session: SftpSession, options: LockOptions) {
    this.#session = session
    this.#host = options.host
    this.#directory = options.directory
    this.#leaseMs = options.leaseMs ?? 30_000
    this.#beatMs = options.beatMs ?? this.#leaseMs / 3
    this.#local = { ...thisMachine, ...options.local }
  }

  /**
   * Takes the lock, from a holder without a sign of life if need be. `owner` is unique per run; `description` is for people; `force` takes
   * it from one that lives too, and resolves when that one cannot write any more without having noticed.
   * @throws TaskFailure (lock-held) naming the holder.
   */
  async acquire(run: { readonly owner: string; readonly description: string }, force = false): Promise<HeldLock> {
    if (!isOwnerName(run.owner)) throw new RangeError(`\`${run.owner}\` cannot be an owner`)
    const startedAt = new Date(this.#local.wallMs()).toISOString()
    const { owner, description } = run
    const mine: LockContent = { owner, description, fence: 1, machine: await this.#local.space(), pid: process.pid, startedAt }
    return this.#session.perform(`take the lock in ${this.#directory}`, timeoutMs, async (sftp, signal) => {
      try {
        for (let attempt = 0; attempt < maxTries; attempt++) {
          const held = await this.#attempt(sftp, mine, force)
          if (held === undefined) continue
          // Nobody waits for it any more, so nobody would give it back.
          if (signal.aborted) await held.release()
          return held
        }
        throw this.#heldBy(parseLock((await sftp.readLink(this.#lock).catch(absentIs(undefined))) ?? ''), 0)
      } catch (error) {
        await sftp.remove(this.#beat(mine.owner)).catch(() => undefined)
        throw error
      }
    })
  }

  /** Who has it, and whether they live; undefined when nobody has. Leaves nothing on the host. */
  look(): Promise<LockLook | undefined> {
    return this.#session.perform(`look at the lock in ${this.#directory}`, timeoutMs, async (sftp) => {
      const found = await this.#holder(sftp)
      if (found === undefined) return undefined
      const { content } = found
      const name = `look-${randomUUID()}`
      // The host's clock is read off a file that is written now.
      const now = await this.#writeBeat(sftp, name)
      await sftp.remove(this.#beat(name)).catch(absentIs(undefined))
      const silentSeconds = Math.max(0, silence({ now: now ?? found.made, ...found }))
      const isDead = content.machine === (await this.#local.space()) && !this.#local.isRunning(content.pid)
      const isAlive = !isDead && silentSeconds * 1000 <= this.#leaseMs
      return { holder: content.description, fence: content.fence, startedAt: content.startedAt, silentSeconds, isAlive }
    })
  }

  /** One try; undefined when the lock changed hands meanwhile. */
  async #attempt(sftp: Sftp, mine: LockContent, force: boolean): Promise<HeldLock | undefined> {
    const confirmed = remember(this.#local)
    // Sent together: the beat must be there when others look at the lock, and its time is the host's.
    const [beat, lock] = await Promise.allSettled([this.#writeBeat(sftp, mine.owner), this.#make(sftp, this.#lock, mine)])
    if (lock.status === 'rejected') throw lock.reason
    const isMade = lock.value
    if (beat.status === 'rejected') {
      // A full disk may have room for a link and none for a file.
      if (isMade) await sftp.remove(this.#lock).catch(absentIs(undefined))
      throw beat.reason
    }
    const now = beat.value
    if (now === undefined) {
      await makeDirectories(sftp, this.#directory)
      return undefined
    }
    if (isMade) return this.#held(mine, confirmed)
    const holder = await this.#holder(sftp)
    if (holder === undefined) return undefined
    // A lost connection can hide that an earlier request was granted.
    if (holder.content.owner === mine.owner) return this.#held(holder.content, confirmed)
    const silentSeconds = silence({ now, ...holder })
    const isDead = holder.content.machine === mine.machine && !this.#local.isRunning(holder.content.pid)
    const isAlive = !isDead && silentSeconds * 1000 <= this.#leaseMs
    if (isAlive && !force) throw this.#heldBy(holder.content, silentSeconds)
    return this.#takeOver(sftp, mine, holder, now, isAlive)
  }

  async #takeOver(sftp: Sftp, mine: LockContent, from: Found, now: number, wasAlive: boolean): Promise<HeldLock | undefined> {
    const next = { ...mine, fence: from.content.fence + 1 }
    const steal = `${this.#lock}.steal.${next.fence}`
    if (!(await this.#make(sftp, steal, next))) {
      // Someone else is about to take over, or died while doing so.
      const other = await sftp.lstat(steal).catch(absentIs(undefined))
      if (other === undefined) return undefined
      if ((now - other.modified) * 1000 <= this.#leaseMs) throw this.#heldBy(parseLock(await sftp.readLink(steal)), now - other.modified)
      await sftp.remove(steal).catch(absentIs(undefined))
      return undefined
    }
    const again = await this.#holder(sftp)
    if (again === undefined || !sameHolder(again.content, from.content) || again.beat !== from.beat) {
      await sftp.remove(steal).catch(absentIs(undefined))
      return undefined
    }
    // Absent: a rival took our link for a leftover.
    await sftp.rename(steal, this.#lock).catch(absentIs(undefined))
    const [truth, lastBeat] = await Promise.all([this.#holder(sftp), sftp.stat(this.#beat(from.content.owner)).catch(absentIs(undefined))])
    if (truth === undefined || !sameHolder(truth.content, next)) return undefined
    // The old holder lives, or woke up in the last moment: let it find out, which it does a third of a lease after its beat.
    if (wasAlive || lastBeat?.modified !== from.beat) await new Promise((resolve) => setTimeout(resolve, this.#leaseMs / 3))
    else await sftp.remove(this.#beat(from.content.owner)).catch(absentIs(undefined))
    const confirmed = remember(this.#local)
    await this.#writeBeat(sftp, mine.owner)
    return this.#held(next, confirmed)
  }

  #held(content: LockContent, confirmed: Moment): HeldLock {
    return new HeldEnvironmentLock({
      session: this.#session,
      host: this.#host,
      content,
      lock: this.#lock,
      beat: this.#beat(content.owner),
      leaseMs: this.#leaseMs,
      beatMs: this.#beatMs,
      local: this.#local,
      confirmed,
    })
  }

  get #lock(): string {
    return posix.join(this.#directory, 'lock')
  }

  #beat(owner: string): string {
    return posix.join(this.#directory, `lock.beat.${owner}`)
  }

  /** @returns the host's time in seconds; undefined when the directory is not there. */
  async #writeBeat(sftp: Sftp, owner: string): Promise<number | undefined> {
    const handle = await sftp
      .open(this.#beat(owner), openFlag.write | openFlag.create | openFlag.truncate, 0o644)
      .catch(absentIs(undefined))
    if (handle === undefined) return undefined
    const [, attributes] = await Promise.all([sftp.write(handle, 0, Buffer.from('1')), sftp.fstat(handle), sftp.close(handle)])
    return attributes.modified
  }

  /** @returns false when there is one already, or no directory for it. */
  async #make(sftp: Sftp, path: string, content: LockContent): Promise<boolean> {
    try {
      await sftp.makeLink(path, renderLock(content))
      return true
    } catch (error) {
      if (isAbsent(error)) return false
      // Version 3 of the protocol has no word for "exists".
      const isThere =
        error instanceof SftpError && error.status === sftpStatus.failure && (await sftp.lstat(path).catch(absentIs(undefined)))
      if (isThere) return false
      throw error
    }
  }

  async #holder(sftp: Sftp): Promise<Found | undefined> {
    const [target, link] = await Promise.all([
      sftp.readLink(this.#lock).catch(absentIs(undefined)),
      sftp.lstat(this.#lock).catch(absentIs(undefined)),
    ])
    if (target === undefined || link === undefined) return undefined
    const content = parseLock(target)
    const beat = content.owner === '' ? undefined : await sftp.stat(this.#beat(content.owner)).catch(absentIs(undefined))
    return { content, made: link.modified, beat: beat?.modified }
  }

  #heldBy(holder: LockContent, silentSeconds: number): TaskFailure {
    const lease = Math.round(this.#leaseMs / 1000)
    const since = holder.startedAt === '' ? '' : ` since ${holder.startedAt}`
    return new TaskFailure({
      reason: 'lock-held',
      subject: this.#host,
      message: `${this.#directory} on ${this.#host} is locked by ${holder.description}${since}; its last sign of life was ${Math.max(0, silentSeconds)} s ago`,
      remedy: `wait until it is done; if it died, run again: the lock is taken over ${lease} s after its last sign of life`,
    })
  }
}

interface Found {
  readonly content: LockContent
  readonly made: number
  readonly beat: number | undefined
}
