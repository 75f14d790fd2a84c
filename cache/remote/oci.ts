/**
 * Cache entries in a repository of an OCI registry (https://github.com/opencontainers/distribution-spec/blob/main/spec.md, v1.1).
 * Blobs are the registry's blobs, by the same digest. An entry is a tagged manifest whose layers are the entry and all that it names,
 * because a registry throws away what no manifest names.
 */
import { digestOf } from '../../graph/fingerprint.ts'
import type { Digest, Fingerprint } from '../../graph/types.ts'
import type { BlobFile, BlobReference, RemoteStore } from '../remote-store.ts'
import { type HttpAnswer, type HttpBody, longestHeldBytes } from './exchange.ts'
import { actionTag, type Descriptor, emptyConfig, entryManifests, manifestType, readEntry } from './oci-manifest.ts'
import { storeError } from './store-error.ts'

/** One request to the repository. */
export interface OciRequest {
  readonly method: 'GET' | 'HEAD' | 'POST' | 'PUT'
  /** Below `/v2/<repository>/`, or what a `Location` said. */
  readonly target: string
  readonly headers: Readonly<Record<string, string>>
  readonly body?: HttpBody
  /** A file: what a 200 answers with is written to it. */
  readonly into?: string
  /** The longest answer that is read. */
  readonly limitBytes: number
}

/** How the registry is reached: who we are to it, which certificates it may show, how long it may keep us waiting. */
export interface OciTransport {
  /**
   * Answers with any status but a denial. Reads are followed to where the registry keeps its blobs.
   * @throws Error when there is no answer, or the registry denies.
   */
  send(request: OciRequest, signal: AbortSignal): Promise<HttpAnswer>
  /** Takes out what `send` knows to be secret. */
  redact(text: string): string
  close(): Promise<void>
}

export interface OciStoreOptions {
  /** `oci://registry.example.com/acme/shop-cache` */
  readonly name: string
  readonly transport: OciTransport
}

const manifestLimitBytes = 4 * 1024 * 1024
const emptyBlob = digestOf('')

