/**
 * `transfer`: brings a built image to a host without a registry, over the connection that carries everything else.
 *
 * Of the image's layers only those go that the host lacks: an image that is loaded may leave out what the engine has, wherever it got that
 * from. Some megabytes at a time, each part an image of its own until the rest has come, so that a lost connection loses little.
 */
import { z } from 'zod'
import type { ActionResult, TaskId } from '../graph/types.ts'
import { defineTask, type Look, type TaskContext, TaskFailure } from './kind.ts'
import type { Host, ImageShelf, NamedImage } from './ports.ts'
import { defaultMinFreeBytes, requireSpace } from './rolling/free-space.ts'
import { imageDigest, isPart, isSent, sentReference } from './transferring/names.ts'
import { type Sending, send } from './transferring/send.ts'

const paramsSchema = z.lazy(() =>
  z.strictObject({
    service: z.string(),
    host: z.string(),
    /** Without tag. */
    repository: z.string(),
    /** Id of the task whose image this is: a `build`, or the `pin` of a rollback. */
    image: z.string(),
    /** Names of hosts that may have it when this machine does not. */
    others: z.array(z.string()),
    /** Nothing is sent when less is free where the host keeps images. Default: 1 GiB. */
    minFreeBytes: z.number().int().min(0).nullable(),
  }),
)
export type TransferParams = z.infer<typeof paramsSchema>
type Params = TransferParams

export const transfer = defineTask<Params>({
  name: 'transfer',
  version: 1,
  summary: 'brings an image to a host over SSH, sending only the layers it lacks',
  freshness: 'effect',
  /** Of what was built now it stands for a push; a rollback pushes nothing, and brings what it needs as it rolls. */
  phaseOf: ({ image }) => (image.startsWith('pin:') ? 'rollout' : 'push'),
  pool: 'host',
  exclusive: true,
  params: paramsSchema,
  title: ({ service, host }) => `send ${service} to ${host}`,
  /** Who else might have it, and how much room there must be, make no other image. */
  identity: ({ service, host, repository, image }) => ({ service, host, repository, image }),
  /** Not the content tag: it changes when the image does not. */
  select: (_params, _need, result) => ({ digest: wantedImage(result).digest }),

  async observe(params, context): Promise<Look> {
    const { digest, names } = wanted(params, context)
    const images = await context.ports.host(params.host).images.named(params.repository)
    const there = images.find((image) => isSent(image, params.repository, digest))
    if (there === undefined) {
      const isTaken = images.some(({ tags }) => tags.includes(names[0] ?? ''))
      const detail = isTaken ? `another image has its name on ${params.host}` : `${short(digest)} is not on ${params.host}`
      return { fresh: false, because: { reason: isTaken ? 'drift' : 'absent', detail } }
    }
    if (missingNames(there, names).length > 0)
      return { fresh: false, because: { reason: 'drift', detail: `${short(digest)} is on ${params.host} without the tag of this build` } }
    return { fresh: true, result: resultOf(params, digest), detail: `${short(digest)} is on ${params.host}` }
  },

  async run(params, context): Promise<ActionResult> {
    const { digest, names } = wanted(params, context)
    const { repository } = params
    const host = context.ports.host(params.host)
    const there = (await host.images.named(repository)).find((image) => isSent(image, repository, digest))
    if (there === undefined) await bring(params, host, digest, names, context)
    else await name(host, sentReference(repository, digest), missingNames(there, names), context)
    for (const part of await namesOfParts(host, repository)) {
      await context.guard()
      await host.images.untag(part)
    }
    return resultOf(params, digest)
  },
})

/** @throws TaskFailure when nobody has it, or it arrived as another. */
async function bring(params: Params, host: Host, digest: string, names: readonly string[], context: TaskContext): Promise<void> {
  const { repository, service } = params
  const { from, what, layers } = await source(params, digest, context)
  await requireSpace(host, params.minFreeBytes ?? defaultMinFreeBytes)
  const sending: Sending = { host, repository, digest, names, reference: sentReference(repository, digest), layers, from, context }
  const said = await send(sending, what)
  context.log(said)
  const images = await host.images.named(repository)
  if (images.some((image) => isSent(image, repository, digest))) return
  throw new TaskFailure({
    reason: 'missing-output',
    subject: service,
    message: `${params.host} took ${sentReference(repository, digest)} and does not have it`,
    remedy: 'look whether something prunes images on the host while we deploy, and deploy again',
  })
}

interface Source {
  readonly from: ImageShelf
  /** For people. */
  readonly what: string
  readonly layers: readonly string[]
}

/** This machine's engine before other hosts. What other hosts give is checked against the digest, as everything is. */
async function source(params: Params, digest: string, context: TaskContext): Promise<Source> {
  const { ports, signal } = context
  const reference = sentReference(params.repository, digest)
  const local = await ports.builder.layers(reference)
  if (local !== undefined) return { from: ports.builder, what: 'this machine', layers: local }
  for (const name of params.others) {
    const { images } = ports.host(name)
    try {
      const held = await images.named(params.repository)
      const layers = held.some((image) => isSent(image, params.repository, digest)) ? await images.layers(reference) : undefined
      if (layers !== undefined) return { from: images, what: name, layers }
    } catch (error) {
      if (!(error instanceof TaskFailure) || signal.aborted) throw error
      context.log(`${name} could not be asked for the image: ${error.failure.message}`)
    }
  }
  const isPinned = params.image.startsWith('pin:')
  throw new TaskFailure({
    reason: 'missing-output',
    subject: params.service,
    message: `${reference}, the image of ${params.service}, is not on ${params.host}, and neither this machine nor another host has it`,
    remedy: isPinned ? 'roll back from the machine that built it, or to another release' : `build it again: --force=${params.image}`,
  })
}

async function name(host: Host, reference: string, names: readonly string[], context: TaskContext): Promise<void> {
  for (const missing of names) {
    await context.guard()
    await host.images.tag(reference, missing)
  }
}

/** Of this transfer, and of earlier ones that were cut short. */
async function namesOfParts(host: Host, repository: string): Promise<readonly string[]> {
  const images = await host.images.named(repository)
  return images.flatMap(({ tags }) => tags.filter((tag) => isPart(tag, repository)))
}

function missingNames({ tags }: NamedImage, names: readonly string[]): readonly string[] {
  return names.filter((wantedName) => !tags.includes(wantedName))
}

/** The first name says which image it is; the second, where there is one, what it was built from. */
function wanted(params: Params, context: TaskContext): { readonly digest: string; readonly names: readonly string[] } {
  const { digest, tag } = wantedImage(context.needs.get(params.image as TaskId))
  const content = tag === undefined ? [] : [`${params.repository}:${tag}`]
  return { digest, names: [sentReference(params.repository, digest), ...content] }
}

/** What a `build` or a `pin` yielded. */
function wantedImage(result: ActionResult | undefined): { readonly digest: string; readonly tag?: string } {
  const digest = imageDigest(result)
  const tag = result?.values['tag']
  if (digest === undefined) throw new Error('not the result of a build or a pin')
  return typeof tag === 'string' ? { digest, tag } : { digest }
}

function resultOf({ repository }: Params, digest: string): ActionResult {
  return { files: {}, values: { repository, digest } }
}

/** As much of a digest as a person compares. */
function short(digest: string): string {
  return digest.slice(0, 'sha256:'.length + 12)
}
