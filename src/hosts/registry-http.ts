/** HTTP as registries need it: kept-alive connections, Docker's trust in certificates, a deadline, bounded retries. */
import { readdir, readFile } from 'node:fs/promises'
import type { Agent, IncomingHttpHeaders, RequestOptions } from 'node:http'
import { join } from 'node:path'
import { TaskFailure } from '../../tasks/kind.ts'
import { isLoopback } from './image-reference.ts'

export interface HttpRequest {
  readonly method: 'GET' | 'POST'
  readonly url: URL
  readonly headers: Readonly<Record<string, string>>
  readonly body?: string
}

export interface HttpAnswer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly body: Buffer
}

export interface HttpOptions {
  readonly signal?: AbortSignal
  /** For one attempt, from connecting to the last byte. */
  readonly timeoutMs: number
  /** Docker's `/etc/docker/certs.d`: one folder per registry, `*.crt` in it are trusted. */
  readonly certificatesDirectory: string
  /** Waits between attempts. */
  readonly pause: (ms: number, signal: AbortSignal | undefined) => Promise<void>
}

/** Sends one request. @throws TaskFailure when there is no answer, NodeJS.ErrnoException of the TLS handshake as its cause. */
export type SendRequest = (request: HttpRequest) => Promise<HttpAnswer>

const attempts = 4
const longestPauseMs = 20_000
const bodyLimitBytes = 4 * 1024 * 1024

export function createSend(options: HttpOptions): SendRequest {
  const agents = new Map<string, Promise<Trusting>>()
  return async (request) => {
    const { protocol, host } = request.url
    const key = `${protocol}//${host}`
    const opened = agents.get(key) ?? openAgent(request.url, options.certificatesDirectory)
    agents.set(key, opened)
    const trusting = await opened
    for (let attempt = 1; ; attempt += 1) {
      let outcome = await sendOnce(request, trusting.agent, options).catch((error: NodeJS.ErrnoException) => error)
      if (isDistrust(outcome) && trusting.widen) {
        await trusting.widen()
        outcome = await sendOnce(request, trusting.agent, options).catch((error: NodeJS.ErrnoException) => error)
      }
      const waitMs = attempt < attempts ? retryAfterMs(outcome, attempt, Date.now()) : undefined
      if (waitMs === undefined || options.signal?.aborted) {
        if (outcome instanceof Error) throw connectionFailure(host, outcome, options)
        return outcome
      }
      await options.pause(waitMs, options.signal)
    }
  }
}

/** How long to wait before asking again; undefined when asking again is of no use. Every request here is safe to repeat. */
export function retryAfterMs(outcome: HttpAnswer | NodeJS.ErrnoException, attempt: number, now: number): number | undefined {
  const backoffMs = 250 * 2 ** (attempt - 1)
  if (outcome instanceof Error) return ['ECONNRESET', 'EPIPE', 'EAI_AGAIN'].includes(outcome.code ?? '') ? backoffMs : undefined
  if (![429, 502, 503, 504].includes(outcome.status)) return undefined
  const header = outcome.headers['retry-after']
  if (header === undefined) return backoffMs
  const waitMs = /^\d+$/.test(header) ? Number(header) * 1000 : Math.max(Date.parse(header) - now, 0)
  return Number.isNaN(waitMs) ? backoffMs : waitMs <= longestPauseMs ? waitMs : undefined
}

async function sendOnce(request: HttpRequest, agent: Agent, { signal, timeoutMs }: HttpOptions): Promise<HttpAnswer> {
  const client = request.url.protocol === 'https:' ? await import('node:https') : await import('node:http')
  const deadline = AbortSignal.timeout(timeoutMs)
  const options: RequestOptions = {
    agent,
    method: request.method,
    headers: { 'user-agent': 'stagecraft', ...request.headers },
    signal: signal ? AbortSignal.any([signal, deadline]) : deadline,
  }
  return new Promise((resolve, reject) => {
    const outgoing = client.request(request.url, options, (incoming) => {
      const chunks: Buffer[] = []
      let length = 0
      incoming.on('data', (chunk: Buffer) => {
        chunks.push(chunk)
        length += chunk.length
        if (length > bodyLimitBytes) incoming.destroy(new Error(`the answer is larger than ${bodyLimitBytes} bytes`))
      })
      incoming.on('end', () => resolve({ status: incoming.statusCode ?? 0, headers: incoming.headers, body: Buffer.concat(chunks) }))
      incoming.on('error', reject)
    })
    outgoing.on('error', (error) => reject(deadline.aborted ? deadline.reason : error))
    outgoing.end(request.body)
  })
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
async function openAgent({ protocol, host }: URL, certificatesDirectory: string): Promise<Trusting> {
  if (protocol === 'http:') return { agent: new (await import('node:http')).Agent({ keepAlive: true }) }
  const { Agent } = await import('node:https')
  if (isLoopback(host)) return { agent: new Agent({ keepAlive: true, rejectUnauthorized: false }) }
  const added = await addedCertificates(join(certificatesDirectory, host))
  if (added.length === 0) return { agent: new Agent({ keepAlive: true }) }
  const { createSecureContext } = await import('node:tls')
  const trusting: Trusting = {
    // One for all connections: reading a certificate takes milliseconds each time.
    agent: new Agent({ keepAlive: true, secureContext: createSecureContext({ ca: [...added] }) }),
    async widen() {
      const { rootCertificates } = await import('node:tls')
      const own = process.env['NODE_EXTRA_CA_CERTS']
      const extra = own === undefined ? [] : [await readFile(own, 'utf8')]
      trusting.agent = new Agent({ keepAlive: true, secureContext: createSecureContext({ ca: [...rootCertificates, ...extra, ...added] }) })
    },
  }
  return trusting
}

function isDistrust(outcome: HttpAnswer | NodeJS.ErrnoException): boolean {
  return outcome instanceof Error && distrustCodes.test(outcome.code ?? '')
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
  { signal, timeoutMs, certificatesDirectory }: HttpOptions,
): TaskFailure {
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
