/**
 * How a result travels: the text of its record, a checksum, and who vouches for it. Signed with HMAC-SHA256 (RFC 2104) under keys derived by
 * HKDF (RFC 5869) from what people set, so that the key they share is never itself used on data. What is signed names the fingerprint: an
 * entry copied under another key is found out.
 */
import { createHash, createHmac, hkdfSync, timingSafeEqual } from 'node:crypto'
import type { Fingerprint } from '../graph/types.ts'
import { isObject, parseObject } from './foreign.ts'

/** Derived from a shared key; the first of several signs, all are accepted. */
export type SigningKey = Uint8Array

export type Opened =
  | { readonly text: string }
  /** Nobody we trust vouches for it: completes "the entry …". */
  | { readonly untrusted: string }
  /** It is not an entry, or no longer the one that was written: completes "the entry …". */
  | { readonly damaged: string }

const schema = 1
const scheme = 'hmac-sha256'
/** In what is signed, so that a signature made for anything else is worth nothing here. */
const purpose = 'stagecraft remote cache entry 1'
/** Longer is refused before it is read as JSON. */
export const largestEntryBytes = 32 * 1024 ** 2

/** @param secret what people share; its length is checked where it is read. */
export function signingKey(secret: string): SigningKey {
  return new Uint8Array(hkdfSync('sha256', secret, '', purpose, 32))
}

/** The bytes to store under a fingerprint. Without a key they hold a checksum only. */
export function sealEntry(fingerprint: Fingerprint, text: string, keys: readonly SigningKey[]): Uint8Array {
  const [key] = keys
  const signatures = key ? [{ scheme, value: sign(key, fingerprint, text).toString('hex') }] : []
  return Buffer.from(JSON.stringify({ schema, digest: checksum(fingerprint, text).toString('hex'), signatures, entry: text }))
}

/** What {@link sealEntry} was given, if it was for this fingerprint and, when there are keys, signed with one of them. */
export function openEntry(fingerprint: Fingerprint, bytes: Uint8Array, keys: readonly SigningKey[]): Opened {
  if (bytes.byteLength > largestEntryBytes) return { damaged: `is larger than ${largestEntryBytes} bytes` }
  const envelope = parseObject(decoded(bytes) ?? '')
  if (!envelope) return { damaged: 'is not an entry of Stagecraft' }
  const { digest, signatures, entry } = envelope
  if (envelope['schema'] !== schema || typeof entry !== 'string') return { damaged: 'is of another layout' }
  if (!isSame(checksum(fingerprint, entry), digest)) return { damaged: 'is not what was written under this name' }
  if (keys.length === 0) return { text: entry }
  const offered = Array.isArray(signatures) ? signatures.filter((one) => isObject(one) && one['scheme'] === scheme) : []
  if (offered.length === 0) return { untrusted: 'is not signed' }
  const isSigned = keys.some((key) => offered.slice(0, 8).some(({ value }) => isSame(sign(key, fingerprint, entry), value)))
  return isSigned ? { text: entry } : { untrusted: 'is signed with another key' }
}

function sign(key: SigningKey, fingerprint: Fingerprint, text: string): Buffer {
  return createHmac('sha256', key).update(signed(fingerprint)).update(text).digest()
}

/** Finds bytes that changed on their way; vouches for nobody. */
function checksum(fingerprint: Fingerprint, text: string): Buffer {
  return createHash('sha256').update(signed(fingerprint)).update(text).digest()
}

const signed = (fingerprint: Fingerprint): string => `${purpose}\0${scheme}\0${fingerprint}\0`

/** Takes the same time however much of it is right. */
function isSame(expected: Buffer, given: unknown): boolean {
  if (typeof given !== 'string' || !/^[0-9a-f]{64}$/.test(given)) return false
  return timingSafeEqual(expected, Buffer.from(given, 'hex'))
}

function decoded(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    return undefined
  }
}
