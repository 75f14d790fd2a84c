/** The last two tasks of a deploy. */
import type { Task, TaskId } from '../../graph/types.ts'
import type { FinalizeParams } from '../../tasks/finalize.ts'
import type { HealthParams } from '../../tasks/health.ts'
import type { Deployment } from '../contracts.ts'
import { id, task } from './deploy-task.ts'
import { wantedRoutes } from './edge-tasks.ts'
import { hostsInScope, type Scope } from './fleet-part.ts'

/** All that was rolled, once more and together. */
export function healthTask(deployment: Deployment, scope: Scope, renders: readonly TaskId[], rollouts: readonly Task[]): Task {
  const services = deployment.services.flatMap((service) =>
    hostsInScope(service, scope).map((host) => ({ service: service.name, host, render: id('render', host), replicas: service.replicas })),
  )
  const timeoutSeconds = Math.max(0, ...deployment.services.map((service) => service.rollout.timeoutSeconds))
  const { environment } = deployment
  const rolled = rollouts.map((task) => task.id)
  return task<HealthParams>('health', environment, undefined, undefined, renders, rolled, { environment, services, timeoutSeconds })
}

export interface ReleasedImage {
  readonly service: string
  /** The task that tells which image it is. */
  readonly push: TaskId
  /** It came to hosts without a registry. */
  readonly sent: boolean
}

/**
 * @param version recorded in the release; not part of what anything is made from.
 * @param images what the release runs of what we build.
 */
export function finalizeTask(
  deployment: Deployment,
  { hosts, isPartial, isRolled }: Scope,
  version: string,
  images: readonly ReleasedImage[],
): Task {
  const { environment, services } = deployment
  const renders = hosts.map((host) => ({ host, render: id('render', host) }))
  const needs = [...renders.map(({ render }) => render), ...images.map(({ push }) => push)]
  return task<FinalizeParams>('finalize', environment, undefined, undefined, needs, [id('health', environment)], {
    environment,
    version,
    hosts: [...hosts],
    primaryHost: deployment.primaryHost ?? hosts[0] ?? '',
    renders,
    pushes: images.map(({ service, push, sent }) => ({ service, push, ...(sent && { sent: true }) })),
    // A part of the fleet takes nothing away that it is not about.
    edge: isPartial ? null : wantedRoutes(deployment),
    ...(isPartial && { only: services.map(({ name }) => name).filter(isRolled) }),
  })
}

/** The same, of a swarm: what is looked at are its services, and no host has containers of its own. */
export function endInSwarm(given: Task, place: { readonly manager: string; readonly stack: TaskId }, services: readonly string[]): Task {
  const needs = [...new Set([place.stack, ...given.needs.filter((need) => !need.startsWith('render:'))])]
  if (given.kind === 'health') {
    const params = { ...(given.params as unknown as HealthParams), services: [], swarm: { ...place, services: [...services] } }
    return { ...given, needs, params: params as unknown as Task['params'] }
  }
  const params: FinalizeParams = { ...(given.params as unknown as FinalizeParams), renders: [], edge: null, swarm: place }
  return { ...given, needs, params }
}
