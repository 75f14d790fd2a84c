/** One HTTP request and its whole answer. Decides nothing: no retries, no authorization, no redirects. */
import { createReadStream, createWriteStream } from 'node:fs'
import type { ClientRequest, IncomingHttpHeaders, IncomingMessage } from 'node:http'
import { Readable, Transform } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { Connections } from './connections.ts'

export interface HttpRequest {
  readonly method: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'DELETE'
  readonly url: URL
  readonly headers: Readonly<Record<string, string>>
  readonly body?: HttpBody
  /** A file: what a 200 answers with is written to it, from its beginning, rather than held. */
  readonly into?: string
}

/** Bytes, or a file that holds them. */
export type HttpBody = string | Uint8Array | { readonly path: string; readonly sizeBytes: number }

export interface HttpAnswer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  /** Empty when it went into a file. */
  readonly body: Buffer
}

export interface ExchangeOptions extends Connections {
  readonly signal: AbortSignal
  /** An answer with more bytes than this is not read to its end. */
  readonly limitBytes: number
}

/** The most that is held in memory of one answer. */
export const longestHeldBytes = 512 * 1024 * 1024

const sliceBytes = 1024 * 1024

/**
 * Sends the request and reads the answer, whatever its status.
 * @throws Error as Node gives it when the connection fails or is cut, AbortError when the signal ends it.
 */
export async function exchange(request: HttpRequest, { agent, forwarder, signal, limitBytes }: ExchangeOptions): Promise<HttpAnswer> {
  const client = (forwarder?.url ?? request.url).protocol === 'https:' ? await import('node:https') : await import('node:http')
  const body = typeof request.body === 'string' ? Buffer.from(request.body) : request.body
  const headers: Record<string, string> = { 'user-agent': 'stagecraft', ...request.headers }
  if (request.method === 'POST' || request.method === 'PUT') headers['content-length'] = String(sizeOf(body))
  return new Promise((resolve, reject) => {
    let isAnswered = false
    // A server that refuses a body answers, and then stops listening: what it said counts, not that the rest could not be sent.
    const unsent = (error: Error): void => {
      if (!isAnswered) reject(error)
    }
    const target = forwarder
      ? { path: request.url.href, headers: { host: request.url.host, ...headers, ...forwarder.headers } }
      : { headers }
    const outgoing = client.request(forwarder?.url ?? request.url, { agent, method: request.method, signal, ...target }, (incoming) => {
      isAnswered = true
      const isFiled = request.into !== undefined && incoming.statusCode === 200
      const read = isFiled ? intoFile(incoming, request.into, limitBytes) : readWhole(incoming, request.method === 'HEAD' ? 0 : limitBytes)
      read.then(resolve, reject)
    })
    outgoing.on('error', unsent)
    sendBody(outgoing, body).catch(unsent)
  })
}

/** In slices, each once the one before is gone: encryption copies all that it is handed at once. */
async function sendBody(outgoing: ClientRequest, body: Exclude<HttpBody, string> | undefined): Promise<void> {
  if (body !== undefined && 'path' in body) {
    // No more than was announced, should the file have grown.
    const bytes =
      body.sizeBytes === 0 ? Readable.from([]) : createReadStream(body.path, { highWaterMark: sliceBytes, end: body.sizeBytes - 1 })
    await pipeline(bytes, outgoing)
    return
  }
  if (body === undefined || body.length <= sliceBytes) {
    outgoing.end(body)
    return
  }
  const slices = function* (): Generator<Uint8Array> {
    for (let from = 0; from < body.length; from += sliceBytes) yield body.subarray(from, from + sliceBytes)
  }
  await pipeline(Readable.from(slices()), outgoing)
}

function sizeOf(body: Exclude<HttpBody, string> | undefined): number {
  if (body === undefined) return 0
  return 'path' in body ? body.sizeBytes : body.length
}

async function intoFile(incoming: IncomingMessage, path: string, limitBytes: number): Promise<HttpAnswer> {
  let length = 0
  const bounded = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      length += chunk.length
      if (length > limitBytes) done(tooLong(incoming, limitBytes))
      else done(null, chunk)
    },
  })
  await pipeline(incoming, bounded, createWriteStream(path))
  return { status: incoming.statusCode ?? 0, headers: incoming.headers, body: Buffer.alloc(0) }
}

async function readWhole(incoming: IncomingMessage, limitBytes: number): Promise<HttpAnswer> {
  const status = incoming.statusCode ?? 0
  const announced = limitBytes === 0 ? 0 : Number(incoming.headers['content-length'] ?? 0)
  const chunks: Buffer[] = []
  // Where the length is known, the bytes are put in place as they come, rather than held twice at the end.
  const whole = announced > 0 && announced <= limitBytes ? Buffer.allocUnsafeSlow(announced) : undefined
  let length = 0
  if (announced > limitBytes) throw tooLong(incoming, limitBytes)
  for await (const chunk of incoming as AsyncIterable<Buffer>) {
    if (length + chunk.length > limitBytes) throw tooLong(incoming, limitBytes)
    if (whole) chunk.copy(whole, length)
    else chunks.push(chunk)
    length += chunk.length
  }
  return { status, headers: incoming.headers, body: whole?.subarray(0, length) ?? Buffer.concat(chunks, length) }
}

function tooLong(incoming: IncomingMessage, limitBytes: number): Error {
  incoming.destroy()
  return new Error(`the answer is larger than ${limitBytes} bytes`)
}
