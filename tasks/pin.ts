/**
 * `pin`: takes an image that an earlier release has recorded, by its digest, in place of `build` and `push`. Nothing is built or pushed.
 *
 * It only looks: whether the image can still be had. That is so when the registry has it or, should the registry be gone or have cleaned it
 * up, when every host that is to run it has it. Every upload waits for all pins, so a lost image is found before a host is written to.
 */
import { z } from 'zod'
import type { ActionResult } from '../graph/types.ts'
import { faultPoint } from './fault-point.ts'
import { defineTask, type TaskContext, TaskFailure } from './kind.ts'
import { isSent, sentReference } from './transferring/names.ts'

const paramsSchema = z.lazy(() =>
  z.strictObject({
    service: z.string(),
    /** Without tag; the one that was recorded, which need not be the one of today. */
    repository: z.string(),
    /** Null for a release that recorded none: then the tag of its version decides. */
    digest: z.string().nullable(),
    version: z.string(),
    /** Id of the release that recorded it. */
    release: z.string(),
    /** Names of hosts that are to run it. */
    hosts: z.array(z.string()),
    /** It was sent over SSH and is in no registry: then hosts that may have it, whether they run it or not. */
    sent: z.array(z.string()).exactOptional(),
  }),
)
export type PinParams = z.infer<typeof paramsSchema>
type Params = PinParams

export const pin = defineTask<Params>({
  name: 'pin',
  version: 1,
  summary: 'takes the image an earlier release has recorded, and builds nothing',
  freshness: 'verified',
  pool: 'registry',
  params: paramsSchema,
  title: ({ service, release }) => `take ${service} from ${release}`,
  /** Where an image comes from and where it goes makes no other image. */
  identity: ({ repository, digest, version }) => ({ repository, image: digest ?? `tag ${version}` }),
  async observe(params, context) {
    const { result, detail } = await find(params, context)
    return { fresh: true, result, detail }
  },
  async run(params, context) {
    return (await find(params, context)).result
  },
})

/** @throws TaskFailure when it cannot be had any more. */
async function find(params: Params, context: TaskContext): Promise<{ result: ActionResult; detail: string }> {
  const { repository, digest, version, release } = params
  if (digest !== null && params.sent !== undefined) return findSent(params, digest, params.sent, context)
  const reference = digest === null ? `${repository}:${version}` : `${repository}@${digest}`
  const answer = await ask(reference, context)
  const found = answer instanceof TaskFailure ? undefined : answer
  faultPoint('pin-found', context)
  if (found !== undefined) return { result: resultOf(repository, found), detail: `${short(found)} of ${release} is in the registry` }
  const without = digest === null ? params.hosts : await hostsWithout(reference, params, context)
  if (digest !== null && without.length === 0)
    return { result: resultOf(repository, digest), detail: `${short(digest)} of ${release} is on ${params.hosts.join(', ')}` }
  throw gone(params, reference, without, answer instanceof TaskFailure ? answer : undefined)
}

/** @returns the digest the registry has for it, or why it could not be asked. */
async function ask(reference: string, { ports, signal }: TaskContext): Promise<string | undefined | TaskFailure> {
  try {
    return (await ports.registry.manifest(reference))?.digest
  } catch (error) {
    if (!(error instanceof TaskFailure) || error.failure.reason === 'bug' || signal.aborted) throw error
    return error
  }
}

async function hostsWithout(reference: string, { hosts }: Params, { ports }: TaskContext): Promise<readonly string[]> {
  const has = await Promise.all(hosts.map((name) => ports.host(name).engine.hasImage(reference)))
  return hosts.filter((_, index) => !has[index])
}

function gone(
  { service, version, release, digest }: Params,
  reference: string,
  without: readonly string[],
  why?: TaskFailure,
): TaskFailure {
  const registry = why === undefined ? 'the registry does not have it any more' : `the registry could not be asked: ${why.failure.message}`
  const hosts = digest === null ? `${release} recorded no digest` : `it is not on ${without.join(', ')}`
  const rebuild = `check ${version} out and \`stagecraft deploy --version ${version}\`, which builds it again, or roll back to another release`
  return new TaskFailure(
    {
      reason: why?.failure.reason ?? 'missing-output',
      subject: service,
      message: `${reference}, the image of ${service} in ${release}, cannot be had: ${registry}, and ${hosts}; nothing was changed`,
      remedy: why === undefined ? rebuild : (why.failure.remedy ?? 'see that the registry can be reached, and try again'),
    },
    why === undefined ? undefined : { cause: why },
  )
}

function resultOf(repository: string, digest: string): ActionResult {
  return { files: {}, values: { repository, digest } }
}

/** As much of a digest as a person compares. */
function short(digest: string): string {
  return digest.slice(0, 'sha256:'.length + 12)
}

/** One that was sent: on all hosts that are to run it, on this machine, or on any other host. */
async function findSent(
  params: Params,
  digest: string,
  fleet: readonly string[],
  context: TaskContext,
): Promise<{ result: ActionResult; detail: string }> {
  const { repository, release, hosts, service, version } = params
  const reference = sentReference(repository, digest)
  const found = (where: string) => ({ result: resultOf(repository, digest), detail: `${short(digest)} of ${release} is on ${where}` })
  const holds = async (name: string) =>
    (await context.ports.host(name).images.named(repository)).some((image) => isSent(image, repository, digest))
  const has = await Promise.all(hosts.map(holds))
  const without = hosts.filter((_, index) => !has[index])
  if (without.length === 0) return found(hosts.join(', '))
  const other = hosts.find((_, index) => has[index])
  if (other !== undefined) return found(other)
  if ((await context.ports.builder.layers(reference)) !== undefined) return found('this machine')
  for (const name of fleet.filter((candidate) => !hosts.includes(candidate))) if (await holds(name)) return found(name)
  throw new TaskFailure({
    reason: 'missing-output',
    subject: service,
    message: `${reference}, the image of ${service} in ${release}, cannot be had: it was sent without a registry, and neither this machine nor a host has it any more; nothing was changed`,
    remedy: `roll back from the machine that built it, check ${version} out and \`stagecraft deploy --version ${version}\`, which builds it again, or roll back to another release`,
  })
}
