/** Which keys to show to a host, in which order, and what to say when none is accepted. Public keys only, never passwords. */
import { readFile } from 'node:fs/promises'
import type { AnyAuthMethod, AuthHandlerMiddleware, BaseAgent, ParsedKey } from 'ssh2'
import { hostKeyFingerprint } from './known-hosts.ts'
import type { ConnectionSettings } from './ssh-config.ts'
import type { Ssh2 } from './ssh-library.ts'

export interface Authentication {
  readonly handler: AuthHandlerMiddleware
  /** One line for each key that was shown or passed over, for the failure. */
  readonly tried: readonly string[]
  /** Whether no other key file is left to show: the last one shown is as likely as any to be the right one. */
  isLastFile(): boolean
}

interface Identity {
  readonly path: string
  /** Undefined when only the agent can sign with it. */
  readonly privateKey?: ParsedKey
  /** Wire form. */
  readonly publicKey?: Buffer
}

/**
 * Named key files come first, because sshd gives up after a few wrong keys (`MaxAuthTries`); then the agent, its keys that match
 * those files before others; then the default key files.
 */
export async function planAuthentication(ssh2: Ssh2, settings: ConnectionSettings): Promise<Authentication> {
  const tried: string[] = []
  const identities = (await Promise.all(settings.identityFiles.map((path) => readIdentity(ssh2, path, settings, tried)))).flat()
  const files = identities.flatMap(({ path, privateKey }) =>
    privateKey === undefined ? [] : [{ kind: 'file' as const, path, privateKey }],
  )
  const agent = settings.agentSocket === undefined ? [] : [{ kind: 'agent' as const, socket: settings.agentSocket }]
  const attempts = settings.identitiesNamed ? [...files, ...agent] : [...agent, ...files]
  const preferred = identities.flatMap(({ publicKey }) => (publicKey === undefined ? [] : [publicKey]))

  const handler = (methodsLeft: readonly string[] | null): AnyAuthMethod | false => {
    // Null before the host has said anything.
    if (methodsLeft !== null && !methodsLeft.includes('publickey')) {
      tried.push(`the host takes no keys, only: ${methodsLeft.join(', ')}`)
      return false
    }
    const attempt = attempts.shift()
    if (attempt === undefined) return false
    if (attempt.kind === 'agent') {
      const agent = selectiveAgent(ssh2, attempt.socket, preferred, settings.identitiesOnly, tried)
      return { type: 'agent', username: settings.user, agent }
    }
    tried.push(`${attempt.path} ${hostKeyFingerprint(attempt.privateKey.getPublicSSH())}`)
    return { type: 'publickey', username: settings.user, key: attempt.privateKey }
  }
  return { handler, tried, isLastFile: () => attempts.every(({ kind }) => kind !== 'file') }
}

async function readIdentity(ssh2: Ssh2, path: string, settings: ConnectionSettings, tried: string[]): Promise<readonly Identity[]> {
  const [text, publicText] = await Promise.all([readOptional(path), readOptional(`${path}.pub`)])
  const publicKey = publicText instanceof Buffer ? parseOne(ssh2, publicText) : undefined
  const wire = publicKey instanceof Error ? undefined : publicKey?.getPublicSSH()
  const onlyPublic = wire === undefined ? [] : [{ path, publicKey: wire }]
  if (text instanceof Error) {
    // A key that lives in the agent has just its public half here.
    if (settings.identitiesNamed && onlyPublic.length === 0) tried.push(`${path} cannot be read: ${text.code ?? text.message}`)
    return onlyPublic
  }
  const key = parseOne(ssh2, text)
  if (!(key instanceof Error))
    return key.isPrivateKey() ? [{ path, privateKey: key, publicKey: key.getPublicSSH() }] : [{ path, publicKey: key.getPublicSSH() }]
  const isEncrypted = /encrypted|passphrase/i.test(key.message)
  tried.push(
    isEncrypted ? `${path} needs a passphrase: only an agent can use it` : `${path} is not a private key this client reads: ${key.message}`,
  )
  return onlyPublic
}

function parseOne(ssh2: Ssh2, text: Buffer): ParsedKey | Error {
  const parsed = ssh2.utils.parseKey(text)
  return Array.isArray(parsed) ? (parsed[0] ?? new Error('no key in it')) : parsed
}

async function readOptional(path: string): Promise<Buffer | NodeJS.ErrnoException> {
  return readFile(path).catch((error: NodeJS.ErrnoException) => error)
}

/** The user's agent, with keys in our order, and only those wanted. */
function selectiveAgent(ssh2: Ssh2, socket: string, preferred: readonly Buffer[], only: boolean, tried: string[]): BaseAgent {
  const agent = ssh2.createAgent(socket)
  const listKeys = agent.getIdentities.bind(agent)
  const isPreferred = (key: ParsedKey) => preferred.some((wanted) => wanted.equals(key.getPublicSSH()))
  agent.getIdentities = (done) => {
    listKeys((error, found) => {
      if (error) {
        tried.push(`the agent at ${socket} does not answer: ${error.message}`)
        return done(error)
      }
      // The agents ssh2 makes list parsed keys.
      const keys = ((found ?? []) as unknown as ParsedKey[]).filter((key) => !only || isPreferred(key))
      keys.sort((a, b) => Number(isPreferred(b)) - Number(isPreferred(a)))
      for (const key of keys) tried.push(`agent key ${key.comment || key.type} ${hostKeyFingerprint(key.getPublicSSH())}`)
      if (keys.length === 0) tried.push(`the agent at ${socket} holds no ${only ? 'such key' : 'keys'}`)
      done(null, keys)
    })
  }
  return agent
}
