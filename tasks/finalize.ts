/**
 * Ends a release: removes what it replaced, copies the history to the primary host, and leaves the release's name and
 * fingerprint there. That mark is what the next run looks at: the same content under the same version has nothing to do.
 */
import { z } from 'zod'
import type { ActionResult, TaskId } from '../graph/types.ts'
import { forgetRoutes } from './edge/forget.ts'
import { defineTask, type TaskContext } from './kind.ts'
import type { Container } from './ports.ts'

const params = z.lazy(() =>
  z.strictObject({
    environment: z.string(),
    /** Enters the fingerprint: a new commit is recorded even when it rolls nothing. */
    version: z.string(),
    hosts: z.array(z.string()),
    primaryHost: z.string(),
    renders: z.array(z.strictObject({ host: z.string(), render: z.string() })),
    pushes: z.array(z.strictObject({ service: z.string(), push: z.string() })),
    /** Services that this release is about, when it is about a part of the fleet: nothing else is removed. */
    only: z.array(z.string()).exactOptional(),
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
      const isGone = servicesOn(host, params, context)[container.service] === undefined
      context.log(
        `removing ${container.name} on ${host}${isGone ? `: ${container.service} does not run there any more; its volumes stay` : ''}`,
      )
      const port = context.ports.host(host)
      if (container.state === 'running') await port.engine.stop(container.id, 10)
      await port.engine.remove(container.id)
      port.changed()
    }
    const id = await context.ports.release.id()
    const history = await context.ports.release.complete(images(params, context))
    const primary = context.ports.host(params.primaryHost)
    await context.guard()
    await primary.files.write('releases.json', Buffer.from(history), 0o640)
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

function images(params: FinalizeParams, context: TaskContext): Record<string, { ref: string; digest: string }> {
  return Object.fromEntries(
    params.pushes.map(({ service, push }) => {
      const values = context.needs.get(push as TaskId)?.values
      return [service, { ref: String(values?.['repository']), digest: String(values?.['digest']) }]
    }),
  )
}

function resultOf({ version }: FinalizeParams): ActionResult {
  return { files: {}, values: { version } }
}
