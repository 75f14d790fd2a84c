/**
 * A remote cache in the protocol of Bazel's HTTP cache (https://bazel.build/remote/caching#http-caching): GET, HEAD and PUT of `/ac/<fingerprint>`
 * and `/cas/<digest>`. Any server that keeps files will do: nginx with DAV, bazel-remote, a bucket's HTTP front.
 */
import type { Agent } from 'node:http'
import { codeOf, messageOf } from '../foreign.ts'
import type { RemoteStore } from '../remote-store.ts'
import { largestEntryBytes } from '../signed-entry.ts'
import { exchange, type HttpAnswer, type HttpRequest, longestBlobBytes } from './exchange.ts'

export interface HttpStoreOptions {
  /** Without user and password; entries and blobs are below it. */
  readonly url: URL
  /** Value of the `Authorization` header. */
  readonly authorization?: string
}

/** As many as are asked at once: see `tiered-guard.ts`. */
const connections = 24
/** Of an answer that is only there to say what went wrong. */
const longestMessageBytes = 64 * 1024

/** Opens nothing yet: connections are made by the first request, and kept. Redirects are not followed, as they would take the token along. */
export function openHttpStore({ url, authorization }: HttpStoreOptions): RemoteStore {
  const base = `${url.origin}${url.pathname.replace(/\/+$/, '')}`
  let opened: Promise<Agent> | undefined
  const agent = (): Promise<Agent> => {
    opened ??= openAgent(url.protocol)
    return opened
  }

  async function ask(method: HttpRequest['method'], path: string, signal: AbortSignal, limitBytes: number, body?: Uint8Array) {
    const headers = {
      'accept-encoding': 'identity',
      ...(authorization === undefined ? {} : { authorization }),
      ...(body && { 'content-type': 'application/octet-stream' }),
    }
    const request: HttpRequest = { method, url: new URL(`${base}${path}`), headers, ...(body && { body }) }
    const attempt = async () => exchange(request, { agent: await agent(), signal, limitBytes })
    try {
      return await attempt().catch((error: unknown) => {
        // Mostly a kept connection that the server had just closed; all requests here may be repeated.
        if (!signal.aborted && ['ECONNRESET', 'EPIPE'].includes(codeOf(error) ?? '')) return attempt()
        throw error
      })
    } catch (error) {
      if (signal.aborted) throw signal.reason
      throw new Error(`${method} ${base}${path} failed: ${messageOf(error)}`, { cause: error })
    }
  }

  async function read(path: string, signal: AbortSignal, limitBytes: number): Promise<Uint8Array | undefined> {
    const answer = await ask('GET', path, signal, limitBytes)
    if (answer.status === 404) return undefined
    if (answer.status === 200) return answer.body
    throw unexpected('GET', path, answer)
  }

  async function write(path: string, bytes: Uint8Array, signal: AbortSignal): Promise<void> {
    const answer = await ask('PUT', path, signal, longestMessageBytes, bytes)
    if (answer.status < 200 || answer.status > 299) throw unexpected('PUT', path, answer)
  }

  function unexpected(method: string, path: string, { status, headers }: HttpAnswer): Error {
    const leadsTo = status >= 300 && status < 400 ? `; it leads to ${headers.location ?? 'nowhere'}, and redirects are not followed` : ''
    return new Error(`${method} ${base}${path} was answered with ${status}${hints[status] ?? leadsTo}`)
  }

  return {
    name: base,
    readAction: (key, signal) => read(`/ac/${key}`, signal, largestEntryBytes),
    writeAction: (key, bytes, signal) => write(`/ac/${key}`, bytes, signal),
    async hasBlob(digest, signal) {
      const answer = await ask('HEAD', `/cas/${digest}`, signal, longestMessageBytes)
      if (answer.status === 200) return true
      // A server that knows no HEAD is sent the blob.
      if ([404, 405, 501].includes(answer.status)) return false
      throw unexpected('HEAD', `/cas/${digest}`, answer)
    },
    readBlob: (digest, signal, size = longestBlobBytes) => read(`/cas/${digest}`, signal, Math.max(size, longestMessageBytes)),
    writeBlob: (digest, bytes, signal) => write(`/cas/${digest}`, bytes, signal),
    async close() {
      ;(await opened)?.destroy()
    },
  }
}

/** What people do about it. */
const hints: Readonly<Record<number, string>> = {
  401: ': it wants a token or a password',
  403: ': it does not allow that',
  405: ': it takes no uploads there',
  413: ': that is too large for it',
  507: ': its disk is full',
}

async function openAgent(protocol: string): Promise<Agent> {
  const { Agent } = protocol === 'https:' ? await import('node:https') : await import('node:http')
  return new Agent({ keepAlive: true, maxSockets: connections })
}
