/** Cache entries as OCI manifests (https://github.com/opencontainers/image-spec/blob/main/manifest.md, artifacts). Pure. */
import { digestOf } from '../../graph/fingerprint.ts'
import type { Digest, Fingerprint } from '../../graph/types.ts'
import { isObject, parseObject } from '../foreign.ts'
import type { BlobReference } from '../remote-store.ts'

/** Of every manifest we write, and the only kind we read. */
export const manifestType = 'application/vnd.oci.image.manifest.v1+json'
const artifactType = 'application/vnd.stagecraft.action.v1+json'
const blobType = 'application/octet-stream'

/** What OCI gives artifacts that have no configuration. */
const emptyConfigBytes = Buffer.from('{}')
export const emptyConfig = { bytes: emptyConfigBytes, digest: digestOf(emptyConfigBytes) }

/** So many layers stay well below the 4 MiB that registries take as a manifest. */
const longestManifestLayers = 10_000
/** An entry up to this size stands in its manifest too, so that reading it takes one request. */
const longestEmbeddedBytes = 64 * 1024

export interface Descriptor {
  readonly digest: Digest
  /** Base64. */
  readonly data?: string
}

/** Where the entry of an action is. `part` above 0: where blobs are named that the entry's own manifest has no room for. */
export function actionTag(key: Fingerprint, part = 0): string {
  return part === 0 ? `ac-${key}` : `ac-${key}.${part}`
}

/** The manifests to write, each under its tag, in the order in which to write them. The same entry yields the same bytes. */
export function entryManifests(key: Fingerprint, entry: Uint8Array, blobs: readonly BlobReference[]): [tag: string, body: Buffer][] {
  const embedded = entry.length <= longestEmbeddedBytes ? { data: Buffer.from(entry).toString('base64') } : {}
  const first = { mediaType: artifactType, digest: `sha256:${digestOf(entry)}`, size: entry.length, ...embedded }
  const unique = new Map(blobs.map(({ digest, size }) => [digest, { mediaType: blobType, digest: `sha256:${digest}`, size }]))
  const layers = [...unique.values()].sort((a, b) => (a.digest < b.digest ? -1 : 1))
  const manifests: [string, Buffer][] = []
  for (let from = 0; from === 0 || from < layers.length; from += longestManifestLayers) {
    const part = from / longestManifestLayers
    const own = layers.slice(from, from + longestManifestLayers)
    manifests.push([actionTag(key, part), manifest(part === 0 ? [first, ...own] : own)])
  }
  return manifests.reverse()
}

function manifest(layers: readonly object[]): Buffer {
  const config = { mediaType: 'application/vnd.oci.empty.v1+json', digest: `sha256:${emptyConfig.digest}`, size: emptyConfig.bytes.length }
  return Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: manifestType, artifactType, config, layers }))
}

/** Where the text of a manifest says that its entry is; undefined when it is no manifest of ours. */
export function readEntry(text: string): Descriptor | undefined {
  const layers = parseObject(text)?.['layers']
  const layer: unknown = Array.isArray(layers) ? layers[0] : undefined
  if (!isObject(layer) || layer['mediaType'] !== artifactType) return undefined
  const { digest, data } = layer
  const [, hex] = /^sha256:([0-9a-f]{64})$/.exec(typeof digest === 'string' ? digest : '') ?? []
  if (hex === undefined) return undefined
  return { digest: hex as Digest, ...(typeof data === 'string' ? { data } : {}) }
}
