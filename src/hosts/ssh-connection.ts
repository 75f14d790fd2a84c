/**
 * One SSH connection to one host, for a whole run: everything asked of the host travels in channels of it (RFC 4254).
 * It is made on first use. One that could not be made stays failed for the run; one that was lost is made again by the next
 * operation, so that what a run holds on the host can be put in order.
 */
import type { Duplex } from 'node:stream'
import type { Client, ClientChannel } from 'ssh2'
import { TaskFailure } from '../../tasks/kind.ts'
import { readKnownHosts } from './known-hosts-files.ts'
import { planAuthentication } from './ssh-auth.ts'
import type { ConnectionSettings } from './ssh-config.ts'
import { type ConnectionStats, defaults, type SshConnectionOptions } from './ssh-connection-options.ts'
import { bounded } from './ssh-deadline.ts'
import { dial, through } from './ssh-dial.ts'
import { endpoint, lostFailure } from './ssh-failure.ts'
import { type Handshake, shakeHands } from './ssh-handshake.ts'
import { HeadStartRefused } from './ssh-head-start.ts'
import { loadSsh2 } from './ssh-library.ts'

/** A session that may still be on its way: see `ssh-handshake.ts`. */
interface Link {
  /** Who to ask for channels first. */
  readonly first: Client
  /** Who to ask when the first did not come through: the same, but after a head start that the host did not take. */
  readonly session: Promise<Session>
  /** Fires when there is none any more, or none came about; the reason is the failure. */
  readonly lost: AbortSignal
  /** Whether it was there before it was lost. */
  wasUp: boolean
}

interface Session {
  readonly client: Client
  readonly socket: Duplex
}

type Opener = (client: Client, done: (error: Error | undefined, channel: ClientChannel) => void) => void

export class SshConnection {
  readonly #options: SshConnectionOptions
  readonly #stats = { connections: 0, execs: 0, sftpChannels: 0, engineChannels: 0, tunnels: 0 }
  #settings: Promise<ConnectionSettings> | undefined
  readonly #onLost: (() => void)[] = []
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

  /** `listener` is told of a lost connection before anything is asked of the one that takes its place: channels of it may not know yet. */
  onLost(listener: () => void): void {
    this.#onLost.push(listener)
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
    const session = await link?.session.catch(() => undefined)
    if (session === undefined || link?.lost.aborted) return
    const { client, socket } = session
    await new Promise<void>((resolve) => {
      client.once('close', () => resolve())
      client.end()
      // What `end` wrote is with the kernel by then.
      setImmediate(() => socket.destroy())
    })
  }

  async #open(kind: keyof ConnectionStats, signal: AbortSignal, opener: Opener): Promise<ClientChannel> {
    const { first, session, wasUp } = await this.#connected()
    const whenUp = async () => channelOf((await session).client, opener)
    // Asked before its turn, a host may hang up or say no; then it is asked when it is.
    const channel = await (wasUp ? whenUp() : channelOf(first, opener).catch(whenUp))
    this.#stats[kind]++
    if (!signal.aborted) return channel
    channel.close()
    throw signal.reason
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
    else if (this.#link === before) {
      const { lost, wasUp } = await before
      // A failure to connect is kept: each of a host's tasks would wait for the same time-out.
      if (lost.aborted && !wasUp) throw lost.reason
      if (lost.aborted && this.#link === before) {
        for (const listener of this.#onLost) listener()
        this.#link = this.#connect()
      }
    }
    return this.#link as Promise<Link>
  }

  async #connect(): Promise<Link> {
    const lost = new AbortController()
    const interruption = this.#interruption()
    const ahead = await this.#begin({ headStart: true, lost, interrupted: interruption.signal }).catch((error: unknown) => {
      interruption.stop()
      throw error
    })
    const session = ahead.ready
      .then(
        () => ahead,
        async (error: unknown) => {
          if (!(error instanceof HeadStartRefused)) throw error
          const plain = await this.#begin({ headStart: false, lost, interrupted: interruption.signal })
          await plain.ready
          return plain
        },
      )
      .finally(() => interruption.stop())
    const link: Link = { first: ahead.client, session, lost: lost.signal, wasUp: false }
    session.then(
      () => {
        link.wasUp = true
        this.#stats.connections++
      },
      (error: unknown) => lost.abort(error),
    )
    await ahead.mayAsk.catch(() => session)
    return link
  }

  #reach(settings: ConnectionSettings): Promise<Duplex> {
    const { jumps } = this.#options
    if (jumps === undefined) throw new Error(`${settings.name} is reached through other machines, and nobody knows the way`)
    return jumps.reach(settings)
  }

  async #begin(attempt: Attempt): Promise<Handshake & Session> {
    const { lost, interrupted } = attempt
    const settings = await this.settings()
    const { socket, check } = settings.jumps.length === 0 ? dial(settings) : through(await this.#reach(settings))
    try {
      const [ssh2, knownHosts] = await Promise.all([loadSsh2(), readKnownHosts(settings)])
      const authentication = await planAuthentication(ssh2, settings)
      check()
      interrupted.throwIfAborted()
      const { connectTimeoutMs: timeoutMs, keepaliveIntervalMs, keepaliveCount } = { ...defaults, ...this.#options }
      const onClose = (error: Error | undefined) =>
        lost.abort(this.#isClosed ? new Error('the connection was closed by its owner') : lostFailure(settings, error))
      const limits = { timeoutMs, keepaliveIntervalMs, keepaliveCount }
      const { headStart } = attempt
      return { socket, ...shakeHands(socket, { settings, ssh2, authentication, knownHosts, headStart, ...limits, interrupted, onClose }) }
    } catch (error) {
      socket.destroy()
      throw error
    }
  }
}

interface Attempt {
  readonly headStart: boolean
  readonly lost: AbortController
  readonly interrupted: AbortSignal
}

function channelOf(client: Client, opener: Opener): Promise<ClientChannel> {
  return new Promise((resolve, reject) => {
    opener(client, (error, channel) => (error ? reject(error) : resolve(channel)))
  })
}
