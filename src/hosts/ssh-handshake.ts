/** One attempt at a session with a host: key exchange, its key verified, authentication. */
import type { Duplex } from 'node:stream'
import type { Client, ConnectConfig } from 'ssh2'
import { TaskFailure } from '../../tasks/kind.ts'
import { hostKeyAlgorithms, type KnownHostsFile, verifyHostKey } from './known-hosts.ts'
import type { Authentication } from './ssh-auth.ts'
import type { ConnectionSettings } from './ssh-config.ts'
import { type ConnectionError, connectFailure, hostKeyFailure, type Progress } from './ssh-failure.ts'
import { HeadStartRefused, hasIdentified, takeHeadStart } from './ssh-head-start.ts'
import type { Ssh2 } from './ssh-library.ts'
import { takeShortcuts } from './ssh-shortcuts.ts'

export interface HandshakeOptions {
  readonly settings: ConnectionSettings
  readonly ssh2: Ssh2
  readonly authentication: Authentication
  readonly knownHosts: readonly KnownHostsFile[]
  /** Whether to say things before it is our turn (`ssh-head-start.ts`). */
  readonly headStart: boolean
  /** For handshake and authentication together. */
  readonly timeoutMs: number
  readonly keepaliveIntervalMs: number
  readonly keepaliveCount: number
  /** Ends the attempt with its reason. */
  readonly interrupted: AbortSignal
  /** Called once after `ready`; the error if there was one. */
  onClose(error: ConnectionError | undefined): void
}

export interface Handshake {
  readonly client: Client
  /** Resolves when the host may be asked for channels: when logged in, or when a signature that it will take is under way. Rejects as `ready` does. */
  readonly mayAsk: Promise<void>
  /**
   * Resolves when logged in.
   * @throws TaskFailure (unreachable, refused); the reason of `interrupted`; `HeadStartRefused` when it should be tried without.
   */
  readonly ready: Promise<void>
}

interface Deferred {
  readonly promise: Promise<void>
  resolve(): void
  reject(error: unknown): void
}

function deferred(): Deferred {
  let [resolve, reject]: [() => void, (error: unknown) => void] = [() => {}, () => {}]
  const promise = new Promise<void>((yes, no) => {
    resolve = yes
    reject = no
  })
  return { promise, resolve, reject }
}

/** @param socket connected, or about to be; it is destroyed when the attempt fails. */
export function shakeHands(socket: Duplex, options: HandshakeOptions): Handshake {
  const { settings, authentication, headStart, interrupted } = options
  const client = new options.ssh2.Client()
  const asking = deferred()
  let progress: Progress = 'dialing'
  let distrust: TaskFailure | undefined

  const reasonOf = (error: ConnectionError): Error => {
    if (distrust !== undefined) return distrust
    if (error instanceof TaskFailure || error instanceof HeadStartRefused) return error
    if (headStart && hasIdentified(client) && mayBeOurs(error)) return new HeadStartRefused(error.message, { cause: error })
    return connectFailure(error, settings, progress, authentication.tried)
  }
  const ready = new Promise<void>((resolve, reject) => {
    let failure: ConnectionError | undefined
    let isReady = false
    const fail = (error: Error) => reject(reasonOf(error))
    client.on('connect', () => {
      progress = 'handshake'
    })
    client.on('handshake', () => {
      progress = 'authentication'
    })
    client.on('ready', () => {
      isReady = true
      resolve()
    })
    client.on('error', (error: ConnectionError) => {
      // An agent that does not answer is one way less to authenticate, not the end.
      if (error.level === 'agent') return
      failure ??= error
      fail(error)
    })
    client.on('close', () => {
      fail(failure ?? new Error('closed by the host'))
      if (isReady) options.onClose(failure)
    })
    interrupted.addEventListener('abort', () => fail(interrupted.reason), { once: true })
    client.connect(
      clientConfig(socket, options, (why) => {
        distrust = why
      }),
    )
    let hasAsked = false
    const refused = () => fail(new HeadStartRefused('the host wants another key'))
    if (headStart) takeHeadStart(client, () => hasAsked, refused)
    takeShortcuts(client, (isWanted) => {
      if (!headStart || !(isWanted || authentication.isLastFile())) return
      hasAsked = true
      asking.resolve()
    })
  })
  ready.then(asking.resolve, (error: unknown) => {
    asking.reject(error)
    client.destroy()
    socket.destroy()
  })
  asking.promise.catch(() => {})
  return { client, mayAsk: asking.promise, ready }
}

function clientConfig(socket: Duplex, options: HandshakeOptions, distrust: (why: TaskFailure | undefined) => void): ConnectConfig {
  const { settings, knownHosts, authentication } = options
  const { hostKeyName, port } = settings
  return {
    sock: socket,
    username: settings.user,
    readyTimeout: options.timeoutMs,
    keepaliveInterval: options.keepaliveIntervalMs,
    keepaliveCountMax: options.keepaliveCount,
    // What a server can do is for it to say, not for its version string.
    strictVendor: false,
    algorithms: { serverHostKey: [...hostKeyAlgorithms(hostKeyName, port, knownHosts)] as never },
    authHandler: authentication.handler,
    hostVerifier: (key: Buffer) => {
      const why = hostKeyFailure(verifyHostKey(hostKeyName, port, key, knownHosts), key, settings)
      distrust(why)
      return why === undefined
    },
  }
}

/** A host that took offence says so, or just hangs up. Its no to a key, and its silence, have nothing to do with when they were asked for. */
function mayBeOurs({ level, message }: ConnectionError): boolean {
  return level !== 'client-authentication' && level !== 'client-timeout' && !/too many authentication failures/i.test(message)
}
