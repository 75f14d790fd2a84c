/**
 * Answers that ssh2 waits for or asks for, and SSH lets a client do without: two are a round trip each, one costs the host three signatures.
 * They reach into parts of ssh2 (1.17) that it does not document. Where those are not as expected, all works as ssh2 does it.
 */
import type { Client } from 'ssh2'

interface Insides {
  readonly _protocol?: {
    authPK?(user: string, key: Key, algorithm: string | undefined, sign?: Sign): void
    subsystem?(channel: number, name: string, wantReply: boolean): void
    readonly _handlers?: { GLOBAL_REQUEST?: (protocol: unknown, name: string, ...rest: unknown[]) => void }
  }
  readonly _chanMgr?: { readonly _channels?: Readonly<Record<number, Channel>> }
}

interface Key {
  isPrivateKey?(): boolean
  sign?(data: Buffer, hash: string | undefined): Buffer | Error
}

type Sign = (data: Buffer, done: (signature: Buffer) => void) => void

interface Channel {
  readonly outgoing?: { readonly id?: number }
  readonly _callbacks?: ((failed: boolean) => void)[]
  emit?(event: 'error', error: Error): void
  close?(): void
}

/** The host's no to a subsystem, on a channel that was already taken for open. */
export class SubsystemRefused extends Error {
  override readonly name = 'SubsystemRefused'
  constructor(subsystem: string) {
    super(`Unable to start subsystem: ${subsystem}`)
  }
}

/**
 * Call once `connect` has been called. @param signed called when a signature has been sent; `isWanted` says that the host asked for it, having been shown
 * the key.
 */
export function takeShortcuts(client: Client, signed: (isWanted: boolean) => void): void {
  const insides = client as unknown as Insides
  signAtOnce(insides, signed)
  useSubsystemsAtOnce(insides)
  askForNoProof(insides)
}

/**
 * RFC 4252, 7: a client may ask first whether a key would do, to spare people from unlocking it for nothing. Keys of files are
 * unlocked when they get here. An agent's are not: it may ask its user for each signature.
 */
function signAtOnce({ _protocol: protocol }: Insides, signed: (isWanted: boolean) => void): void {
  const original = protocol?.authPK
  if (!protocol || typeof original !== 'function') return
  protocol.authPK = (user, key, algorithm, given) => {
    const sign = given ?? signing(key, algorithm)
    const telling: Sign = (data, done) =>
      sign?.(data, (signature) => {
        done(signature)
        signed(given !== undefined)
      })
    original.call(protocol, user, key, algorithm, sign && telling)
  }
}

function signing(key: Key, algorithm: string | undefined): Sign | undefined {
  if (typeof key !== 'object' || key.isPrivateKey?.() !== true) return undefined
  // RFC 8332; other kinds of keys know their hash, and ssh2 names no algorithm for them.
  const hash = algorithm === undefined ? undefined : /^rsa-sha2-(256|512)$/.exec(algorithm)?.[1]
  if (algorithm !== undefined && hash === undefined) return undefined
  return (data, done) => {
    const signature = key.sign?.(data, hash === undefined ? undefined : `sha${hash}`)
    if (!Buffer.isBuffer(signature)) throw signature ?? new Error('the key does not sign')
    done(signature)
  }
}

/**
 * RFC 4254, 4: requests are handled in order, so the first bytes for a subsystem may follow the request for it. When the host says
 * no, the channel ends with that error.
 */
function useSubsystemsAtOnce(insides: Insides): void {
  const { _protocol: protocol } = insides
  const original = protocol?.subsystem
  if (!protocol || typeof original !== 'function') return
  protocol.subsystem = (id, name, wantReply) => {
    original.call(protocol, id, name, wantReply)
    const channel = Object.values(insides._chanMgr?._channels ?? {}).find(({ outgoing }) => outgoing?.id === id)
    const opened = channel?._callbacks?.pop()
    if (!channel || !opened) return
    channel._callbacks?.push((failed) => {
      if (!failed) return
      channel.emit?.('error', new SubsystemRefused(name))
      channel.close?.()
    })
    opened(false)
  }
}

/**
 * OpenSSH's PROTOCOL, 2.5: a host tells which keys it has, for clients that write known_hosts themselves. ssh2 has each proven, for nobody: host
 * keys are pinned here, and a person adds them.
 */
function askForNoProof({ _protocol: protocol }: Insides): void {
  const handlers = protocol?._handlers
  const original = handlers?.GLOBAL_REQUEST
  if (!handlers || typeof original !== 'function') return
  handlers.GLOBAL_REQUEST = (self, name, ...rest) => {
    if (name !== 'hostkeys-00@openssh.com') original(self, name, ...rest)
  }
}
