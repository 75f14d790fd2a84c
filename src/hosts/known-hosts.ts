/**
 * Which host keys are trusted: OpenSSH's known_hosts files (format: sshd(8), "SSH_KNOWN_HOSTS FILE FORMAT"). Pure; whoever
 * cannot be shown to be known is not trusted. Host certificates are not supported: `@cert-authority` lines trust nothing.
 */
import { createHash, createHmac, timingSafeEqual } from 'node:crypto'

export interface KnownHostsFile {
  readonly path: string
  readonly text: string
}

export interface KnownHostsEntry {
  readonly file: string
  /** Counts from 1. */
  readonly line: number
  readonly marker?: 'revoked' | 'cert-authority'
  /** Comma-separated patterns, or one hashed name. */
  readonly hosts: string
  readonly type: string
  readonly key: Buffer
}

export type HostKeyVerdict =
  | { readonly status: 'known'; readonly entry: KnownHostsEntry }
  /** `authority` is a `@cert-authority` line that names the host, which we cannot use. */
  | { readonly status: 'unknown'; readonly authority?: KnownHostsEntry }
  | { readonly status: 'changed'; readonly expected: readonly KnownHostsEntry[] }
  | { readonly status: 'revoked'; readonly entry: KnownHostsEntry }

/** Entries of one file, in order. Lines that are not understood are left out: they can only make a host less known. */
export function parseKnownHosts(file: KnownHostsFile): readonly KnownHostsEntry[] {
  return file.text.split('\n').flatMap((text, index) => {
    const words = text
      .trim()
      .split(/[ \t]+/)
      .filter((word) => word !== '')
    if (words[0] === undefined || words[0].startsWith('#')) return []
    const marker = words[0].startsWith('@') ? words.shift()?.slice(1) : undefined
    const [hosts, type, encoded] = words
    if (hosts === undefined || type === undefined || encoded === undefined) return []
    const key = Buffer.from(encoded, 'base64')
    if (keyType(key) !== type) return []
    const entry = { file: file.path, line: index + 1, hosts, type, key }
    if (marker === undefined) return [entry]
    return marker === 'revoked' || marker === 'cert-authority' ? [{ ...entry, marker }] : []
  })
}

/** All entries that speak of this host, in the order of the files. */
export function entriesFor(host: string, port: number, files: readonly KnownHostsFile[]): readonly KnownHostsEntry[] {
  const names = hostNames(host, port)
  return files.flatMap(parseKnownHosts).filter((entry) => names.some((name) => matches(entry.hosts, name)))
}

/**
 * Judges the key a host has shown. The first file that has keys for the host decides alone, so that a pin in the repository
 * wins over what this machine has seen; a revocation in any file is final. A key of another type than the known ones counts as
 * changed: known types are asked for first, so a host that has them shows them.
 */
export function verifyHostKey(host: string, port: number, key: Uint8Array, files: readonly KnownHostsFile[]): HostKeyVerdict {
  const entries = entriesFor(host, port, files)
  const revoked = entries.find((entry) => entry.marker === 'revoked' && entry.key.equals(key))
  if (revoked !== undefined) return { status: 'revoked', entry: revoked }
  const keys = entries.filter((entry) => entry.marker === undefined)
  const deciding = keys.filter((entry) => entry.file === keys[0]?.file)
  const entry = deciding.find((candidate) => candidate.key.equals(key))
  if (entry !== undefined) return { status: 'known', entry }
  if (deciding.length > 0) return { status: 'changed', expected: deciding }
  const authority = entries.find((candidate) => candidate.marker === 'cert-authority')
  return authority === undefined ? { status: 'unknown' } : { status: 'unknown', authority }
}

const algorithmsByType: Readonly<Record<string, readonly string[]>> = {
  'ssh-ed25519': ['ssh-ed25519'],
  'ecdsa-sha2-nistp256': ['ecdsa-sha2-nistp256'],
  'ecdsa-sha2-nistp384': ['ecdsa-sha2-nistp384'],
  'ecdsa-sha2-nistp521': ['ecdsa-sha2-nistp521'],
  'ssh-rsa': ['rsa-sha2-512', 'rsa-sha2-256'],
}

/** Host-key algorithms to offer, those of known keys first; SHA-1 signatures are never offered. */
export function hostKeyAlgorithms(host: string, port: number, files: readonly KnownHostsFile[]): readonly string[] {
  const keys = entriesFor(host, port, files).filter((entry) => entry.marker === undefined)
  const known = keys.flatMap((entry) => algorithmsByType[entry.type] ?? [])
  return [...new Set([...known, ...Object.values(algorithmsByType).flat()])]
}

/** As `ssh-keygen -l` prints it. */
export function hostKeyFingerprint(key: Uint8Array): string {
  return `SHA256:${createHash('sha256').update(key).digest('base64').replace(/=+$/, '')}`
}

/** The line that makes this key known. */
export function knownHostsLine(host: string, port: number, key: Uint8Array): string {
  return `${hostNames(host, port)[0]} ${keyType(key)} ${Buffer.from(key).toString('base64')}`
}

/** First field of a public key on the wire (RFC 4253, 6.6); empty when this is none. */
export function keyType(key: Uint8Array): string {
  const bytes = Buffer.from(key)
  if (bytes.length < 4) return ''
  const length = bytes.readUInt32BE(0)
  return length < bytes.length - 3 ? bytes.toString('latin1', 4, 4 + length) : ''
}

/** How the host is written in these files; the first form is the one to write. */
function hostNames(host: string, port: number): readonly [string, ...string[]] {
  const name = host.toLowerCase()
  return port === 22 ? [name, `[${name}]:22`] : [`[${name}]:${port}`]
}

function matches(hosts: string, name: string): boolean {
  if (hosts.startsWith('|')) return matchesHash(hosts, name)
  const patterns = hosts.toLowerCase().split(',')
  if (patterns.some((pattern) => pattern.startsWith('!') && matchesGlob(pattern.slice(1), name))) return false
  return patterns.some((pattern) => !pattern.startsWith('!') && matchesGlob(pattern, name))
}

/** `|1|salt|HMAC-SHA1(salt, name)`. */
function matchesHash(hosts: string, name: string): boolean {
  const [, version, salt, digest] = hosts.split('|')
  if (version !== '1' || salt === undefined || digest === undefined) return false
  const expected = Buffer.from(digest, 'base64')
  const actual = createHmac('sha1', Buffer.from(salt, 'base64')).update(name).digest()
  return expected.length === actual.length && timingSafeEqual(expected, actual)
}

/** Only `*` and `?` are special; brackets are part of `[host]:port`. */
function matchesGlob(pattern: string, name: string): boolean {
  const source = [...pattern].map((char) => (char === '*' ? '.*' : char === '?' ? '.' : char.replace(/[\\^$.|+()[\]{}]/, '\\$&')))
  return new RegExp(`^${source.join('')}$`).test(name)
}
