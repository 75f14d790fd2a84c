/** Can images be pushed, and are those there that nobody builds? */
import { TaskFailure } from '../../../tasks/kind.ts'
import type { Registry } from '../../../tasks/ports.ts'
import { interpolate } from '../../../tasks/rendering/interpolate.ts'
import type { Deployment } from '../../contracts.ts'
import { type Check, Checks } from './check.ts'

export interface ImageAccess {
  readonly registry: Registry
  /** @throws TaskFailure when the registry would not take an image of this repository, or is not there. */
  mayPush(repository: string): Promise<void>
}

export async function checkImages(section: string, deployment: Deployment, access: ImageAccess): Promise<readonly Check[]> {
  const checks = new Checks(section)
  const placed = deployment.services.filter(({ hosts }) => hosts.length > 0)
  const isPushed = deployment.transfer !== 'ssh'
  const repositories = isPushed ? [...new Set(placed.flatMap(({ build }) => build?.repository ?? []))] : []
  const { plain } = deployment.variables
  const pulled = [
    ...new Set(placed.filter(({ build }) => build === undefined).map(({ definition }) => imageOf(definition['image'], plain))),
  ]
  const [pushes, pulls] = await Promise.all([
    Promise.all(repositories.map((repository) => failureOf(() => access.mayPush(repository)))),
    Promise.all(pulled.map((image) => failureOf(async () => (image.includes('$') ? undefined : pullable(image, access.registry))))),
  ])
  for (const [index, repository] of repositories.entries()) {
    const failure = pushes[index]
    if (failure === undefined) checks.ok('push', `${repository} takes images from us`)
    else checks.problem('push', `${repository} takes no image from us: ${failure.message}`, failure.remedy)
  }
  for (const [index, image] of pulled.entries()) {
    const failure = pulls[index]
    // A registry that only hosts reach is none of our business.
    if (failure?.reason === 'refused') checks.problem('image', failure.message, failure.remedy)
    else if (failure !== undefined) checks.warn('image', `whether ${image} is there could not be asked: ${failure.message}`, failure.remedy)
    else checks.ok('image', `${image} is there`)
  }
  return checks.all
}

async function pullable(image: string, registry: Registry): Promise<void> {
  if ((await registry.manifest(image)) !== undefined) return
  throw new TaskFailure({
    reason: 'refused',
    subject: image,
    message: `image ${image} is not in its registry`,
    remedy: 'check its name and tag in the Compose file',
  })
}

function imageOf(image: unknown, plain: Readonly<Record<string, string>>): string {
  return interpolate(String(image ?? ''), { plain, secrets: new Set() }).text
}

async function failureOf(work: () => Promise<unknown>): Promise<TaskFailure['failure'] | undefined> {
  try {
    await work()
    return undefined
  } catch (error) {
    if (!(error instanceof TaskFailure) || error.failure.reason === 'interrupted') throw error
    return error.failure
  }
}
