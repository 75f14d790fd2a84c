/**
 * Cache entries as objects of any S3-compatible store: `<prefix>/ac/<aa>/<hex>`, `<prefix>/cas/<aa>/<hex>`. Needs nothing but to
 * read and write single objects: no listing, no deleting, no conditions.
 */
import type { Agent } from 'node:http'
import type { LookupFunction } from 'node:net'
import { digestOf } from '../../graph/fingerprint.ts'
import type { Digest, Fingerprint } from '../../graph/types.ts'
import { codeOf, messageOf } from '../foreign.ts'
import type { RemoteStore } from '../remote-store.ts'
import { exchange, type HttpAnswer, longestBlobBytes } from './exchange.ts'
import { type Pause, patiently, pauseFor } from './patience.ts'
import { explainRefusal, readRefusal } from './s3-error.ts'
import { objectUrl, type S3Location } from './s3-location.ts'
import { type S3Credentials, signedHeaders } from './s3-signature.ts'
import { storeError } from './store-error.ts'

export interface S3StoreOptions {
  readonly location: S3Location
  /** Asked once, before the first request. Undefined: nothing is signed. */
  readonly credentials: () => Promise<S3Credentials | undefined>
  /** Waits between attempts. */
  readonly pause?: Pause
  /** How the endpoint's name becomes an address; the system's way unless told. */
  readonly lookup?: LookupFunction
  /** Default: this machine's clock. */
  readonly now?: () => Date
}

type Method = 'GET' | 'HEAD' | 'PUT'

/** Enough to keep a wire full. */
const maximumSockets = 12
const refusalLimitBytes = 64 * 1024
const noBody = digestOf('')

/** Sends nothing, and asks for no credentials, before it is asked something. */
export function openS3Store(options: S3StoreOptions): RemoteStore {
  const { location, credentials, pause = pauseFor, now = () => new Date() } = options
  let asked: Promise<S3Credentials | undefined> | undefined
  let opened: Promise<Agent> | undefined

  async function send(method: Method, key: string, signal: AbortSignal, body?: Uint8Array, digest: string = noBody): Promise<HttpAnswer> {
    signal.throwIfAborted()
    asked ??= credentials()
    opened ??= openAgent(options)
    const [known, agent] = await Promise.all([asked, opened])
    const url = objectUrl(location, key)
    const plain: Record<string, string> = method === 'PUT' ? { 'content-type': 'application/octet-stream' } : {}
    const limitBytes = method === 'GET' ? longestBlobBytes : refusalLimitBytes
    const once = () => {
      // Signed anew each time: a signature is good for minutes.
      const headers = known
        ? signedHeaders({ method, url, headers: plain, bodyDigest: digest }, { ...location, credentials: known, now: now() })
        : plain
      return exchange({ method, url, headers, ...(body === undefined ? {} : { body }) }, { agent, signal, limitBytes })
    }
    return patiently(once, { signal, pause }).catch((error: unknown) => {
      throw unanswered(`${location.name}: ${verbs[method]} ${key}`, location.endpoint.host, error, signal)
    })
  }

  async function refused(method: Method, key: string, answer: HttpAnswer): Promise<Error> {
    const known = await asked
    const secrets = [known?.secretAccessKey, known?.sessionToken, known?.accessKeyId].filter((secret) => secret !== undefined)
    const redact = (text: string) => secrets.reduce((shown, secret) => shown.replaceAll(secret, '***'), text)
    const said = explainRefusal(answer, location, known !== undefined, now().getTime())
    return storeError(`${location.name}: ${verbs[method]} ${key}`, answer, said, redact)
  }

  async function read(key: string, signal: AbortSignal): Promise<Uint8Array | undefined> {
    const answer = await send('GET', key, signal)
    if (answer.status === 200) return answer.body
    // No bucket is not the same as no object.
    if (answer.status === 404 && readRefusal(answer).code !== 'NoSuchBucket') return undefined
    throw await refused('GET', key, answer)
  }

  async function write(key: string, bytes: Uint8Array, digest: string, signal: AbortSignal): Promise<void> {
    const answer = await send('PUT', key, signal, bytes, digest)
    if (answer.status !== 200) throw await refused('PUT', key, answer)
  }

  return {
    name: location.name,
    readAction: (key, signal) => read(actionKey(key), signal),
    writeAction: (key, bytes, signal) => write(actionKey(key), bytes, digestOf(bytes), signal),
    async hasBlob(digest, signal) {
      const answer = await send('HEAD', blobKey(digest), signal)
      if (answer.status === 200) return true
      if (answer.status === 404) return false
      throw await refused('HEAD', blobKey(digest), answer)
    },
    readBlob: (digest, signal) => read(blobKey(digest), signal),
    // The digest enters the signature: a server that checks it takes no other bytes under this name.
    writeBlob: (digest, bytes, signal) => write(blobKey(digest), bytes, digest, signal),
    async close() {
      ;(await opened)?.destroy()
    },
  }
}

const verbs: Readonly<Record<Method, string>> = { GET: 'reading', HEAD: 'looking for', PUT: 'writing' }
const actionKey = (key: Fingerprint): string => `ac/${key.slice(0, 2)}/${key}`
const blobKey = (digest: Digest): string => `cas/${digest.slice(0, 2)}/${digest}`

async function openAgent({ location, lookup }: S3StoreOptions): Promise<Agent> {
  const { Agent } = location.endpoint.protocol === 'https:' ? await import('node:https') : await import('node:http')
  return new Agent({ keepAlive: true, maxSockets: maximumSockets, ...(lookup && { lookup }) })
}

function unanswered(what: string, host: string, cause: unknown, signal: AbortSignal): Error {
  const reason: unknown = signal.aborted ? signal.reason : undefined
  const isLate = reason instanceof Error && reason.name === 'TimeoutError'
  const isBroken = ['ECONNRESET', 'EPIPE'].includes(codeOf(cause) ?? '')
  const why = isLate
    ? `${host} did not answer in the time it had`
    : signal.aborted
      ? `the request to ${host} was interrupted`
      : isBroken
        ? `${host} broke the connection off`
        : `there is no answer from ${host}: ${messageOf(cause)}`
  return new Error(`${what}: ${why}`, { cause })
}
