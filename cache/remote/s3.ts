/**
 * Cache entries as objects of any S3-compatible store: `<prefix>/ac/<aa>/<hex>`, `<prefix>/cas/<aa>/<hex>`. Needs nothing but to
 * read and write single objects: no listing, no deleting, no conditions.
 */
import type { LookupFunction } from 'node:net'
import { digestOf } from '../../graph/fingerprint.ts'
import type { Digest, Fingerprint } from '../../graph/types.ts'
import { codeOf, messageOf } from '../foreign.ts'
import type { RemoteStore } from '../remote-store.ts'
import { type Connections, openConnections } from './connections.ts'
import { exchange, type HttpAnswer, type HttpBody, longestHeldBytes } from './exchange.ts'
import { type Pause, patiently, pauseFor } from './patience.ts'
import { explainRefusal, readRefusal } from './s3-error.ts'
import { objectUrl, type S3Location } from './s3-location.ts'
import { type S3Credentials, signedHeaders } from './s3-signature.ts'
import { storeError } from './store-error.ts'

export interface S3StoreOptions {
  readonly location: S3Location
  /** Asked once, before the first request. Undefined: nothing is signed. */
  readonly credentials: () => Promise<S3Credentials | undefined>
  /** Through which it is reached. */
  readonly proxy?: URL
  /** For how long a server that asks for patience is waited for, from the first question on. Default: see `patience.ts`. */
  readonly patienceMs?: number
  /** Waits between attempts. */
  readonly pause?: Pause
  /** How the endpoint's name becomes an address; the system's way unless told. */
  readonly lookup?: LookupFunction
  /** Default: this machine's clock. */
  readonly now?: () => Date
}

type Method = 'GET' | 'HEAD' | 'PUT'

interface Parts {
  /** The longest answer that is read; as long as a refusal may be unless told. */
  readonly limitBytes?: number
  readonly body?: HttpBody
  /** Of the body, which is signed. */
  readonly digest?: string
  /** The file an object is written to. */
  readonly into?: string
}

/** Enough to keep a wire full. */
const maxSockets = 48
const refusalLimitBytes = 64 * 1024
const noBody = digestOf('')

/** Sends nothing, and asks for no credentials, before it is asked something. */
export function openS3Store(options: S3StoreOptions): RemoteStore {
  const { location, credentials, patienceMs, pause = pauseFor, now = () => new Date() } = options
  let asked: Promise<S3Credentials | undefined> | undefined
  let opened: Promise<Connections> | undefined

  async function send(
    method: Method,
    key: string,
    signal: AbortSignal,
    { limitBytes = refusalLimitBytes, digest = noBody, ...parts }: Parts = {},
  ): Promise<HttpAnswer> {
    signal.throwIfAborted()
    const url = objectUrl(location, key)
    asked ??= credentials()
    opened ??= openConnections(url, { maxSockets, lookup: options.lookup, proxy: options.proxy })
    const [known, connections] = await Promise.all([asked, opened])
    const plain: Record<string, string> = method === 'PUT' ? { 'content-type': 'application/octet-stream' } : {}
    const once = () => {
      // Signed anew each time: a signature is good for minutes.
      const headers = known
        ? signedHeaders({ method, url, headers: plain, bodyDigest: digest }, { ...location, credentials: known, now: now() })
        : plain
      return exchange({ method, url, headers, ...parts }, { ...connections, signal, limitBytes })
    }
    return patiently(once, { signal, pause, patienceMs }).catch((error: unknown) => {
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

  /** The whole answer to a GET, or undefined when there is no such object. */
  async function get(key: string, signal: AbortSignal, parts: Parts): Promise<HttpAnswer | undefined> {
    const answer = await send('GET', key, signal, parts)
    if (answer.status === 200) return answer
    // No bucket is not the same as no object.
    if (answer.status === 404 && readRefusal(answer).code !== 'NoSuchBucket') return undefined
    throw await refused('GET', key, answer)
  }

  const read = async (key: string, signal: AbortSignal, limitBytes = longestHeldBytes): Promise<Uint8Array | undefined> =>
    (await get(key, signal, { limitBytes }))?.body

  async function write(key: string, body: HttpBody, digest: string, signal: AbortSignal): Promise<void> {
    const answer = await send('PUT', key, signal, { body, digest })
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
    readBlob: (digest, signal, size) => read(blobKey(digest), signal, size && Math.max(size, refusalLimitBytes)),
    downloadBlob: async (digest, path, signal, size) =>
      (await get(blobKey(digest), signal, { limitBytes: Math.max(size, refusalLimitBytes), into: path })) !== undefined,
    // The digest enters the signature: a server that checks it takes no other bytes under this name.
    writeBlob: (digest, content, signal) => write(blobKey(digest), content, digest, signal),
    async close() {
      ;(await opened)?.agent.destroy()
    },
  }
}

const verbs: Readonly<Record<Method, string>> = { GET: 'reading', HEAD: 'looking for', PUT: 'writing' }
const actionKey = (key: Fingerprint): string => `ac/${key.slice(0, 2)}/${key}`
const blobKey = (digest: Digest): string => `cas/${digest.slice(0, 2)}/${digest}`

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
