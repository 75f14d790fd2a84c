/** Words for what can go wrong between this machine and a host: each names the host, user, address and what to do. */
import type { Failure } from '../../graph/types.ts'
import { TaskFailure } from '../../tasks/kind.ts'
import { type HostKeyVerdict, hostKeyFingerprint, keyType, knownHostsLine } from './known-hosts.ts'
import type { ConnectionSettings } from './ssh-config.ts'

/** `node-1 (deploy@203.0.113.7:22)`. */
export function endpoint(settings: Pick<ConnectionSettings, 'name' | 'user' | 'hostName' | 'port'>): string {
  return `${settings.name} (${settings.user}@${settings.hostName}:${settings.port})`
}

/** How far a connection had come when it failed. */
export type Progress = 'dialing' | 'handshake' | 'authentication'

/** Fields that Node and ssh2 put on their errors. */
export interface ConnectionError extends Error {
  readonly code?: string | number
  readonly level?: string
}

/** A connection that could not be made. */
export function connectFailure(
  error: ConnectionError,
  settings: ConnectionSettings,
  progress: Progress,
  tried: readonly string[],
): TaskFailure {
  const where = endpoint(settings)
  const failure = (reason: Failure['reason'], message: string, remedy: string) =>
    new TaskFailure({ reason, subject: settings.name, message, remedy }, { cause: error })
  const reach = `check the address and port, the host's firewall, and that it is up: \`ssh -p ${settings.port} ${settings.user}@${settings.hostName}\``
  if (error.code === 'ENOTFOUND' || error.code === 'EAI_AGAIN') {
    return failure(
      'unreachable',
      `no address found for \`${settings.hostName}\`, the address of ${where}`,
      "check the name for a typo, and this machine's DNS",
    )
  }
  if (error.code === 'ECONNREFUSED')
    return failure('unreachable', `${where} refused the connection: nothing listens on port ${settings.port}`, reach)
  if (error.level === 'client-authentication' || /too many authentication failures/i.test(error.message)) {
    return authenticationFailure(error, settings, tried)
  }
  if (error.level === 'client-timeout' && progress === 'dialing') return failure('unreachable', `no answer from ${where}`, reach)
  if (error.level === 'client-timeout') {
    const what = progress === 'handshake' ? 'the SSH handshake' : 'authentication'
    return failure(
      'unreachable',
      `${what} with ${where} did not finish in time`,
      'the host may be overloaded, or an agent waits for a confirmation',
    )
  }
  if (error.level === 'client-socket') return failure('unreachable', `no connection to ${where}: ${error.message}`, reach)
  if (/no matching/i.test(error.message)) {
    return failure(
      'refused',
      `${where} shares no algorithm with this client: ${error.message}`,
      "update the host's OpenSSH (8.0 or later is fine)",
    )
  }
  return failure(
    'unreachable',
    `${where} ended the SSH handshake: ${error.message}`,
    'check that the port is that of an SSH server, and its log',
  )
}

function authenticationFailure(error: Error, settings: ConnectionSettings, tried: readonly string[]): TaskFailure {
  const encrypted = tried.find((line) => line.includes('needs a passphrase'))
  const addKey = `add your public key to ~${settings.user}/.ssh/authorized_keys on the host, or name the right key as \`identity_file\``
  const remedy = encrypted === undefined ? addKey : `add the encrypted key to your agent: \`ssh-add ${encrypted.split(' ')[0]}\``
  const found = tried.length > 0 ? `\n${tried.map((line) => `  ${line}`).join('\n')}` : ' (no keys found: no agent, and no key files)'
  return new TaskFailure(
    { reason: 'refused', subject: settings.name, message: `${endpoint(settings)} accepted none of the keys tried:${found}`, remedy },
    { cause: error },
  )
}

/** A connection that was there and is not any more. */
export function lostFailure(settings: ConnectionSettings, error?: Error): TaskFailure {
  const how =
    error === undefined ? 'closed by the host' : /keepalive/i.test(error.message) ? 'no sign of life from the host' : error.message
  return new TaskFailure(
    {
      reason: 'unreachable',
      subject: settings.name,
      message: `the connection to ${endpoint(settings)} was lost: ${how}`,
      remedy: 'run again: what is done is not repeated',
    },
    { cause: error },
  )
}

/** A host key that is not trusted; undefined for one that is. */
export function hostKeyFailure(verdict: HostKeyVerdict, key: Uint8Array, settings: ConnectionSettings): TaskFailure | undefined {
  if (verdict.status === 'known') return undefined
  const found = `${keyType(key)} ${hostKeyFingerprint(key)}`
  const { message, remedy } = hostKeyWords(verdict, key, found, settings)
  return new TaskFailure({ reason: 'refused', subject: settings.name, message, remedy })
}

function hostKeyWords(
  verdict: Exclude<HostKeyVerdict, { status: 'known' }>,
  key: Uint8Array,
  found: string,
  settings: ConnectionSettings,
): { message: string; remedy: string } {
  const where = endpoint(settings)
  const compare = `on the host: \`ssh-keygen -lf ${keyFile(keyType(key))}\``
  if (verdict.status === 'revoked') {
    return {
      message: `${where} showed a revoked host key: ${found} (${verdict.entry.file}:${verdict.entry.line})`,
      remedy: 'do not connect; give the host a new key, and pin that one',
    }
  }
  if (verdict.status === 'changed') {
    const expected = verdict.expected.map(
      (entry) => `  expected ${entry.type} ${hostKeyFingerprint(entry.key)} (${entry.file}:${entry.line})`,
    )
    return {
      message: `the host key of ${where} has changed: someone may be listening in, or the host was set up anew\n${expected.join('\n')}\n  found    ${found}`,
      remedy: `find out why. Only if the host really has this key (${compare}), replace the expected lines with:\n${knownHostsLine(settings.hostKeyName, settings.port, key)}`,
    }
  }
  const authority = verdict.authority
  const note =
    authority === undefined
      ? ''
      : `\n  ${authority.file}:${authority.line} names a certificate authority; host certificates are not supported`
  const file = settings.knownHostsFiles[0] ?? 'stagecraft.known_hosts'
  return {
    message: `the host key of ${where} is not known: ${found}${note}`,
    remedy: `compare the fingerprint (${compare}), then add this line to ${file}:\n${knownHostsLine(settings.hostKeyName, settings.port, key)}`,
  }
}

/** Where OpenSSH keeps the key that was shown. */
function keyFile(type: string): string {
  const short = type === 'ssh-ed25519' ? 'ed25519' : type.startsWith('ecdsa') ? 'ecdsa' : 'rsa'
  return `/etc/ssh/ssh_host_${short}_key.pub`
}
