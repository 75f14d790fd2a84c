/**
 * An image as `docker image load` takes it: an OCI image layout (https://github.com/opencontainers/image-spec, `image-layout.md`), for
 * engines with containerd's store, and beside it the `manifest.json` that the others read. Layers are named by their unpacked digests, so
 * that the same image makes the same manifest on every machine; packed is the archive as a whole, each layer a gzip member of its own.
 */
import { createHash } from 'node:crypto'
import { gzipSync } from 'node:zlib'
import type { ImagePart } from '../../tasks/ports.ts'
import { parseReference } from './image-reference.ts'
import { tarBlock, tarPadding, writeTarHeader } from './tar-header.ts'

export interface ImageArchive {
  /** Packed: what goes over the wire. */
  readonly bytes: number
  read(): AsyncIterable<Buffer>
}

const types = {
  index: 'application/vnd.oci.image.index.v1+json',
  manifest: 'application/vnd.oci.image.manifest.v1+json',
  config: 'application/vnd.oci.image.config.v1+json',
  layer: 'application/vnd.oci.image.layer.v1.tar',
} as const

export function imageArchive({ config, layers, sent, names }: ImagePart): ImageArchive {
  const described = describe(Buffer.from(config), layers, names)
  const small = Object.entries(described).map(([name, bytes]) => file(name, bytes))
  const members: (Buffer | ImagePart['sent'][number])[] = []
  let plain = Buffer.concat(small)
  for (const layer of sent) {
    members.push(gzipSync(Buffer.concat([plain, writeTarHeader(blob(layer.diffId), layer.bytes)])), layer)
    plain = Buffer.alloc(tarPadding(layer.bytes))
  }
  members.push(gzipSync(Buffer.concat([plain, Buffer.alloc(2 * tarBlock)])))
  const bytes = members.reduce((sum, member) => sum + (Buffer.isBuffer(member) ? member.length : member.packedBytes), 0)
  return {
    bytes,
    async *read() {
      for (const member of members) {
        if (Buffer.isBuffer(member)) yield member
        else yield* member.open() as AsyncIterable<Buffer>
      }
    },
  }
}

function describe(config: Buffer, layers: ImagePart['layers'], names: readonly string[]): Readonly<Record<string, Buffer>> {
  const configured = descriptor(types.config, config)
  const manifest = json({
    schemaVersion: 2,
    mediaType: types.manifest,
    config: configured,
    layers: layers.map(({ diffId, bytes }) => ({ mediaType: types.layer, digest: diffId, size: bytes })),
  })
  const listed = descriptor(types.manifest, manifest)
  const manifests = names.map((name) => ({ ...listed, annotations: annotations(name) }))
  const paths = layers.map(({ diffId }) => blob(diffId))
  return {
    'oci-layout': json({ imageLayoutVersion: '1.0.0' }),
    'index.json': json({ schemaVersion: 2, mediaType: types.index, manifests }),
    'manifest.json': json([{ Config: blob(configured.digest), RepoTags: names, Layers: paths }]),
    [blob(configured.digest)]: config,
    [blob(listed.digest)]: manifest,
  }
}

/** containerd wants the whole name, with the registry that Docker leaves out. */
function annotations(name: string): Readonly<Record<string, string>> {
  const { registry, repository, tag = 'latest' } = parseReference(name)
  return { 'io.containerd.image.name': `${registry}/${repository}:${tag}`, 'org.opencontainers.image.ref.name': tag }
}

function descriptor(mediaType: string, bytes: Buffer) {
  return { mediaType, digest: `sha256:${createHash('sha256').update(bytes).digest('hex')}`, size: bytes.length }
}

function blob(digest: string): string {
  return `blobs/${digest.replace(':', '/')}`
}

function file(name: string, bytes: Buffer): Buffer {
  return Buffer.concat([writeTarHeader(name, bytes.length), bytes, Buffer.alloc(tarPadding(bytes.length))])
}

function json(value: unknown): Buffer {
  return Buffer.from(JSON.stringify(value))
}
