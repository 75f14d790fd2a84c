/**
 * `build`: makes a service's image from its Dockerfile.
 *
 * The content tag `sc-<fingerprint>` makes a registry the cache that machines share: who finds it there neither builds nor pulls.
 * Builds are not reproducible across machines (BuildKit keeps the times of files it copies, and git gives every checkout its own), so
 * this tag, not the image id, is how a fresh CI runner recognises what a laptop has built.
 *
 * The result says which image it is, not how it was come by. When a build for a new fingerprint turns out the image we had (a changed
 * comment, all of BuildKit's steps cached), `push` gives it the new tag, moving no layer, and its digest stays: nothing rolls.
 */
import { join, posix } from 'node:path'
import { z } from 'zod'
import type { ActionResult, Fingerprint, JsonObject } from '../graph/types.ts'
import { combinedHere, combinedId, heldId, platformReference } from './building/platforms.ts'
import { defineTask, type FileSet, type Look, type TaskContext, TaskFailure } from './kind.ts'
import type { Builder, BuildRequest } from './ports.ts'
import { sentDigest, sentReference } from './transferring/names.ts'

/** What `build` leaves in its result's values. */
export interface BuiltImage {
  readonly repository: string
  /** The content tag. Other kinds leave it out of their fingerprints: it changes when the image does not. */
  readonly tag: string
  /**
   * Digest of the image's configuration. Without a registry in play it is what this machine's engine calls the image: engines with the
   * containerd image store know images by their manifests only.
   */
  readonly imageId: string
  /** When there is an image for each of several: then `imageId` stands for them all, and each has its own tag. */
  readonly platforms?: readonly string[]
}

const paramsSchema = z.lazy(() =>
  z.strictObject({
    service: z.string(),
    /** Without tag. */
    repository: z.string(),
    /** Paths are project-relative. */
    context: z.string(),
    dockerfile: z.string(),
    /** Files and folders in the context that must not reach the image: our own, and the environment file. Project-relative. */
    withheld: z.array(z.string()),
    /** `<dockerfile>.dockerignore` if there is one, else `<context>/.dockerignore` if there is one. */
    dockerignore: z.string().nullable(),
    target: z.string().nullable(),
    args: z.record(z.string(), z.string()),
    /** None: the engine's own. */
    platforms: z.array(z.string()),
    /** Id in the Dockerfile → name of the secret. */
    secrets: z.record(z.string(), z.string()),
    ssh: z.array(z.string()),
    /** Project-relative folders, or what BuildKit fetches: `docker-image://…`, `https://…`. */
    additionalContexts: z.record(z.string(), z.string()),
    cacheFrom: z.array(z.string()),
    cacheTo: z.array(z.string()).exactOptional(),
    /** A program that makes the image in the context, in place of Docker; the reference it is to have comes last. */
    command: z.tuple([z.string()], z.string()).exactOptional(),
    tagSuffix: z.string().exactOptional(),
    labels: z.record(z.string(), z.string()),
    /** The image goes to a registry, which then is asked first whether it has it. */
    remote: z.boolean(),
    /** Hosts it is sent to, where no registry is in between: then they are asked whether they have it. */
    hosts: z.array(z.string()).exactOptional(),
  }),
)
export type BuildParams = z.infer<typeof paramsSchema>
type Params = BuildParams

