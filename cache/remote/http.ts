/**
 * A remote cache in the protocol of Bazel's HTTP cache (https://bazel.build/remote/caching#http-caching): GET, HEAD and PUT of `/ac/<fingerprint>`
 * and `/cas/<digest>`. Any server that keeps files will do: nginx with DAV, bazel-remote, a bucket's HTTP front.
 */
import type { Agent, IncomingMessage, RequestOptions } from 'node:http'
import type { RemoteStore } from '../remote-store.ts'
import { largestEntryBytes } from '../signed-entry.ts'
import { largestBlobBytes } from '../signed-result.ts'

export interface HttpStoreOptions {
  /** Without user and password; entries and blobs are below it. */
  readonly url: URL
  /** Value of the `Authorization` header. */
  readonly authorization?: string
}

interface Asked {
  readonly method: 'GET' | 'HEAD' | 'PUT'
  /** Below the store's URL. */
  readonly path: string
  readonly signal: AbortSignal
  readonly body?: Uint8Array
  /** More is refused, unread. */
  readonly limitBytes: number
}

interface Answered {
  readonly status: number
  readonly body: Uint8Array
}

/** As many as are asked at once: see `tiered-guard.ts`. */
const connections = 24
/** Of an answer that is only there to say what went wrong. */
const largestMessageBytes = 64 * 1024

/** Opens nothing yet: connections are made by the first request, and kept. */
export function openHttpStore({ url, authorization }: HttpStoreOptions): RemoteStore {
  const base = `${url.origin}${url.pathname.replace(/\/+$/, '')}`
  let loaded: Promise<Client> | undefined
  const client = (): Promise<Client> => {
    loaded ??= load(url.protocol)
    return loaded
  }

  async function ask(asked: Asked): Promise<Answered> {
    const { request, agent } = await client()
    const headers = {
      'user-agent': 'stagecraft',
      'accept-encoding': 'identity',
      ...(authorization === undefined ? {} : { authorization }),
      ...(asked.body && { 'content-type': 'application/octet-stream', 'content-length': asked.body.byteLength }),
    }
    const options: RequestOptions = { agent, method: asked.method, headers, signal: asked.signal }
    try {
      return await send(request, `${base}${asked.path}`, options, asked)
    } catch (error) {
      if (asked.signal.aborted) throw asked.signal.reason
      throw new Error(`${asked.method} ${base}${asked.path} failed: ${error instanceof Error ? error.message : String(error)}`)
    }
  }

  async function read(path: string, signal: AbortSignal, limitBytes: number): Promise<Uint8Array | undefined> {
    const { status, body } = await ask({ method: 'GET', path, signal, limitBytes })
    if (status === 404) return undefined
    if (status === 200) return body
    throw unexpected('GET', path, status)
  }

  async function write(path: string, body: Uint8Array, signal: AbortSignal): Promise<void> {
    const { status } = await ask({ method: 'PUT', path, signal, body, limitBytes: largestMessageBytes })
    if (status < 200 || status > 299) throw unexpected('PUT', path, status)
  }

  function unexpected(method: string, path: string, status: number): Error {
    const hint = hints[status] ?? (status >= 300 && status < 400 ? 'redirects are not followed: name the address it leads to' : undefined)
    return new Error(`${method} ${base}${path} was answered with ${status}${hint === undefined ? '' : ` (${hint})`}`)
  }

  return {
    name: base,
    readAction: (key, signal) => read(`/ac/${key}`, signal, largestEntryBytes),
    writeAction: (key, bytes, signal) => write(`/ac/${key}`, bytes, signal),
    async hasBlob(digest, signal) {
      const { status } = await ask({ method: 'HEAD', path: `/cas/${digest}`, signal, limitBytes: 0 })
      if (status === 200) return true
      // A server that knows no HEAD is sent the blob.
      if (status === 404 || status === 405 || status === 501) return false
      throw unexpected('HEAD', `/cas/${digest}`, status)
    },
    readBlob: (digest, signal, size = largestBlobBytes) => read(`/cas/${digest}`, signal, size),
    writeBlob: (digest, bytes, signal) => write(`/cas/${digest}`, bytes, signal),
    async close() {
      ;(await loaded)?.agent.destroy()
    },
  }
}

const hints: Readonly<Record<number, string>> = {
  401: 'it wants a token or a password',
  403: 'not allowed',
  405: 'it does not take uploads',
  413: 'too large for this server',
  507: 'its disk is full',
}

type Request = typeof import('node:http').request

interface Client {
  readonly request: Request
  readonly agent: Agent
}

/** TLS takes 20 ms to load, and not everybody's cache is behind it. */
async function load(protocol: string): Promise<Client> {
  const { request, Agent } = protocol === 'https:' ? await import('node:https') : await import('node:http')
  return { request, agent: new Agent({ keepAlive: true, maxSockets: connections }) }
}

/** One request. A kept connection that the server has just closed is no failure: it is asked again on a new one. */
async function send(request: Request, url: string, options: RequestOptions, asked: Asked, isRepeated = false): Promise<Answered> {
  let wasKept = false
  try {
    return await new Promise<Answered>((resolve, reject) => {
      const outgoing = request(url, options, (incoming) => readAnswer(incoming, asked.limitBytes).then(resolve, reject))
      outgoing.on('error', (error) => {
        wasKept = outgoing.reusedSocket
        reject(error)
      })
      outgoing.end(asked.body)
    })
  } catch (error) {
    const isClosed = ['ECONNRESET', 'EPIPE'].includes((error as NodeJS.ErrnoException).code ?? '')
    if (!wasKept || !isClosed || isRepeated || asked.signal.aborted) throw error
    return send(request, url, options, asked, true)
  }
}

function readAnswer(incoming: IncomingMessage, limitBytes: number): Promise<Answered> {
  const status = incoming.statusCode ?? 0
  const limit = status === 200 ? limitBytes : largestMessageBytes
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    let length = 0
    incoming.on('data', (chunk: Buffer) => {
      chunks.push(chunk)
      length += chunk.length
      if (length > limit) incoming.destroy(new Error(`the answer is larger than ${limit} bytes`))
    })
    incoming.on('end', () => resolve({ status, body: Buffer.concat(chunks) }))
    incoming.on('error', reject)
    // Cut off before all that was promised had come.
    incoming.on('aborted', () => reject(new Error('the connection was cut off within the answer')))
  })
}
