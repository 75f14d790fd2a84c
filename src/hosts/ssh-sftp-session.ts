/** The one SFTP channel of a connection, opened on first use and again when it was lost, and the words for what a host refuses. */
import { TaskFailure } from '../../tasks/kind.ts'
import type { SshConnection } from './ssh-connection.ts'
import { endpoint } from './ssh-failure.ts'
import { Sftp, SftpError } from './ssh-sftp.ts'
import { sftpStatus } from './ssh-sftp-packet.ts'
import { spaceNear } from './ssh-sftp-space.ts'
import { SubsystemRefused } from './ssh-shortcuts.ts'

export class SftpSession {
  readonly #connection: SshConnection
  /** The environment's directory on the host, which remedies name. */
  readonly #directory: string
  #sftp: Promise<Sftp> | undefined

  constructor(connection: SshConnection, directory: string) {
    this.#connection = connection
    this.#directory = directory
  }

  /**
   * Runs requests with a deadline; `what` completes "cannot … on node-1".
   * @throws TaskFailure naming the host, the path and what to do; `SftpError` never leaves here.
   */
  async perform<T>(what: string, timeoutMs: number, work: (sftp: Sftp, signal: AbortSignal) => Promise<T>): Promise<T> {
    return this.#connection.perform(`to ${what}`, timeoutMs, async (signal) => {
      const sftp = await this.#open()
      try {
        return await work(sftp, signal)
      } catch (error) {
        if (error instanceof SftpError) throw await this.#refusal(what, error, sftp)
        if (!sftp.isOpen && !(error instanceof TaskFailure))
          throw await this.#broken(error instanceof SubsystemRefused ? 'use SFTP' : what, error)
        throw error
      }
    })
  }

  async #open(): Promise<Sftp> {
    const before = this.#sftp
    if (before !== undefined) {
      const sftp = await before.catch(() => undefined)
      if (sftp?.isOpen) return sftp
      if (this.#sftp !== before) return this.#open()
    }
    this.#sftp = this.#start()
    return this.#sftp
  }

  async #start(): Promise<Sftp> {
    try {
      // No operation's signal: the channel is for all of them.
      return new Sftp(await this.#connection.sftp(new AbortController().signal))
    } catch (error) {
      throw error instanceof TaskFailure ? error : await this.#broken('use SFTP', error)
    }
  }

  async #broken(what: string, error: unknown): Promise<TaskFailure> {
    const settings = await this.#connection.settings()
    return new TaskFailure(
      {
        reason: 'refused',
        subject: settings.name,
        message: `cannot ${what} on ${endpoint(settings)}: ${(error as Error).message}`,
        remedy: 'SFTP must work for this user: try `sftp` by hand; sshd_config has `Subsystem sftp` by default',
      },
      { cause: error },
    )
  }

  async #refusal(what: string, error: SftpError, sftp: Sftp): Promise<TaskFailure> {
    const settings = await this.#connection.settings()
    const { reason, remedy } = await this.#explain(error, sftp, settings.user)
    const message = `cannot ${what} on ${endpoint(settings)}: ${error.path}: ${reason}`
    return new TaskFailure({ reason: 'refused', subject: settings.name, message, remedy }, { cause: error })
  }

  async #explain(error: SftpError, sftp: Sftp, user: string): Promise<{ reason: string; remedy: string }> {
    if (error.status === sftpStatus.permissionDenied) {
      return {
        reason: `permission denied for ${user}`,
        remedy: `give ${user} the directory: \`sudo install -d -o ${user} ${this.#directory}\``,
      }
    }
    if (error.status === sftpStatus.unsupported) {
      return { reason: 'the SFTP server does not support this', remedy: "use OpenSSH's SFTP server on the host" }
    }
    // Version 3 of the protocol has one word for a full disk, a read-only one and everything else.
    const space = error.status === sftpStatus.failure ? (error.space ?? (await spaceNear(error.path, sftp))) : undefined
    if (space?.isReadOnly)
      return { reason: 'the file system is read-only', remedy: 'the host may have had a disk error: see `dmesg` there' }
    if (space !== undefined && (space.freeBlocks === 0n || (space.totalInodes > 0n && space.freeInodes === 0n))) {
      return { reason: 'no space left', remedy: 'free some disk space on the host: `df -h`, `docker system df`' }
    }
    return { reason: error.words, remedy: `look at ${error.path} on the host` }
  }
}