export const build = defineTask<Params>({
  name: 'build',
  version: 1,
  summary: "makes a service's image from its Dockerfile",
  freshness: 'verified',
  phase: 'build',
  pool: 'docker',
  params: paramsSchema,
  title: ({ service }) => `build ${service}`,
  /** Where an image goes makes no other image, nor does what is kept of its layers. */
  identity: ({ hosts: _, cacheTo: _kept, ...rest }) => rest,

  inputs({ context, dockerfile, dockerignore, withheld, additionalContexts, secrets }) {
    const always = dockerignore === null ? [dockerfile] : [dockerfile, dockerignore]
    const except = withheld.length === 0 ? {} : { except: withheld }
    const main: FileSet = { root: context, always, ...(dockerignore === null ? {} : { dockerignore }), ...except }
    // BuildKit reads an ignore file in each named folder too.
    const more = folders(additionalContexts).map((root): FileSet => ({ root, dockerignore: posix.join(root, '.dockerignore') }))
    return { files: [main, ...more], secrets: Object.values(secrets).sort() }
  },

  async observe(params, context, cached): Promise<Look> {
    const { builder, registry } = context.ports
    const tag = contentTag(params, context.fingerprint)
    const reference = `${params.repository}:${tag}`
    if (params.remote) {
      const imageId = (await heldId(reference, params.platforms, registry))?.imageId
      if (imageId !== undefined) return { fresh: true, result: resultOf(params, tag, imageId), detail: `${tag} is in the registry` }
    }
    if (params.hosts !== undefined) {
      const imageId = await onEveryHost(params, params.hosts, tag, context)
      if (imageId !== undefined)
        return { fresh: true, result: resultOf(params, tag, imageId), detail: `${tag} is on ${params.hosts.join(', ')}` }
    }
    const known = cached?.values['imageId']
    if (typeof known !== 'string') return { fresh: false, because: { reason: 'first-run', detail: 'no image was built from this yet' } }
    // By tag, for that is what `push` will look for. An engine with the containerd store has another name for the image of a build whose
    // push failed: it is built again, from BuildKit's cache.
    if (!(await isHere(params, reference, known, builder))) {
      return { fresh: false, because: { reason: 'absent', detail: `${reference} is not in this machine's engine` } }
    }
    return { fresh: true, result: resultOf(params, tag, known), detail: `${reference} is in this machine's engine` }
  },

  async run(params, context): Promise<ActionResult> {
    const { builder, projectDirectory, secrets } = context.ports
    const tag = contentTag(params, context.fingerprint)
    const reference = `${params.repository}:${tag}`
    const absolute = (path: string) => (isRemote(path) ? path : join(projectDirectory, path))
    const platforms = wantedPlatforms(params)
    const request = (only: readonly string[], name: string): BuildRequest => ({
      context: absolute(params.context),
      dockerfile: absolute(params.dockerfile),
      ...(params.target === null ? {} : { target: params.target }),
      args: params.args,
      platforms: only,
      secrets: Object.entries(params.secrets).map(([id, name]) => ({ id, value: secrets.get(name) })),
      ssh: params.ssh,
      additionalContexts: Object.fromEntries(Object.entries(params.additionalContexts).map(([name, path]) => [name, absolute(path)])),
      cacheFrom: params.cacheFrom,
      ...(params.cacheTo === undefined ? {} : { cacheTo: params.cacheTo }),
      withheld: params.withheld.map((path) => posix.relative(params.context, path)),
      labels: params.labels,
      tags: [name],
      noCache: false,
    })
    const { command } = params
    const make = (asked: BuildRequest) =>
      command
        ? builder.buildWith(
            { argv: [...command, reference], cwd: absolute(params.context) },
            reference,
            (line) => context.log(line),
            context.signal,
          )
        : builder.build(asked, (line) => context.log(line), context.signal)
    if (platforms.length > 1) {
      const ids: Record<string, string> = {}
      for (const platform of platforms) ids[platform] = await make(request([platform], platformReference(reference, platform)))
      return resultOf(params, tag, combinedId(ids))
    }
    const built = await make(request(platforms, reference))
    if (params.hosts !== undefined) await builder.tag(reference, sentReference(params.repository, built))
    const imageId = params.remote || params.hosts !== undefined ? built : await builder.imageId(reference)
    if (imageId === undefined) {
      throw new TaskFailure({
        reason: 'missing-output',
        subject: reference,
        message: `${params.service} was built, but this machine's engine does not have ${reference}`,
        remedy: 'look whether something prunes images while we build',
      })
    }
    return resultOf(params, tag, imageId)
  },
})

/**
 * What `transfer` leaves on hosts is a cache that machines share: a runner without any memory neither builds nor sends what they all have.
 * One host is not enough, for its word is not to decide what others run.
 */
async function onEveryHost(
  { repository }: Params,
  hosts: readonly string[],
  tag: string,
  { ports, signal }: TaskContext,
): Promise<string | undefined> {
  try {
    const looks = await Promise.all(hosts.map((name) => ports.host(name).images.named(repository)))
    const [digest, ...more] = new Set(looks.map((images) => sentDigest(images, repository, `${repository}:${tag}`)))
    return more.length === 0 ? digest : undefined
  } catch (error) {
    // A host that does not answer is for those to tell who must write to it.
    if (error instanceof TaskFailure && error.failure.reason !== 'bug' && !signal.aborted) return undefined
    throw error
  }
}

/** An engine may call an image by its manifest. Sent images have a second name, which says what they are. */
async function isHere(params: Params, reference: string, known: string, builder: Builder): Promise<boolean> {
  const { repository, hosts } = params
  const platforms = wantedPlatforms(params)
  if (platforms.length > 1) return (await combinedHere(reference, platforms, builder)) === known
  if (hosts === undefined) return (await builder.imageId(reference)) === known
  const [built, sent] = await Promise.all([builder.imageId(reference), builder.imageId(sentReference(repository, known))])
  return built !== undefined && built === sent
}

/** Reads a build's result. @throws Error for a result that `build` did not make. */
export function builtImage(result: ActionResult | undefined): BuiltImage {
  const { repository, tag, imageId, platforms } = result?.values ?? {}
  if (typeof repository !== 'string' || typeof tag !== 'string' || typeof imageId !== 'string') throw new Error('not the result of a build')
  return { repository, tag, imageId, ...(Array.isArray(platforms) && { platforms: platforms.map(String) }) }
}

/** Two processor architectures must not share a tag when no platform is asked for. */
function contentTag({ platforms, tagSuffix = '' }: Params, fingerprint: Fingerprint): string {
  return `sc-${fingerprint.slice(0, 16)}${platforms.length === 0 ? `-${process.arch}` : ''}${tagSuffix}`
}

/** Without a registry in between, images are for one kind of machine: this one's, where it is among those that are named. */
function wantedPlatforms({ platforms, remote }: Params): readonly string[] {
  if (remote || platforms.length < 2) return platforms
  const own = process.arch === 'x64' ? 'amd64' : process.arch
  return [platforms.find((platform) => platform.split('/')[1] === own) ?? platforms[0] ?? ''].filter((platform) => platform !== '')
}

function resultOf(params: Params, tag: string, imageId: string): ActionResult {
  const platforms = wantedPlatforms(params)
  const image: BuiltImage = { repository: params.repository, tag, imageId, ...(platforms.length > 1 && { platforms }) }
  return { files: {}, values: { ...image } satisfies JsonObject }
}

function folders(contexts: Readonly<Record<string, string>>): readonly string[] {
  return Object.values(contexts)
    .filter((path) => !isRemote(path))
    .sort()
}

/** BuildKit's own sources, which are not folders of the project. */
function isRemote(path: string): boolean {
  return /^[a-z][a-z0-9+.-]*:\/\/|^git@|^target:/.test(path)
}
