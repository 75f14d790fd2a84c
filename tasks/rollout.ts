/**
 * Rolls one service on one host: makes the new containers through Compose without starting them, starts each under the
 * health gate, then stops what it replaces. Any failure undoes this task's own steps, so the old version serves on.
 * Containers are identified by the content hash of their definition, never by a version or a count that happens to run.
 */
import { z } from 'zod'
import type { ActionResult, TaskId } from '../graph/types.ts'
import { faultPoint } from './fault-point.ts'
import { defineTask, type TaskContext, TaskFailure, type TaskKind } from './kind.ts'
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
import { putBack } from './rolling/put-back.ts'
import { replace } from './rolling/replace.ts'
import { type Swap, swap } from './rolling/swap.ts'
import { type SwarmRolloutParams, swarmRolloutParams } from './swarm/params.ts'
import * as onSwarm from './swarm/rollout.ts'

export type { RolloutParams } from './rolling/params.ts'

/** Replaces the containers of one service on one host, or hands it to a swarm: one word for both, as for whoever deploys it is one thing. */
export const rollout = defineTask<RolloutParams | SwarmRolloutParams>({
  name: 'rollout',
  version: 1,
  summary: 'brings one service to its wanted version, health-gated, without a gap',
  freshness: 'effect',
  phase: 'rollout',
  pool: 'host',
  exclusive: true,
  params: z.lazy(() => z.union([rolloutParams, swarmRolloutParams])),
  title(params) {
    const place = isOnSwarm(params) ? 'in the swarm' : `on ${params.host}`
    return `roll ${params.service} ${place}${params.order === 'stop-first' ? ' (stop-first)' : ''}`
  },
  select: (params, need, result) => (isOnSwarm(params) ? onSwarm.selectService(params, result) : onHost.select(params, need, result)),
  observe: (params, context, cached) => (isOnSwarm(params) ? onSwarm.observe(params, context) : onHost.observe(params, context, cached)),
  run: (params, context) => (isOnSwarm(params) ? onSwarm.run(params, context) : onHost.run(params, context)),
  undo: (params, context, result) => (isOnSwarm(params) ? onSwarm.undo(params, context, result) : onHost.undo(params, context, result)),
  // A swarm goes back by itself, or not at all: there is no picture of a host to go by.
  putBack: async (params, context, before) => !isOnSwarm(params) && onHost.putBack(params, context, before),
})

function isOnSwarm(params: RolloutParams | SwarmRolloutParams): params is SwarmRolloutParams {
  return 'stack' in params
}

type KindPart = Required<Pick<TaskKind<RolloutParams>, 'select' | 'observe' | 'run' | 'undo' | 'putBack'>>

const onHost: KindPart = {
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
  async putBack(params, context, before) {
    const host = context.ports.host(params.host)
    try {
      return await putBack({ host, params, context, image: '', bundle: before.bundle ?? '' }, before)
    } finally {
      host.changed()
    }
  },
}

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
  if (params.sent) throw lost(params, image)
  await requireSpace(host, params.minFreeBytes ?? defaultMinFreeBytes)
  await context.guard()
  context.log(`pulling ${image}`)
  await host.engine.pull(image, await context.ports.registry.credentials(image), (line) => context.log(line))
  if (!params.ownCode) await recordPulled(host, image)
  // Minutes may have passed.
  host.changed()
  faultPoint('image-pulled', context)
}

/** Its name is not one of a registry's: a stranger may have given it there to something else. */
function lost({ service, host }: RolloutParams, image: string): TaskFailure {
  return new TaskFailure({
    reason: 'missing-output',
    subject: `${service} on ${host}`,
    message: `${image} is not on ${host} any more`,
    remedy: 'look whether something prunes images on the host, and deploy again: it is sent again',
  })
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
