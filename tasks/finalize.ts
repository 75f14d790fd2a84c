/**
 * Ends a release: removes what it replaced, copies the history to the primary host, and leaves the release's name and
 * fingerprint there. That mark is what the next run looks at: the same content under the same version has nothing to do.
 */
import { z } from 'zod'
import type { ActionResult, TaskId } from '../graph/types.ts'
import { forgetRoutes } from './edge/forget.ts'
import { faultPoint } from './fault-point.ts'
import { defineTask, type TaskContext } from './kind.ts'
import type { Container, ReleasePort } from './ports.ts'
import { leftoverNames, removeLeftovers, swarmLeftovers } from './swarm/leftovers.ts'
import { stackValues } from './swarm/params.ts'
import { swarmFile, swarmFileText } from './swarm/released.ts'
import { imageDigest } from './transferring/names.ts'

const params = z.lazy(() =>
  z.strictObject({
    environment: z.string(),
    /** Enters the fingerprint: a new commit is recorded even when it rolls nothing. */
    version: z.string(),
    hosts: z.array(z.string()),
    primaryHost: z.string(),
    renders: z.array(z.strictObject({ host: z.string(), render: z.string() })),
    pushes: z.array(z.strictObject({ service: z.string(), push: z.string(), sent: z.boolean().exactOptional() })),
    /** Services that this release is about, when it is about a part of the fleet: nothing else is removed. */
    only: z.array(z.string()).exactOptional(),
    /** On a swarm: the manager, and the task that says what is wanted there. */
    swarm: z.strictObject({ manager: z.string(), stack: z.string() }).exactOptional(),
    /** Routes that are wanted, by host; others of this environment go before the containers they lead to. */
    edge: z.strictObject({ innerPort: z.number().int(), routes: z.record(z.string(), z.array(z.string())) }).nullable(),
  }),
)
export type FinalizeParams = z.infer<typeof params>

export const finalize = defineTask<FinalizeParams>({
  name: 'finalize',
  version: 1,
  summary: 'records the release here and on the primary host, and removes what it replaced',
  freshness: 'effect',
  phase: 'finalize',
  pool: 'host',
  exclusive: true,
  commits: true,
  params,
  title: ({ environment }) => `finish the release in ${environment}`,
  /** Of an image that is sent, not the content tag: it changes when the image does not. */
  select({ pushes }, need, result) {
    if (pushes.some(({ push, sent }) => sent && push === need)) {
      return { repository: result.values['repository'] ?? null, digest: imageDigest(result) ?? null }
    }
    const { files, values } = result
    return {
      files: Object.fromEntries(Object.entries(files).map(([path, { digest, executable }]) => [path, { digest, executable }])),
      values,
    }
  },
  async observe(params, context) {
    const seen = await context.ports.host(params.primaryHost).observe()
    const [id, applied] = seen.release?.split(' ') ?? []
    if (applied !== context.fingerprint) {
      return {
        fresh: false,
        because:
          id === undefined ? { reason: 'first-run', detail: 'no release yet' } : { reason: 'drift', detail: `the last release was ${id}` },
      }
    }
    const leftovers = await superseded(params, context)
    if (leftovers.length > 0)
      return {
        fresh: false,
        because: { reason: 'drift', detail: `left over: ${leftovers.map(({ container }) => container.name).join(', ')}` },
      }
    const inSwarm = await leftInSwarm(params, context)
    if (inSwarm && leftoverNames(inSwarm.left).length > 0)
      return { fresh: false, because: { reason: 'drift', detail: `left over: ${leftoverNames(inSwarm.left).join(', ')}` } }
    const routes = await strayRoutes(params, context)
    if (routes.length > 0)
      return { fresh: false, because: { reason: 'drift', detail: `left over: the route of ${routes.map(({ key }) => key).join(', ')}` } }
    return { fresh: true, result: resultOf(params), detail: `${id} is live` }
  },
  async run(params, context) {
    const stray = await strayRoutes(params, context)
    for (const host of new Set(stray.map((route) => route.host))) {
      const keys = stray.flatMap((route) => (route.host === host ? [route.key] : []))
      await context.guard()
      context.log(`removing the route of ${keys.join(', ')} on ${host}`)
      await forgetRoutes(context.ports.host(host), keys, context.log)
    }
    for (const { host, container } of await superseded(params, context)) {
      await context.guard()
      faultPoint('finalize-begun')
      const isGone = servicesOn(host, params, context)[container.service] === undefined
      context.log(
        `removing ${container.name} on ${host}${isGone ? `: ${container.service} does not run there any more; its volumes stay` : ''}`,
      )
      const port = context.ports.host(host)
      if (container.state === 'running') await port.engine.stop(container.id, 10)
      await port.engine.remove(container.id)
      port.changed()
    }
    const inSwarm = await leftInSwarm(params, context)
    if (inSwarm) {
      await removeLeftovers(inSwarm.host, inSwarm.left, context)
      await context.guard()
      await inSwarm.host.files.write(swarmFile, Buffer.from(swarmFileText(inSwarm.stack)), 0o640)
    }
    faultPoint('finalize-removed')
    const id = await context.ports.release.id()
    const history = await context.ports.release.complete(images(params, context))
    const primary = context.ports.host(params.primaryHost)
    await context.guard()
    await primary.files.write('releases.json', Buffer.from(history), 0o640)
    faultPoint('finalize-history')
    await primary.files.point('release', `${id} ${context.fingerprint}`)
    primary.changed()
    return resultOf(params)
  },
})