/** Sends nothing before it is asked something. */
export function openOciStore({ name, transport }: OciStoreOptions): RemoteStore {
  const failure = (what: string, answer: HttpAnswer): Error =>
    storeError(`${name}: ${what}`, answer, registryCode(answer), transport.redact)
  let hasConfig = false

  async function hasBlob(digest: Digest, signal: AbortSignal): Promise<boolean> {
    // Registries differ on whether there can be a blob of no bytes. We know what is in it.
    if (digest === emptyBlob) return true
    const answer = await transport.send({ method: 'HEAD', target: blobPath(digest), headers: {}, limitBytes: 0 }, signal)
    if (answer.status === 200) return true
    if (answer.status === 404) return false
    throw failure(`looking for blob ${digest}`, answer)
  }

  /** The whole answer to a GET, or undefined when there is no such blob. */
  async function getBlob(
    digest: Digest,
    signal: AbortSignal,
    parts: Pick<OciRequest, 'limitBytes' | 'into'>,
  ): Promise<HttpAnswer | undefined> {
    const answer = await transport.send({ method: 'GET', target: blobPath(digest), headers: {}, ...parts }, signal)
    if (answer.status === 200) return answer
    if (answer.status === 404) return undefined
    throw failure(`reading blob ${digest}`, answer)
  }

  async function readBlob(digest: Digest, signal: AbortSignal, size?: number): Promise<Uint8Array | undefined> {
    if (digest === emptyBlob) return new Uint8Array()
    const limitBytes = size === undefined ? longestHeldBytes : Math.max(size, manifestLimitBytes)
    return (await getBlob(digest, signal, { limitBytes }))?.body
  }

  async function writeBlob(digest: Digest, content: Uint8Array | BlobFile, signal: AbortSignal): Promise<void> {
    if (digest === emptyBlob) return
    const what = `writing blob ${digest}`
    let answer = await upload(digest, content, what, signal)
    // A registry forgets an upload that was cut off; one that begins anew is a new upload to it.
    if (answer.status === 404 || answer.status === 416) answer = await upload(digest, content, what, signal)
    if (answer.status !== 201 && answer.status !== 204) throw failure(what, answer)
    const stored = answer.headers['docker-content-digest']
    if (typeof stored === 'string' && stored !== `sha256:${digest}`) throw failure(`${what}: it was stored as ${stored}`, answer)
  }

  async function upload(digest: Digest, body: HttpBody, what: string, signal: AbortSignal): Promise<HttpAnswer> {
    const begun = await transport.send({ method: 'POST', target: 'blobs/uploads/', headers: {}, limitBytes: manifestLimitBytes }, signal)
    const { location } = begun.headers
    if (begun.status !== 202 || location === undefined) throw failure(what, begun)
    // The rest of the location is the registry's own business, to the letter.
    const target = `${location}${location.includes('?') ? '&' : '?'}digest=${encodeURIComponent(`sha256:${digest}`)}`
    const headers = { 'content-type': 'application/octet-stream' }
    return transport.send({ method: 'PUT', target, headers, body, limitBytes: manifestLimitBytes }, signal)
  }

  /** The one blob that all entries share, looked for once. */
  async function ensureConfig(signal: AbortSignal): Promise<void> {
    if (hasConfig) return
    if (!(await hasBlob(emptyConfig.digest, signal))) await writeBlob(emptyConfig.digest, emptyConfig.bytes, signal)
    hasConfig = true
  }

  const readManifest = (tag: string, signal: AbortSignal): Promise<HttpAnswer> =>
    transport.send({ method: 'GET', target: `manifests/${tag}`, headers: { accept: manifestType }, limitBytes: manifestLimitBytes }, signal)

  async function writeManifest(tag: string, body: Uint8Array, signal: AbortSignal): Promise<void> {
    const headers = { 'content-type': manifestType }
    const answer = await transport.send(
      { method: 'PUT', target: `manifests/${tag}`, headers, body, limitBytes: manifestLimitBytes },
      signal,
    )
    if (answer.status === 201 || answer.status === 200) return
    // Some registries let no tag be written twice: the same entry again is what we wanted all the same.
    const there = answer.status === 429 || answer.status >= 500 ? undefined : await readManifest(tag, signal)
    if (there?.status === 200 && there.body.equals(body)) return
    const why = there?.status === 200 ? ' (another entry is there, which the registry does not let be replaced)' : ''
    throw failure(`writing tag ${tag}${why}`, answer)
  }

  async function entryOf(layer: Descriptor, signal: AbortSignal): Promise<Uint8Array> {
    const bytes = layer.data === undefined ? await readBlob(layer.digest, signal) : Buffer.from(layer.data, 'base64')
    if (bytes !== undefined && digestOf(bytes) === layer.digest) return bytes
    throw new Error(`${name}: the entry that a manifest names, ${layer.digest}, is ${bytes === undefined ? 'missing' : 'other content'}`)
  }

  return {
    name,
    hasBlob,
    readBlob,
    downloadBlob: async (digest, path, signal, size) =>
      (await getBlob(digest, signal, { limitBytes: Math.max(size, manifestLimitBytes), into: path })) !== undefined,
    writeBlob,

    async readAction(key, signal) {
      const answer = await readManifest(actionTag(key), signal)
      if (answer.status === 404) return undefined
      if (answer.status !== 200) throw failure(`reading tag ${actionTag(key)}`, answer)
      const layer = readEntry(answer.body.toString('utf8'))
      if (layer === undefined) throw new Error(`${name}: what has tag ${actionTag(key)} is no cache entry`)
      return entryOf(layer, signal)
    },

    async writeAction(key: Fingerprint, bytes: Uint8Array, signal: AbortSignal, blobs: readonly BlobReference[] = []) {
      const digest = digestOf(bytes)
      const named = blobs.filter((blob) => blob.digest !== emptyBlob)
      await Promise.all([ensureConfig(signal), writeBlob(digest, bytes, signal)])
      // The one that is read comes last.
      for (const [tag, body] of entryManifests(key, bytes, named)) await writeManifest(tag, body, signal)
    },

    close: () => transport.close(),
  }
}

const blobPath = (digest: Digest): string => `blobs/sha256:${digest}`

/** `DENIED: quota exceeded`: https://github.com/opencontainers/distribution-spec/blob/main/spec.md#error-codes */
function registryCode({ body }: HttpAnswer): string | undefined {
  try {
    const { errors } = JSON.parse(body.toString('utf8')) as { errors?: readonly { code?: unknown; message?: unknown }[] }
    const [first] = Array.isArray(errors) ? errors : []
    const parts = [first?.code, first?.message].filter((part) => typeof part === 'string' && part !== '')
    return parts.length === 0 ? undefined : parts.join(': ')
  } catch {
    return undefined
  }
}
