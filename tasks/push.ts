/**
 * `push`: brings a built image into its registry, under the build's content tag.
 *
 * Keyed by the image, found by the tag. The fingerprint holds the repository and the image id only, so a build that makes the same image
 * again changes nothing downstream. Freshness asks for the content tag, which `build` asks for too: when `build` finds it, so does
 * `push`; when it does not, `build` has the image in this machine's engine, where `push` needs it. The tag also keeps a registry's
 * clean-up from deleting an image that hosts run by digest.
 */
import { z } from 'zod'
import type { ActionResult, TaskId } from '../graph/types.ts'
import { type BuiltImage, builtImage } from './build.ts'
import { combinedHere, heldId, platformReference } from './building/platforms.ts'
import { defineTask, type Look, type TaskContext, TaskFailure } from './kind.ts'

const paramsSchema = z.lazy(() =>
  z.strictObject({
    service: z.string(),
    /** Without tag. */
    repository: z.string(),
    /** Id of the task whose image this is. */
    build: z.string(),
    /** Added to the version's tag; the content tag has it already. */
    tagSuffix: z.string().exactOptional(),
  }),
)
export type PushParams = z.infer<typeof paramsSchema>
type Params = PushParams

export const push = defineTask<Params>({
  name: 'push',
  version: 1,
  summary: 'brings a built image into its registry',
  freshness: 'verified',
  phase: 'push',
  pool: 'registry',
  params: paramsSchema,
  title: ({ service }) => `push ${service}`,

  select(params, need, result) {
    if (need !== params.build) return result.values
    const { repository, imageId, platforms } = builtImage(result)
    return { repository, imageId, ...(platforms && { platforms }) }
  },

  async observe(params, context): Promise<Look> {
    const image = imageOf(params, context)
    const reference = `${params.repository}:${image.tag}`
    const manifest = await heldId(reference, image.platforms ?? [], context.ports.registry)
    if (manifest?.imageId === image.imageId) {
      return { fresh: true, result: resultOf(params, manifest.digest), detail: `${image.tag} is in the registry` }
    }
    const detail = manifest === undefined ? `${image.tag} is not in the registry` : `the registry holds another image under ${reference}`
    return { fresh: false, because: { reason: manifest === undefined ? 'absent' : 'drift', detail } }
  },

  async run(params, context): Promise<ActionResult> {
    const { builder, registry } = context.ports
    const image = imageOf(params, context)
    const reference = `${params.repository}:${image.tag}`
    const log = (line: string) => context.log(line)
    if (image.platforms) return pushAll(params, context, image, image.platforms)
    if ((await builder.imageId(reference)) === undefined) return alreadyPushed(params, context, image)
    const digest = await builder.push(reference, log, context.signal)
    const pushed = await registry.manifest(`${params.repository}@${digest}`)
    if (pushed?.imageId !== image.imageId)
      throw failure(params, `${reference} is not the image that ${params.build} made: its tag was moved`)
    await pushVersion(params, context, reference)
    return resultOf(params, digest)
  },
})

/** Each under a tag of its own, then the index that names them. */
async function pushAll(params: Params, context: TaskContext, image: BuiltImage, platforms: readonly string[]): Promise<ActionResult> {
  const { builder, registry } = context.ports
  const reference = `${params.repository}:${image.tag}`
  if ((await combinedHere(reference, platforms, builder)) === undefined) return alreadyPushed(params, context, image)
  const digests: Record<string, string> = {}
  for (const platform of platforms)
    digests[platform] = await builder.push(platformReference(reference, platform), (line) => context.log(line), context.signal)
  const digest = await registry.publishIndex(reference, digests)
  const pushed = await heldId(reference, platforms, registry)
  if (pushed?.imageId !== image.imageId) throw failure(params, `${reference} is not what ${params.build} made: a tag was moved`)
  const named = `${params.repository}:${context.scope.version}${params.tagSuffix ?? ''}`
  try {
    await registry.publishIndex(named, digests)
  } catch (error) {
    notPushed(named, error, context)
  }
  return resultOf(params, digest)
}

/** Nothing depends on a version's tag. */
function notPushed(named: string, error: unknown, context: TaskContext): void {
  if (!(error instanceof TaskFailure) || context.signal.aborted) throw error
  context.log(`${named} was not pushed, which only people would miss: ${error.failure.message}`)
}

/** Only when forced: `build` was content with what the registry has, so this machine may never have had the image. */
async function alreadyPushed(params: Params, context: TaskContext, { tag, imageId, platforms }: BuiltImage): Promise<ActionResult> {
  const reference = `${params.repository}:${tag}`
  const manifest = await heldId(reference, platforms ?? [], context.ports.registry)
  if (manifest?.imageId !== imageId) throw failure(params, `${reference} is neither in this machine's engine nor in the registry`)
  context.log(`${reference} is in the registry, and not in this machine's engine: nothing to push`)
  return resultOf(params, manifest.digest)
}

/** A tag for people to find the image by. A registry that keeps its tags unchangeable may refuse it; nothing depends on it. */
async function pushVersion(params: Params, context: TaskContext, reference: string): Promise<void> {
  const { builder } = context.ports
  const named = `${params.repository}:${context.scope.version}${params.tagSuffix ?? ''}`
  try {
    await builder.tag(reference, named)
    await builder.push(named, (line) => context.log(line), context.signal)
  } catch (error) {
    notPushed(named, error, context)
  }
}

function imageOf(params: Params, context: TaskContext): BuiltImage {
  return builtImage(context.needs.get(params.build as TaskId))
}

function resultOf({ repository }: Params, digest: string): ActionResult {
  return { files: {}, values: { repository, digest } }
}

function failure({ build, service }: Params, message: string): TaskFailure {
  return new TaskFailure({ reason: 'missing-output', subject: service, message, remedy: `build it again: --force=${build}` })
}