/** Containers of other definitions, and of services that left the project. Volumes are never touched. */
async function superseded(params: FinalizeParams, context: TaskContext): Promise<readonly { host: string; container: Container }[]> {
  const found: { host: string; container: Container }[] = []
  for (const { host } of params.renders) {
    const services = servicesOn(host, params, context)
    const { containers } = await context.ports.host(host).observe()
    for (const container of containers) {
      if (params.only && !params.only.includes(container.service)) continue
      if (services[container.service]?.hash !== container.hash) found.push({ host, container })
    }
  }
  return found
}

/** A part of the services takes nothing away that it is not about. */
async function leftInSwarm({ swarm, only }: FinalizeParams, context: TaskContext) {
  const result = context.needs.get(swarm?.stack as TaskId)
  if (swarm === undefined || result === undefined) return undefined
  const host = context.ports.host(swarm.manager)
  const stack = stackValues.parse(result.values)
  return { host, stack, left: only ? { services: [], objects: [] } : await swarmLeftovers(host, stack) }
}

/** By name, as the host's Compose file has them now. */
function servicesOn(host: string, { renders }: FinalizeParams, context: TaskContext): Readonly<Record<string, { readonly hash: string }>> {
  const render = renders.find((rendered) => rendered.host === host)?.render
  const services = context.needs.get(render as TaskId)?.values['services']
  if (!services) throw new Error(`${context.id} has no result of ${render}`)
  return services as Readonly<Record<string, { readonly hash: string }>>
}

async function strayRoutes({ edge, hosts, only }: FinalizeParams, context: TaskContext): Promise<readonly { host: string; key: string }[]> {
  if (only) return []
  const routes = edge?.routes ?? Object.fromEntries(hosts.map((host) => [host, []]))
  const found = await Promise.all(
    Object.entries(routes).map(async ([host, wanted]) => {
      const { routes = {} } = (await context.ports.host(host).observe()).edge ?? {}
      return Object.keys(routes).flatMap((key) => (wanted.includes(key) ? [] : [{ host, key }]))
    }),
  )
  return found.flat()
}

function images(params: FinalizeParams, context: TaskContext): Parameters<ReleasePort['complete']>[0] {
  return Object.fromEntries(
    params.pushes.map(({ service, push, sent }) => {
      const result = context.needs.get(push as TaskId)
      const image = { ref: String(result?.values['repository']), digest: String(imageDigest(result)) }
      return [service, sent ? { ...image, transfer: 'ssh' } : image]
    }),
  )
}

function resultOf({ version }: FinalizeParams): ActionResult {
  return { files: {}, values: { version } }
}
