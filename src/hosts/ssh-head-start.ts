/**
 * What a client may say before it is its turn: three round trips of the five that an SSH handshake takes. All of it is undone by
 * `HeadStartRefused`: then the same is done again on a new connection, one thing after another, as ssh2 does it.
 *
 * - Our KEXINIT and our half of the key exchange go out behind our identification (RFC 4253, 4.2 and 7.1). Ours is the first choice of
 *   methods and Curve25519 its first, so that is what is agreed on by every host that has it (RFC 4253, 7.1: the first of the client's
 *   list that the server has too).
 * - The first authentication request follows the request for the service that handles it (RFC 4253, 10), and what the session is to open
 *   follows a signature (`ssh-handshake.ts`): a server reads one message after the other.
 *
 * Who the host is gets verified before anything that is signed or asked leaves this machine, as ever.
 *
 * Like `ssh-shortcuts.ts` this reaches into ssh2 (1.17). Where it is not as expected, all works as ssh2 does it.
 */
import { generateKeyPairSync, type KeyObject } from 'node:crypto'
import type { Client } from 'ssh2'

/** The host took something sent ahead the wrong way. Nothing was asked of it yet. */
export class HeadStartRefused extends Error {
  override readonly name = 'HeadStartRefused'
}

interface KeyExchange {
  readonly type?: string
  _keys?: Keys | null
  start?(): void
}

interface Keys {
  readonly publicKey: KeyObject
  readonly privateKey: KeyObject
}

interface Protocol {
  start?: () => void
  rekey?(): void
  service?(name: string): void
  _kex?: KeyExchange | undefined
  _kexinit?: Buffer | undefined
  _onHeader?: (header: unknown) => void
  _cipher?: { encrypt(packet: Buffer): void }
  readonly _packetRW?: {
    readonly write?: {
      readonly allocStartKEX?: number
      alloc(size: number, force: boolean): Buffer
      finalize(packet: Buffer, force: boolean): Buffer
    }
  }
  readonly _handlers?: Handlers
}

interface Handlers {
  SERVICE_ACCEPT?: (protocol: Protocol, name: string) => void
  EXT_INFO?: (protocol: Protocol, extensions: unknown) => void
  USERAUTH_FAILURE?: (protocol: Protocol, ...rest: unknown[]) => void
}

interface Insides {
  readonly _protocol?: Protocol
  readonly _remoteVer?: string
}

/**
 * Call once `connect` has been called. @param asked whether anything was asked for already. @param refused called when the host did not take the key that
 * this was based on; where there is no other, the attempt has ended by then.
 */
export function takeHeadStart(client: Client, asked: () => boolean, refused: () => void): void {
  const protocol = (client as unknown as Insides)._protocol
  if (protocol === undefined) return
  agreeAtOnce(protocol)
  authenticateAtOnce(protocol)
  tellOfRefusal(protocol, asked, refused)
}

/** Whether it is an SSH server, as far as it said. */
export function hasIdentified(client: Client): boolean {
  return (client as unknown as Insides)._remoteVer !== undefined
}

const messageOfKeyExchange = 30
const authentication = 'ssh-userauth'

function agreeAtOnce(protocol: Protocol): void {
  const { start, rekey, _onHeader: onHeader, _packetRW: { write } = {} } = protocol
  if (typeof start !== 'function' || typeof rekey !== 'function' || typeof onHeader !== 'function') return
  const at = write?.allocStartKEX
  if (write === undefined || at === undefined) return
  protocol.start = () => {
    start.call(protocol)
    // Begins a key exchange, the first as well as any other.
    rekey.call(protocol)
    const sent = protocol._kexinit
    const cipher = protocol._cipher
    if (sent === undefined || cipher === undefined) return
    const keys = generateKeyPairSync('x25519')
    cipher.encrypt(write.finalize(keyExchangeMessage(keys.publicKey, write, at), true))
    useKeys(protocol, keys)
    protocol._onHeader = (header) => {
      onHeader(header)
      // ssh2 begins the exchange when it has heard who the server is: that has been done.
      const { encrypt } = cipher
      cipher.encrypt = () => {
        cipher.encrypt = encrypt
        protocol._kexinit = sent
      }
    }
  }
}

/** RFC 8731, 3: a string of 32 bytes, which are the end of the key's usual form. */
function keyExchangeMessage(publicKey: KeyObject, write: { alloc(size: number, force: boolean): Buffer }, at: number): Buffer {
  const key = publicKey.export({ type: 'spki', format: 'der' }).subarray(-32)
  const packet = write.alloc(1 + 4 + key.length, true)
  packet[at] = messageOfKeyExchange
  packet.writeUInt32BE(key.length, at + 1)
  packet.set(key, at + 5)
  return packet
}

/** When the method is agreed on, ssh2 makes its exchange of `protocol._kex` and starts it: the first one has been started here. */
function useKeys(protocol: Protocol, keys: Keys): void {
  const keep = (value: KeyExchange | undefined) =>
    Object.defineProperty(protocol, '_kex', { value, writable: true, enumerable: true, configurable: true })
  Object.defineProperty(protocol, '_kex', {
    get: () => undefined,
    set(exchange: KeyExchange | undefined) {
      keep(exchange)
      if (exchange?.type !== '25519') throw new HeadStartRefused('the host has no Curve25519')
      exchange._keys = keys
      exchange.start = () => {}
    },
    enumerable: true,
    configurable: true,
  })
}

/** Once the host has said which signatures it takes (RFC 8308), which comes with its keys; a host that does not say is waited for. */
function authenticateAtOnce(protocol: Protocol): void {
  const { service, _handlers: handlers } = protocol
  const { SERVICE_ACCEPT: accepted, EXT_INFO: told } = handlers ?? {}
  if (!handlers || typeof service !== 'function' || typeof accepted !== 'function' || typeof told !== 'function') return
  let isAsked = false
  let isBegun = false
  const begin = () => {
    if (!isAsked || isBegun) return
    isBegun = true
    accepted(protocol, authentication)
  }
  protocol.service = (name) => {
    service.call(protocol, name)
    isAsked ||= name === authentication
  }
  handlers.EXT_INFO = (self, extensions) => {
    told(self, extensions)
    begin()
  }
  handlers.SERVICE_ACCEPT = (_self, name) => {
    if (name === authentication) begin()
  }
}

function tellOfRefusal({ _handlers: handlers }: Protocol, asked: () => boolean, refused: () => void): void {
  const original = handlers?.USERAUTH_FAILURE
  if (!handlers || typeof original !== 'function') return
  handlers.USERAUTH_FAILURE = (self, ...rest) => {
    const wasAsked = asked()
    // Ends the attempt with a better reason where there is no other key, or shows the next.
    original(self, ...rest)
    if (wasAsked) refused()
  }
}
