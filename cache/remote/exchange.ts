/** One HTTP request and its whole answer. Decides nothing: no retries, no authorization, no redirects. */
import type { Agent, ClientRequest, IncomingHttpHeaders, IncomingMessage } from 'node:http'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'

export interface HttpRequest {
  readonly method: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'DELETE'
  readonly url: URL
  readonly headers: Readonly<Record<string, string>>
  readonly body?: string | Uint8Array
}

export interface HttpAnswer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly body: Buffer
}

export interface ExchangeOptions {
  readonly agent: Agent
  readonly signal: AbortSignal
  /** An answer with more bytes than this is not read to its end. */
  readonly limitBytes: number
}

/** The largest blob that is sent or taken: what the stores hold is in memory while it travels. */
export const longestBlobBytes = 512 * 1024 * 1024

const sliceBytes = 1024 * 1024

/**
 * Sends the request and reads the answer, whatever its status.
 * @throws Error as Node gives it when the connection fails or is cut, AbortError when the signal ends it.
 */
export async function exchange(request: HttpRequest, { agent, signal, limitBytes }: ExchangeOptions): Promise<HttpAnswer> {
  const client = request.url.protocol === 'https:' ? await import('node:https') : await import('node:http')
  const body = typeof request.body === 'string' ? Buffer.from(request.body) : request.body
  const headers: Record<string, string> = { 'user-agent': 'stagecraft', ...request.headers }
  if (request.method === 'POST' || request.method === 'PUT') headers['content-length'] = String(body?.length ?? 0)
  return new Promise((resolve, reject) => {
    let isAnswered = false
    // A server that refuses a body answers, and then stops listening: what it said counts, not that the rest could not be sent.
    const unsent = (error: Error): void => {
      if (!isAnswered) reject(error)
    }
    const outgoing = client.request(request.url, { agent, method: request.method, headers, signal }, (incoming) => {
      isAnswered = true
      readWhole(incoming, request.method === 'HEAD' ? 0 : limitBytes).then(resolve, reject)
    })
    outgoing.on('error', unsent)
    sendBody(outgoing, body).catch(unsent)
  })
}

/** In slices, each once the one before is gone: encryption copies all that it is handed at once. */
async function sendBody(outgoing: ClientRequest, body: Uint8Array | undefined): Promise<void> {
  if (body === undefined || body.length <= sliceBytes) {
    outgoing.end(body)
    return
  }
  const slices = function* (): Generator<Uint8Array> {
    for (let from = 0; from < body.length; from += sliceBytes) yield body.subarray(from, from + sliceBytes)
  }
  await pipeline(Readable.from(slices()), outgoing)
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
