/**
 * One SSH connection to one host, for a whole run: everything asked of the host travels in channels of it (RFC 4254).
 * It is made on first use. One that could not be made stays failed for the run; one that was lost is made again by the next
 * operation, so that what a run holds on the host can be put in order.
 */
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import type { Client, ClientChannel, ConnectConfig } from 'ssh2'
import { TaskFailure } from '../../tasks/kind.ts'
import { hostKeyAlgorithms, type KnownHostsFile, verifyHostKey } from './known-hosts.ts'
import { readKnownHosts } from './known-hosts-files.ts'
import { type Authentication, planAuthentication } from './ssh-auth.ts'
import type { ConnectionSettings } from './ssh-config.ts'
import { bounded } from './ssh-deadline.ts'
import { dial } from './ssh-dial.ts'
import { type ConnectionError, connectFailure, endpoint, hostKeyFailure, lostFailure, type Progress } from './ssh-failure.ts'
import { loadSsh2, type Ssh2 } from './ssh-library.ts'
import { takeShortcuts } from './ssh-shortcuts.ts'

/** For tests and benchmarks: what a run has cost. */
export interface ConnectionStats {
  readonly connections: number
  readonly execs: number
  readonly sftpChannels: number
  readonly engineChannels: number
  readonly tunnels: number
}

export interface SshConnectionOptions {
  /** The host's name, for messages. */
  readonly name: string
  /** Asked once, on first use. */
  readonly settings: () => Promise<ConnectionSettings>
  /**
   * The run's. When it fires, what is under way ends as `interrupted`; what is asked for later is taken for putting
   * things in order and still done, until `close()`.
   */
  readonly signal: AbortSignal
  /** For TCP, handshake and authentication together. */
  readonly connectTimeoutMs?: number
  readonly keepaliveIntervalMs?: number
}

/** With 3 keepalives without an answer, a dead link is noticed within 20 s. */
const defaults = { connectTimeoutMs: 20_000, keepaliveIntervalMs: 5_000, keepaliveCount: 3 }

interface Link {
  readonly client: Client
  /** Fires when the connection is gone; the reason is the failure. */
  readonly lost: AbortSignal
}

type Opener = (client: Client, done: (error: Error | undefined, channel: ClientChannel) => void) => void

export class SshConnection {
  readonly #options: SshConnectionOptions
  readonly #stats = { connections: 0, execs: 0, sftpChannels: 0, engineChannels: 0, tunnels: 0 }
  #settings: Promise<ConnectionSettings> | undefined
  #link: Promise<Link> | undefined
  #isClosed = false

  constructor(options: SshConnectionOptions) {
    this.#options = options
  }

  get stats(): ConnectionStats {
    return { ...this.#stats }
  }

  /** @throws TaskFailure (refused) when the user's SSH configuration cannot be followed. */
  settings(): Promise<ConnectionSettings> {
    this.#settings ??= this.#options.settings()
    return this.#settings
  }

  /**
   * Runs one operation with a deadline. `what` completes "… on node-1 took longer than". `work`'s signal fires when it is not
   * waited for any more: let go of channels then.
   * @throws TaskFailure (unreachable, refused, timeout, interrupted), and what `work` throws.
   */
  async perform<T>(what: string, timeoutMs: number, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const interruption = this.#interruption()
    try {
      const settings = await this.settings()
      const { lost } = await this.#connected()
      const onTimeout = () =>
        new TaskFailure({
          reason: 'timeout',
          subject: settings.name,
          message: `${what} on ${endpoint(settings)} took longer than ${timeoutMs / 1000} s`,
          remedy: 'look at the host: load, disk and `docker ps`',
        })
      return await bounded({ timeoutMs, onTimeout, signals: [interruption.signal, lost] }, work).catch((error: unknown) => {
        // As a connection goes, so do its channels, each with an error of its own; the cause says more.
        throw lost.aborted && !interruption.signal.aborted ? lost.reason : error
      })
    } finally {
      interruption.stop()
    }
  }

  /** A program on the host; `line` goes to the user's shell as it is (see `shell-quote.ts`). */
  exec(line: string, signal: AbortSignal): Promise<ClientChannel> {
    return this.#open('execs', signal, (client, done) => client.exec(line, done))
  }

  /** The SFTP subsystem's raw channel. */
  sftp(signal: AbortSignal): Promise<ClientChannel> {
    return this.#open('sftpChannels', signal, (client, done) => client.subsys('sftp', done))
  }

  /** A Unix socket on the host (OpenSSH PROTOCOL, 2.4). */
  socket(path: string, signal: AbortSignal): Promise<ClientChannel> {
    return this.#open('engineChannels', signal, (client, done) => client.openssh_forwardOutStreamLocal(path, done))
  }

  /** A TCP address as the host sees it (RFC 4254, 7.2). */
  tcp(host: string, port: number, signal: AbortSignal): Promise<Duplex> {
    return this.#open('tunnels', signal, (client, done) => client.forwardOut('127.0.0.1', 0, host, port, done))
  }

  /** Ends the connection; further operations fail. Says goodbye and does not wait for the answer, a round trip that tells nothing. */
  async close(): Promise<void> {
    this.#isClosed = true
    const link = await this.#link?.catch(() => undefined)
    if (link === undefined || link.lost.aborted) return
    await new Promise<void>((resolve) => {
      link.client.once('close', () => resolve())
      link.client.end()
      // What `end` wrote is with the kernel by then.
      setImmediate(() => link.client.destroy())
    })
  }

  async #open(kind: keyof ConnectionStats, signal: AbortSignal, opener: Opener): Promise<ClientChannel> {
    const { client } = await this.#connected()
    return new Promise((resolve, reject) => {
      opener(client, (error, channel) => {
        if (error) return reject(error)
        this.#stats[kind]++
        if (signal.aborted) {
          channel.close()
          return reject(signal.reason)
        }
        resolve(channel)
      })
    })
  }

