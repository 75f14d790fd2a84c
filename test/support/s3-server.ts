/**
 * A bucket in memory that lets nobody in without a good signature. The check is written from the server's side of the protocol (raw
 * headers and the raw request line) and shares no code with our signer.
 */
import { createHash, createHmac, timingSafeEqual } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { bodyOf, type HttpListener, type LoopbackServer, serveHttp } from './loopback.ts'

export interface S3ServerOptions {
  readonly bucket: string
  readonly region: string
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly sessionToken?: string
}

export interface S3Server extends LoopbackServer {
  /** By key, as the address spells it. */
  readonly objects: Map<string, Buffer>
  /** `GET /bucket/key`, as they came. */
  readonly requests: string[]
  /** Asked before the server itself; true when it has answered. */
  intercept: (request: IncomingMessage, response: ServerResponse) => boolean
}

export async function s3Server(options: S3ServerOptions): Promise<S3Server> {
  const [objects, requests] = [new Map<string, Buffer>(), [] as string[]]
  const listener: HttpListener = async (request, response) => {
    requests.push(`${request.method} ${request.url}`)
    if (server.intercept(request, response)) return
    const body = await bodyOf(request)
    const refuse = (status: number, code: string) =>
      void response
        .writeHead(status)
        .end(request.method === 'HEAD' ? undefined : `<Error><Code>${code}</Code><Message>no</Message></Error>`)
    const trouble = unsigned(request, body, options)
    if (trouble !== undefined) return refuse(403, trouble)
    const { bucket, key } = placeOf(request)
    if (bucket !== options.bucket) return refuse(404, 'NoSuchBucket')
    if (request.method === 'PUT') {
      objects.set(key, body)
      response.writeHead(200, { etag: '"x"' }).end()
      return
    }
    const object = objects.get(key)
    if (object === undefined) return refuse(404, 'NoSuchKey')
    response.writeHead(200, { 'content-length': String(object.length) }).end(request.method === 'HEAD' ? undefined : object)
  }
  const server: S3Server = { ...(await serveHttp(listener)), objects, requests, intercept: () => false }
  return server
}

/** `bucket.s3.localhost` names a bucket in the host, any other host has it in the path. */
function placeOf({ headers, url = '' }: IncomingMessage): { bucket: string; key: string } {
  const [, virtual] = /^(.+)\.s3\.localhost(?::\d+)?$/.exec(headers.host ?? '') ?? []
  const path = (url.split('?')[0] ?? '').slice(1)
  if (virtual !== undefined) return { bucket: virtual, key: path }
  const slash = path.indexOf('/')
  return { bucket: path.slice(0, slash), key: path.slice(slash + 1) }
}

/** The error code for what is wrong with a request's signature; undefined when nothing is. */
function unsigned(request: IncomingMessage, body: Buffer, options: S3ServerOptions): string | undefined {
  const { authorization, 'x-amz-date': date, 'x-amz-content-sha256': digest } = request.headers as Record<string, string | undefined>
  const form =
    /^AWS4-HMAC-SHA256 Credential=([^/]+)\/(\d{8})\/([^/]+)\/s3\/aws4_request, ?SignedHeaders=([a-z0-9;-]+), ?Signature=([0-9a-f]{64})$/
  const [, id, day, region, names = '', signature = ''] = form.exec(authorization ?? '') ?? []
  if (id === undefined || date === undefined || digest === undefined) return 'AccessDenied'
  if (id !== options.accessKeyId) return 'InvalidAccessKeyId'
  if (region !== options.region || !date.startsWith(day ?? '-')) return 'AuthorizationHeaderMalformed'
  const time = Date.parse(date.replace(/^(....)(..)(..)T(..)(..)(..)Z$/, '$1-$2-$3T$4:$5:$6Z'))
  if (!(Math.abs(Date.now() - time) < 15 * 60_000)) return 'RequestTimeTooSkewed'
  if (request.headers['x-amz-security-token'] !== options.sessionToken) return 'InvalidToken'
  const mustBeSigned = Object.keys(request.headers).filter((name) => name === 'host' || name.startsWith('x-amz-'))
  const listed = names.split(';')
  if (mustBeSigned.some((name) => !listed.includes(name))) return 'AccessDenied'
  if (createHash('sha256').update(body).digest('hex') !== digest) return 'XAmzContentSHA256Mismatch'
  const [path = '', query = ''] = (request.url ?? '').split('?')
  let canonical = `${request.method}\n${path}\n${query}\n`
  for (const name of listed) canonical += `${name}:${request.headers[name]}\n`
  canonical += `\n${names}\n${digest}`
  const hmac = (key: Buffer | string, text: string) => createHmac('sha256', key).update(text, 'utf8').digest()
  const dayKey = hmac(`AWS4${options.secretAccessKey}`, day ?? '')
  const signingKey = hmac(hmac(hmac(dayKey, region), 's3'), 'aws4_request')
  const scope = `${day}/${region}/s3/aws4_request`
  const expected = hmac(signingKey, `AWS4-HMAC-SHA256\n${date}\n${scope}\n${createHash('sha256').update(canonical).digest('hex')}`)
  return timingSafeEqual(expected, Buffer.from(signature, 'hex')) ? undefined : 'SignatureDoesNotMatch'
}
