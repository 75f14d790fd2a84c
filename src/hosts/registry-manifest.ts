/** Manifests and indexes of images: https://github.com/opencontainers/image-spec/blob/main/image-index.md. */
import { createHash } from 'node:crypto'
import { TaskFailure } from '../../tasks/kind.ts'
import type { ImageManifest } from '../../tasks/ports.ts'
import type { ImageReference } from './image-reference.ts'
import { type AskRegistry, unexpected } from './registry-session.ts'

const indexType = 'application/vnd.oci.image.index.v1+json'
const imageTypes = ['application/vnd.oci.image.manifest.v1+json', 'application/vnd.docker.distribution.manifest.v2+json']

/** A manifest's digest is that of its bytes, whatever a header says. @throws TaskFailure for what is none, or not the one asked for. */
export function readManifest({ registry, digest: wanted }: ImageReference, body: Buffer): ImageManifest {
  const digest = digestOfBytes(body)
  const content = contentOf(body.toString('utf8'))
  if (content === undefined || (wanted !== undefined && wanted !== digest)) {
    const message =
      content === undefined ? `${registry} answered with something that is no manifest` : `${registry} holds other content under ${wanted}`
    throw new TaskFailure({ reason: 'refused', subject: registry, message, remedy: 'look at the registry, or at the proxy in front of it' })
  }
  return { digest, ...content }
}

/** @returns the index's digest. @throws TaskFailure when the registry lacks one of the images, or refuses the index. */
export async function writeIndex(reference: ImageReference, images: Readonly<Record<string, string>>, ask: AskRegistry): Promise<string> {
  const manifests = await Promise.all(
    Object.keys(images)
      .sort()
      .map(async (platform) => {
        const digest = images[platform] ?? ''
        const answer = await ask(reference, { method: 'GET', target: `manifests/${digest}`, headers: { accept: imageTypes.join(', ') } })
        if (answer.status !== 200) throw unexpected(reference.registry, answer)
        const [os = '', architecture = '', variant] = platform.split('/')
        const { mediaType } = JSON.parse(answer.body.toString('utf8')) as { mediaType?: string }
        return {
          mediaType: mediaType ?? imageTypes[0],
          digest,
          size: answer.body.length,
          platform: { architecture, os, ...(variant !== undefined && { variant }) },
        }
      }),
  )
  const body = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: indexType, manifests }))
  const headers = { 'content-type': indexType, 'content-length': String(body.length) }
  const answer = await ask(reference, { method: 'PUT', target: `manifests/${reference.tag}`, headers, body })
  if (answer.status !== 201) throw unexpected(reference.registry, answer)
  return digestOfBytes(body)
}

function digestOfBytes(bytes: Buffer): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`
}

interface Entry {
  readonly digest?: unknown
  readonly platform?: { readonly os?: unknown; readonly architecture?: unknown; readonly variant?: unknown }
}

function contentOf(text: string): Omit<ImageManifest, 'digest'> | undefined {
  try {
    const { config, manifests } = JSON.parse(text) as { config?: { digest?: unknown }; manifests?: readonly Entry[] }
    if (Array.isArray(manifests)) return { platforms: platformsOf(manifests) }
    return typeof config?.digest === 'string' ? { imageId: config.digest } : undefined
  } catch {
    return undefined
  }
}

/** Attestations are listed too, for a platform called `unknown`. */
function platformsOf(entries: readonly Entry[]): Readonly<Record<string, string>> {
  const known = entries.flatMap(({ digest, platform }): [string, string][] => {
    const parts = [platform?.os, platform?.architecture, platform?.variant].filter((part) => typeof part === 'string' && part !== '')
    return typeof digest !== 'string' || parts.length < 2 || parts[0] === 'unknown' ? [] : [[parts.join('/'), digest]]
  })
  return Object.fromEntries(known)
}
