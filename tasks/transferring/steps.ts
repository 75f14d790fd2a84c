/** In which parts an image goes to a host. Pure. */
import type { PackedLayer } from '../ports.ts'

/** What was sent stays when the connection is lost after this much more of it. */
const stepBytes = 8 * 1024 * 1024

/**
 * How many of the lowest layers are there: a layer is unpacked onto those below it, so it counts only when all of them are the same.
 * @param stacks layers of images that are there.
 */
export function layersThere(layers: readonly string[], stacks: readonly (readonly string[])[]): number {
  let most = 0
  for (const stack of stacks) {
    let same = 0
    while (same < layers.length && stack[same] === layers[same]) same++
    most = Math.max(most, same)
  }
  return most
}

/** Numbers of layers that are there after each step; the last is all of them. Each step but the last sends at least some megabytes. */
export function steps(layers: readonly string[], there: number, packed: ReadonlyMap<string, Pick<PackedLayer, 'packedBytes'>>): number[] {
  const ends: number[] = []
  let bytes = 0
  for (let index = there; index < layers.length - 1; index++) {
    bytes += packed.get(layers[index] ?? '')?.packedBytes ?? 0
    if (bytes < stepBytes) continue
    ends.push(index + 1)
    bytes = 0
  }
  return [...ends, layers.length]
}

/** The configuration of an image that is nothing but the lowest layers of another. */
export function partConfig(config: Uint8Array, layers: readonly string[]): Buffer {
  const { architecture, os, variant } = JSON.parse(Buffer.from(config).toString('utf8')) as Readonly<Record<string, string | undefined>>
  const platform = { architecture, os, ...(variant === undefined ? {} : { variant }) }
  return Buffer.from(JSON.stringify({ ...platform, config: {}, rootfs: { type: 'layers', diff_ids: layers } }))
}

/** `640 kB`, `1.2 MB`. */
export function sizeText(bytes: number): string {
  if (bytes < 999_500) return `${Math.ceil(bytes / 1000)} kB`
  return bytes < 999_500_000 ? `${(bytes / 1e6).toFixed(1)} MB` : `${(bytes / 1e9).toFixed(1)} GB`
}
