/**
 * A remote cache in the protocol of Bazel's HTTP cache (https://bazel.build/remote/caching#http-caching): GET, HEAD and PUT of `/ac/<fingerprint>`
 * and `/cas/<digest>`. Any server that keeps files will do: nginx with DAV, bazel-remote, a bucket's HTTP front.
 */
import { messageOf } from '../foreign.ts'
import type { RemoteStore } from '../remote-store.ts'
import { largestEntryBytes } from '../signed-entry.ts'
import { type Connections, openConnections } from './connections.ts'
import { exchange, type HttpAnswer, type HttpBody, type HttpRequest, longestHeldBytes } from './exchange.ts'
import { type Pause, patiently, pauseFor } from './patience.ts'

export interface HttpStoreOptions {
  /** Without user and password; entries and blobs are below it. */
  readonly url: URL
  /** Value of the `Authorization` header. */
  readonly authorization?: string
  /** Through which it is reached. */
  readonly proxy?: URL
  /** For how long a server that asks for patience is waited for, from the first question on. Default: see `patience.ts`. */
  readonly patienceMs?: number
  /** Waits between attempts. */
  readonly pause?: Pause
}

/** As many as are asked at once: see `tiered-guard.ts`. */
const maxSockets = 48
/** Of an answer that is only there to say what went wrong. */
const longestMessageBytes = 64 * 1024

/** Opens nothing yet: connections are made by the first request, and kept. Redirects are not followed, as they would take the token along. */
export function openHttpStore({ url, authorization, proxy, patienceMs, pause = pauseFor }: HttpStoreOptions): RemoteStore {
  const base = `${url.origin}${url.pathname.replace(/\/+$/, '')}`
  let opened: Promise<Connections> | undefined

  async function ask(
    method: HttpRequest['method'],
    path: string,
    { signal, limitBytes, body, into }: { signal: AbortSignal; limitBytes: number; body?: HttpBody; into?: string },
  ): Promise<HttpAnswer> {
    const headers = {
      'accept-encoding': 'identity',
      ...(authorization === undefined ? {} : { authorization }),
      ...(body !== undefined && { 'content-type': 'application/octet-stream' }),
    }
    const url = new URL(`${base}${path}`)
    const request: HttpRequest = { method, url, headers, ...(body !== undefined && { body }), ...(into !== undefined && { into }) }
    try {
      opened ??= openConnections(url, { maxSockets, proxy })
      const connections = await opened
      return await patiently(() => exchange(request, { ...connections, signal, limitBytes }), { signal, pause, patienceMs })
    } catch (error) {
      if (signal.aborted) throw signal.reason
      throw new Error(`${method} ${base}${path} failed: ${messageOf(error)}`, { cause: error })
    }
  }

  async function read(path: string, signal: AbortSignal, limitBytes: number): Promise<Uint8Array | undefined> {
    const answer = await ask('GET', path, { signal, limitBytes })
    if (answer.status === 404) return undefined
    if (answer.status === 200) return answer.body
    throw unexpected('GET', path, answer)
  }

  async function write(path: string, body: HttpBody, signal: AbortSignal): Promise<void> {
    const answer = await ask('PUT', path, { signal, limitBytes: longestMessageBytes, body })
    if (answer.status < 200 || answer.status > 299) throw unexpected('PUT', path, answer)
  }

  function unexpected(method: string, path: string, { status, headers }: HttpAnswer): Error {
    const leadsTo = status >= 300 && status < 400 ? `; it leads to ${headers.location ?? 'nowhere'}, and redirects are not followed` : ''
    const after = headers['retry-after'] === undefined ? '' : `; it asks to be left alone ${untilText(headers['retry-after'])}`
    return new Error(`${method} ${base}${path} was answered with ${status}${hints[status] ?? leadsTo}${after}`)
  }

  return {
    name: base,
    readAction: (key, signal) => read(`/ac/${key}`, signal, largestEntryBytes),
    writeAction: (key, bytes, signal) => write(`/ac/${key}`, bytes, signal),
    async hasBlob(digest, signal) {
      const answer = await ask('HEAD', `/cas/${digest}`, { signal, limitBytes: longestMessageBytes })
      if (answer.status === 200) return true
      // A server that knows no HEAD is sent the blob.
      if ([404, 405, 501].includes(answer.status)) return false
      throw unexpected('HEAD', `/cas/${digest}`, answer)
    },
    readBlob: (digest, signal, size = longestHeldBytes) => read(`/cas/${digest}`, signal, Math.max(size, longestMessageBytes)),
    async downloadBlob(digest, path, signal, size) {
      const answer = await ask('GET', `/cas/${digest}`, { signal, limitBytes: Math.max(size, longestMessageBytes), into: path })
      if (answer.status === 200) return true
      if (answer.status === 404) return false
      throw unexpected('GET', `/cas/${digest}`, answer)
    },
    writeBlob: (digest, content, signal) => write(`/cas/${digest}`, content, signal),
    async close() {
      ;(await opened)?.agent.destroy()
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

/** `Retry-After`: seconds, or a date. */
function untilText(header: string): string {
  return /^\d+$/.test(header) ? `for ${header} s` : `until ${header.slice(0, 40)}`
}
