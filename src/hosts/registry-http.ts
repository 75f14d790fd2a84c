/** HTTP as registries need it: kept-alive connections, Docker's trust in certificates, a deadline, bounded retries. */
import { readdir, readFile } from 'node:fs/promises'
import type { Agent } from 'node:http'
import type { AgentOptions } from 'node:https'
import { join } from 'node:path'
import { exchange, type HttpAnswer, type HttpRequest } from '../../cache/remote/exchange.ts'
import { type Pause, patiently } from '../../cache/remote/patience.ts'
import { TaskFailure } from '../../tasks/kind.ts'
import { isLoopback } from './image-reference.ts'

export interface HttpOptions {
  readonly signal?: AbortSignal
  /** For one attempt, from connecting to the last byte. Without it only the signal ends an attempt. */
  readonly timeoutMs?: number
  /** Docker's `/etc/docker/certs.d`: one folder per registry, `*.crt` in it are trusted. */
  readonly certificatesDirectory: string
  readonly pause: Pause
  /** Connections to one host at once; any number unless told. */
  readonly maximumSockets?: number
  /** Through which an address is reached; straight unless told. */
  readonly proxy?: (url: URL) => URL | undefined
  /** For how long a server that asks for patience is waited for, from the first question on. Default: see `patience.ts`. */
  readonly patienceMs?: number
}

/** What differs from one request to the next. */
export interface RequestLimits {
  readonly signal?: AbortSignal | undefined
  /** The longest answer that is read; 4 MiB unless told. */
  readonly limitBytes?: number
}

/** Sends one request. @throws TaskFailure when there is no answer, NodeJS.ErrnoException of the TLS handshake as its cause. */
export type SendRequest = (request: HttpRequest, limits?: RequestLimits) => Promise<HttpAnswer>

export interface Sender {
  readonly send: SendRequest
  /** Ends every connection, also those in use. */
  close(): Promise<void>
}

/** As large as a manifest may be: registries take none above it. */
const manifestLimitBytes = 4 * 1024 * 1024

export function openSender(options: HttpOptions): Sender {
  const agents = new Map<string, Promise<Trusting>>()
  return {
    async send(request, { signal = options.signal, limitBytes = manifestLimitBytes } = {}) {
      const { protocol, host } = request.url
      const key = `${protocol}//${host}`
      const opened = agents.get(key) ?? openAgent(request.url, options)
      agents.set(key, opened)
      const trusting = await opened
      const once = async () => {
        const deadline = options.timeoutMs === undefined ? undefined : AbortSignal.timeout(options.timeoutMs)
        const signals = [signal, deadline].filter((each) => each !== undefined)
        try {
          return await exchange(request, { agent: trusting.agent, signal: AbortSignal.any(signals), limitBytes })
        } catch (error) {
          throw deadline?.aborted ? deadline.reason : error
        }
      }
      const trustingOnce = async () => {
        const outcome = await once().catch((error: Error) => error)
        if (!(outcome instanceof Error)) return outcome
        if (!isDistrust(outcome) || !trusting.widen) throw outcome
        await trusting.widen()
        return once()
      }
      try {
        return await patiently(trustingOnce, { signal, pause: options.pause, patienceMs: options.patienceMs })
      } catch (error) {
        throw connectionFailure(host, error as NodeJS.ErrnoException, { ...options, signal })
      }
    },
    async close() {
      for (const opened of agents.values()) (await opened).agent.destroy()
    },
  }
}

interface Trusting {
  agent: Agent
  /** Makes it trust what Node trusts by itself, too. */
  readonly widen?: () => Promise<void>
}

/**
 * A certificate put there for one registry is nearly always the one that vouches for it, and Node takes 100 ms to read the 140 it
 * trusts by itself: those are added only when it was not.
 */
async function openAgent(url: URL, { certificatesDirectory, maximumSockets, proxy }: HttpOptions): Promise<Trusting> {
  const { protocol, host } = url
  const kept = { keepAlive: true, ...(maximumSockets === undefined ? {} : { maxSockets: maximumSockets }) }
  if (protocol === 'http:') return { agent: new (await import('node:http')).Agent(kept) }
  const agentOf = await agentMaker(proxy?.(url))
  if (isLoopback(host)) return { agent: agentOf({ ...kept, rejectUnauthorized: false }) }
  const added = await addedCertificates(join(certificatesDirectory, host))
  if (added.length === 0) return { agent: agentOf(kept) }
  const { createSecureContext } = await import('node:tls')
  const trusting: Trusting = {
    // One for all connections: reading a certificate takes milliseconds each time.
    agent: agentOf({ ...kept, secureContext: createSecureContext({ ca: [...added] }) }),
    async widen() {
      const { rootCertificates } = await import('node:tls')
      const own = process.env['NODE_EXTRA_CA_CERTS']
      const extra = own === undefined ? [] : [await readFile(own, 'utf8')]
      trusting.agent = agentOf({ ...kept, secureContext: createSecureContext({ ca: [...rootCertificates, ...extra, ...added] }) })
    },
  }
  return trusting
}

/** Makes agents for TLS, straight or through a proxy. */
async function agentMaker(proxy: URL | undefined): Promise<(options: AgentOptions) => Agent> {
  if (proxy === undefined) {
    const { Agent } = await import('node:https')
    return (options) => new Agent(options)
  }
  const { TunnelAgent } = await import('../../cache/remote/tunnel.ts')
  return (options) => new TunnelAgent(proxy, options)
}

function isDistrust(error: NodeJS.ErrnoException): boolean {
  return distrustCodes.test(error.code ?? '')
}

const distrustCodes = /CERT|SELF_SIGNED|UNABLE_TO_|ISSUER/

async function addedCertificates(directory: string): Promise<readonly string[]> {
  const names = await readdir(directory).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return []
    throw error
  })
  return Promise.all(names.filter((name) => name.endsWith('.crt')).map((name) => readFile(join(directory, name), 'utf8')))
}

function connectionFailure(
  host: string,
  cause: NodeJS.ErrnoException,
  { signal, timeoutMs = 0, certificatesDirectory }: Omit<HttpOptions, 'signal'> & RequestLimits,
): TaskFailure {
  if (signal?.aborted && signal.reason instanceof Error && signal.reason.name === 'TimeoutError') {
    const message = `${host} did not answer in the time it had`
    return new TaskFailure({ reason: 'timeout', subject: host, message, remedy: `check the network, or try again` }, { cause })
  }
  if (signal?.aborted)
    return new TaskFailure({ reason: 'interrupted', subject: host, message: `the request to ${host} was interrupted` }, { cause })
  if (cause.name === 'TimeoutError') {
    const message = `${host} did not answer within ${timeoutMs / 1000} s`
    return new TaskFailure({ reason: 'timeout', subject: host, message, remedy: `check the network, or try again` }, { cause })
  }
  if (isDistrust(cause)) {
    const message = `the certificate of ${host} is not trusted: ${cause.message}`
    const remedy = `put its issuer's certificate into ${join(certificatesDirectory, host, 'ca.crt')}, as for Docker itself`
    return new TaskFailure({ reason: 'refused', subject: host, message, remedy }, { cause })
  }
  const message = `${host} cannot be reached: ${cause.message}`
  return new TaskFailure(
    { reason: 'unreachable', subject: host, message, remedy: 'check the registry in the manifest, and the network' },
    { cause },
  )
}
