/**
 * Rolls one service on one host: makes the new containers through Compose without starting them, starts each under the
 * health gate, then stops what it replaces. Any failure undoes this task's own steps, so the old version serves on.
 * Containers are identified by the content hash of their definition, never by a version or a count that happens to run.
 */
import type { ActionResult, TaskId } from '../graph/types.ts'
import { defineTask, type TaskContext, TaskFailure } from './kind.ts'
import type { RenderValues } from './rendering/params.ts'
import { bringUp } from './rolling/compose.ts'
import { freshLook, unsettled, withoutUngated } from './rolling/containers.ts'
import { drift, serviceState, type Wanted } from './rolling/decide.ts'
import { rollByPlugin } from './rolling/docker-rollout.ts'
import { defaultMinFreeBytes, requireSpace } from './rolling/free-space.ts'
import { startAndAwait } from './rolling/gate.ts'
import { goBack } from './rolling/go-back.ts'
import { gateOptions, type Rolling, type RolloutParams, rolloutParams } from './rolling/params.ts'
import { recordPulled } from './rolling/pulled.ts'
import { replace } from './rolling/replace.ts'
import { type Swap, swap } from './rolling/swap.ts'

export type { RolloutParams } from './rolling/params.ts'

export const rollout = defineTask<RolloutParams>({
  name: 'rollout',
  version: 1,
  summary: 'replaces the containers of one service on one host, health-gated, without a gap',
  freshness: 'effect',
  phase: 'rollout',
  pool: 'host',
  exclusive: true,
  params: rolloutParams,
  title: ({ service, host, order }) => `roll ${service} on ${host}${order === 'stop-first' ? ' (stop-first)' : ''}`,
  select: ({ service }, _need, result) => renderedService(result, service),
  async observe(params, context) {
    const rolling = desired(params, context)
    const { wanted, host } = rolling
    const seen = await host.observe()
    const state = serviceState(wanted, seen.containers)
    const found = drift(wanted, state) ?? (seen.lock ? await unsettled(rolling, state.ready) : undefined)
    if (found !== undefined)
      return {
        fresh: false,
        because: { reason: state.ready.length === 0 && found.startsWith('not on') ? 'absent' : 'drift', detail: found },
      }
    return { fresh: true, result: resultOf(rolling), detail: `${wanted.replicas} running and healthy` }
  },
  async run(params, context) {
    const rolling = desired(params, context)
    const { wanted, host } = rolling
    const [{ containers }] = await Promise.all([host.observe(), pullImage(rolling)])
    const seen = serviceState(wanted, containers)
    const before = await withoutUngated(rolling, seen)
    // Nothing is wrong, and yet we run: it is forced, and means new containers.
    const isForced = drift(wanted, before) === undefined
    let changed: Swap | undefined
    try {
      if (params.driver === 'recreate') await recreate(rolling, isForced)
      else if (params.driver === 'docker-rollout' && !isForced) await rollByPlugin(rolling, before)
      else changed = await replace(rolling, isForced ? { ...before, ready: [], outdated: before.ready } : before)
    } catch (error) {
      host.changed()
      throw error
    }
    // What `replace` saw last is how it left things.
    if (changed === undefined) host.changed()
    const result = resultOf(rolling)
    return changed ? { ...result, values: { ...result.values, swap: changed } } : result
  },
  async undo(params, context, { values }) {
    const rolling = desired(params, context)
    const changed = swap.safeParse(values['swap'])
    if (!changed.success) throw cannotGoBack(params)
    try {
      await goBack(rolling, changed.data)
    } finally {
      rolling.host.changed()
    }
  },
})

function cannotGoBack({ service, host, driver }: RolloutParams): TaskFailure {
  return new TaskFailure({
    reason: 'refused',
    subject: `${service} on ${host}`,
    message: `driver ${driver} keeps no containers to go back to: ${service} on ${host} stays as this run left it`,
  })
}

/** For what Compose itself must replace, such as anonymous volumes it carries over. Not undone. */
async function recreate(rolling: Rolling, isForced: boolean): Promise<void> {
  const { host, wanted, containerName, context } = rolling
  await bringUp(rolling, isForced ? ['--force-recreate'] : [])
  const { ready, adoptable, broken } = serviceState(wanted, await freshLook(host))
  for (const container of [...ready, ...adoptable, ...broken]) {
    if (containerName !== undefined && container.name !== containerName) {
      await context.guard()
      await host.engine.rename(container.id, containerName)
    }
    await startAndAwait(host, container.id, gateOptions(rolling))
  }
}

async function pullImage({ host, image, params, context }: Rolling): Promise<void> {
  if (await host.engine.hasImage(image)) return
  await requireSpace(host, params.minFreeBytes ?? defaultMinFreeBytes)
  await context.guard()
  context.log(`pulling ${image}`)
  await host.engine.pull(image, await context.ports.registry.credentials(image), (line) => context.log(line))
  if (!params.ownCode) await recordPulled(host, image)
  // Minutes may have passed.
  host.changed()
}

function desired(params: RolloutParams, context: TaskContext): Rolling {
  const rendered = context.needs.get(params.render as TaskId)
  if (!rendered) throw new Error(`${context.id} has no result of ${params.render}`)
  const { hash, image, containerName } = renderedService(rendered, params.service)
  const wanted: Wanted = { service: params.service, hash, replicas: params.replicas }
  const host = context.ports.host(params.host)
  const bundle = String(rendered.values['bundle'])
  return { host, params, wanted, image, bundle, context, ...(containerName === undefined ? {} : { containerName }) }
}

type RenderedService = RenderValues['services'][string]

function renderedService(rendered: ActionResult, service: string): RenderedService {
  const services = rendered.values['services'] as RenderValues['services']
  const found = services[service]
  if (!found) throw new Error(`the rendered file has no service ${service}`)
  const { hash, image, containerName } = found
  return { hash, image, ...(containerName === undefined ? {} : { containerName }) }
}

function resultOf({ wanted, image }: Rolling): ActionResult {
  return { files: {}, values: { service: wanted.service, hash: wanted.hash, image, replicas: wanted.replicas } }
}