  /** Fires with an `interrupted` failure when the run's signal does, unless it has before. Call `stop` when it is not needed any more. */
  #interruption(): { readonly signal: AbortSignal; stop(): void } {
    const { name, signal: run } = this.#options
    const controller = new AbortController()
    const relay = () =>
      controller.abort(new TaskFailure({ reason: 'interrupted', subject: name, message: `interrupted while waiting for ${name}` }))
    run.addEventListener('abort', relay, { once: true })
    return { signal: controller.signal, stop: () => run.removeEventListener('abort', relay) }
  }

  async #connected(): Promise<Link> {
    if (this.#isClosed) throw new Error('the connection was closed by its owner')
    const before = this.#link
    if (before === undefined) this.#link = this.#connect()
    // A failure to connect is kept: each of a host's tasks would wait for the same time-out.
    else if ((await before).lost.aborted && this.#link === before) this.#link = this.#connect()
    return this.#link as Promise<Link>
  }

  async #connect(): Promise<Link> {
    const settings = await this.settings()
    const interruption = this.#interruption()
    const dialing = dial(settings)
    try {
      const [ssh2, files] = await Promise.all([loadSsh2(), readKnownHosts(settings)])
      const authentication = await planAuthentication(ssh2, settings)
      dialing.check()
      interruption.signal.throwIfAborted()
      return await this.#handshake(dialing.socket, settings, ssh2, authentication, files, interruption.signal)
    } catch (error) {
      dialing.socket.destroy()
      throw error
    } finally {
      interruption.stop()
    }
  }

  async #handshake(
    socket: Socket,
    settings: ConnectionSettings,
    ssh2: Ssh2,
    authentication: Authentication,
    files: readonly KnownHostsFile[],
    interrupted: AbortSignal,
  ): Promise<Link> {
    const client = new ssh2.Client()
    const lost = new AbortController()
    let progress: Progress = 'dialing'
    let distrust: TaskFailure | undefined
    let failure: ConnectionError | undefined

    const config: ConnectConfig = {
      sock: socket,
      username: settings.user,
      readyTimeout: this.#options.connectTimeoutMs ?? defaults.connectTimeoutMs,
      keepaliveInterval: this.#options.keepaliveIntervalMs ?? defaults.keepaliveIntervalMs,
      keepaliveCountMax: defaults.keepaliveCount,
      // What a server can do is for it to say, not for its version string.
      strictVendor: false,
      algorithms: { serverHostKey: [...hostKeyAlgorithms(settings.hostKeyName, settings.port, files)] as never },
      authHandler: authentication.handler,
      hostVerifier: (key: Buffer) => {
        distrust = hostKeyFailure(verifyHostKey(settings.hostKeyName, settings.port, key, files), key, settings)
        return distrust === undefined
      },
    }
    try {
      await new Promise<void>((resolve, reject) => {
        const fail = (error: Error) =>
          reject(distrust ?? (error instanceof TaskFailure ? error : connectFailure(error, settings, progress, authentication.tried)))
        client.on('connect', () => {
          progress = 'handshake'
        })
        client.on('handshake', () => {
          progress = 'authentication'
        })
        client.on('ready', resolve)
        client.on('error', (error: ConnectionError) => {
          // An agent that does not answer is one way less to authenticate, not the end.
          if (error.level === 'agent') return
          failure ??= error
          fail(error)
        })
        client.on('close', () => {
          fail(failure ?? new Error('closed by the host'))
          lost.abort(this.#isClosed ? new Error('the connection was closed by its owner') : lostFailure(settings, failure))
        })
        interrupted.addEventListener('abort', () => fail(interrupted.reason))
        client.connect(config)
        takeShortcuts(client)
      })
    } catch (error) {
      client.destroy()
      throw error
    }
    this.#stats.connections++
    return { client, lost: lost.signal }
  }
}
