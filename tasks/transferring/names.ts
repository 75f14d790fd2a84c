/** What images that were sent are called on a host. Pure. */
import type { ActionResult } from '../../graph/types.ts'
import type { NamedImage } from '../ports.ts'

/**
 * Names an image by its configuration's digest, so that it says what it is and no other image is ever given it. A tag, for an engine that
 * got an image from no registry knows no digest of its manifest.
 */
export function sentReference(repository: string, digest: string): string {
  return `${repository}:${digest.replace(':', '-')}`
}

/** What holds layers that have arrived until the rest of their image has. */
export function partReference(repository: string, lastLayer: string): string {
  return `${partPrefix(repository)}${lastLayer.slice('sha256:'.length, 'sha256:'.length + 32)}`
}

export function isPart(name: string, repository: string): boolean {
  return name.startsWith(partPrefix(repository))
}

function partPrefix(repository: string): string {
  return `${repository}:part-`
}

/** Is it what its name says? Engines with containerd's store call an image by its manifest: there the name is all there is. */
export function isSent(image: NamedImage, repository: string, digest: string): boolean {
  if (!image.tags.includes(sentReference(repository, digest))) return false
  return image.id === digest || isCalledByManifest(image)
}

/** True in containerd's store: what an image is called there is the digest of its manifest, not of its configuration. */
export function isCalledByManifest({ id, digests }: NamedImage): boolean {
  return digests.some((name) => name.endsWith(`@${id}`))
}

/** Which image has a name, if one we sent has it: its configuration's digest. */
export function sentDigest(images: readonly NamedImage[], repository: string, name: string): string | undefined {
  const image = images.find(({ tags }) => tags.includes(name))
  const pattern = /^sha256-([0-9a-f]{64})$/
  const digests = (image?.tags ?? [])
    .filter((tag) => tag.startsWith(`${repository}:`))
    .flatMap((tag) => pattern.exec(tag.slice(repository.length + 1))?.[1] ?? [])
    .map((hex) => `sha256:${hex}`)
  return image && digests.find((digest) => isSent(image, repository, digest))
}

/** Which image a `push`, a `pin` or a `build` yielded: what a registry calls it, or, where none is in play, its configuration's digest. */
export function imageDigest(result: ActionResult | undefined): string | undefined {
  const digest = result?.values['digest'] ?? result?.values['imageId']
  return typeof digest === 'string' ? digest : undefined
}
