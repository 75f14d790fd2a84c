/**
 * One image for several kinds of machines. Each is built and pushed by itself, which every builder can do, also one that cannot build for
 * two at once; an index under the content tag then names them all.
 */
import { digestOfJson } from '../../graph/fingerprint.ts'
import type { Builder, Registry } from '../ports.ts'

/** The tag one of them has in the engine and in the registry: `sc-0123-linux-arm64`. */
export function platformReference(reference: string, platform: string): string {
  return `${reference}-${platform.replaceAll('/', '-')}`
}

/** What stands for all of them: the same for the same images, as the id of one image is. */
export function combinedId(images: Readonly<Record<string, string>>): string {
  return `sha256:${digestOfJson(images)}`
}

/** The combined id of what the engine holds; undefined when one of them is not there. */
export async function combinedHere(
  reference: string,
  platforms: readonly string[],
  builder: Pick<Builder, 'imageId'>,
): Promise<string | undefined> {
  const ids = await Promise.all(platforms.map((platform) => builder.imageId(platformReference(reference, platform))))
  return combined(platforms, ids)
}

/** The image id a registry has under a tag: that of the one image, or the combined id of all that are wanted. */
export async function heldId(
  reference: string,
  platforms: readonly string[],
  registry: Pick<Registry, 'manifest'>,
): Promise<{ readonly digest: string; readonly imageId?: string } | undefined> {
  const manifest = await registry.manifest(reference)
  if (manifest === undefined || platforms.length < 2) return manifest
  const repository = reference.replace(/:[^:/]+$/, '')
  const ids = await Promise.all(
    platforms.map(async (platform) => {
      const digest = manifest.platforms?.[platform]
      return digest === undefined ? undefined : (await registry.manifest(`${repository}@${digest}`))?.imageId
    }),
  )
  const imageId = combined(platforms, ids)
  return { digest: manifest.digest, ...(imageId !== undefined && { imageId }) }
}

function combined(platforms: readonly string[], ids: readonly (string | undefined)[]): string | undefined {
  const known = ids.filter((id) => id !== undefined)
  if (known.length < platforms.length) return undefined
  return combinedId(Object.fromEntries(platforms.map((platform, index) => [platform, known[index] ?? ''])))
}
