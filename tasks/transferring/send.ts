/** Sends what a host lacks of an image. */
import { type TaskContext, TaskFailure } from '../kind.ts'
import type { Host, ImageShelf, SpooledImage } from '../ports.ts'
import { partReference } from './names.ts'
import { layersThere, partConfig, sizeText, steps } from './steps.ts'

export interface Sending {
  readonly host: Host
  readonly repository: string
  /** Of its configuration. */
  readonly digest: string
  /** What it is called where it comes from. */
  readonly reference: string
  /** What it is to be called on the host. */
  readonly names: readonly string[]
  readonly layers: readonly string[]
  readonly from: ImageShelf
  readonly context: TaskContext
}

/** @param what the source, for people. @returns one line about what was sent. @throws TaskFailure */
export async function send(sending: Sending, what: string): Promise<string> {
  const { host, repository, layers, context } = sending
  const there = layersThere(layers, await host.images.stacks(repository))
  try {
    return await sendAbove(sending, there, what)
  } catch (error) {
    const isIncomplete = error instanceof TaskFailure && error.failure.reason === 'missing-output'
    if (!isIncomplete || there === 0 || context.signal.aborted) throw error
    // Removed since we looked, or an engine that wants whole images.
    context.log(`${host.name} does not take a part of the image, so all of it is sent: ${error.failure.message}`)
    return sendAbove(sending, 0, what)
  }
}

async function sendAbove(sending: Sending, there: number, what: string): Promise<string> {
  const { host, repository, digest, reference, layers, names, from, context } = sending
  const missing = layers.slice(there)
  const image = await context.ports.spool.take({ from, reference, digest, layers, wanted: missing }, context.signal)
  const sum = (chosen: readonly string[]) => chosen.reduce((bytes, diffId) => bytes + (image.packed.get(diffId)?.packedBytes ?? 0), 0)
  const total = sum([...new Set(missing)])
  if (missing.length > 0)
    context.log(`sending ${missing.length} of ${layers.length} layers from ${what} to ${host.name}, ${sizeText(total)}`)
  let start = there
  for (const end of steps(layers, there, image.packed)) {
    await context.guard()
    const isLast = end === layers.length
    const part = layers.slice(0, end)
    await host.images.load(
      {
        config: isLast ? image.config : partConfig(image.config, part),
        layers: part.map((diffId) => ({ diffId, bytes: image.sizes.get(diffId) ?? 0 })),
        sent: packedOf(image, layers.slice(start, end)),
        names: isLast ? names : [partReference(repository, part.at(-1) ?? '')],
      },
      context.signal,
    )
    start = end
    if (!isLast) context.log(`sent ${end - there} of ${missing.length} layers, ${sizeText(sum(layers.slice(there, end)))}`)
  }
  if (missing.length === 0) return `all ${layers.length} layers were on ${host.name}: nothing but the image's description was sent`
  return `sent ${missing.length} of ${layers.length} layers, ${sizeText(total)}`
}

/** Each once: an image may have the same layer twice. */
function packedOf(image: SpooledImage, layers: readonly string[]) {
  return [...new Set(layers)].map((diffId) => {
    const packed = image.packed.get(diffId)
    if (packed === undefined) throw new Error(`layer ${diffId} was not spooled`)
    return packed
  })
}
