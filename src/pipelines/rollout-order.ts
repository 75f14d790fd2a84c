/**
 * What each rollout waits for: services it depends on, the tier before, and the batch of hosts before. Order only, and without circles by
 * construction: every edge leads to a smaller (tier, depth of dependency, batch).
 */
import type { TaskId } from '../../graph/types.ts'
import type { Deployment, Service } from '../contracts.ts'
import { batchesOf } from './batches.ts'
import { tiersOf } from './tiers.ts'

export interface RolloutPlace {
  readonly service: string
  readonly host: string
}

export function rolloutId({ service, host }: RolloutPlace): TaskId {
  return `rollout:${service}@${host}` as TaskId
}

/**
 * By task, sorted and without repetition.
 * @param early services that come before all others: databases that migrations wait for, and what those depend on.
 */
export function rolloutOrder(
  { services, fleet }: Pick<Deployment, 'services' | 'fleet'>,
  early: ReadonlySet<string>,
): ReadonlyMap<TaskId, readonly TaskId[]> {
  const byName = new Map(services.map((service) => [service.name, service]))
  const tiers = tiersOf(services)
  const tierOf = (name: string) => (early.has(name) ? -1 : (tiers.get(name) ?? 0))
  const numbers = [...new Set(services.filter(({ hosts }) => hosts.length > 0).map(({ name }) => tierOf(name)))].sort((a, b) => a - b)
  // After the early ones come the migrations, and all others come after those.
  const inTier = (tier = -1) => (tier === -1 ? [] : services.filter(({ name }) => tierOf(name) === tier).flatMap(everywhere))
  const order = new Map<TaskId, readonly TaskId[]>()
  for (const service of services) {
    const tier = tierOf(service.name)
    const tierBefore = inTier(numbers[numbers.indexOf(tier) - 1])
    const batches = batchesOf(service.hosts, fleet)
    for (const host of service.hosts) {
      const batch = batches.findIndex((hosts) => hosts.includes(host))
      const batchBefore = (batches[batch - 1] ?? []).map((other) => ({ service: service.name, host: other }))
      const dependencies = service.dependsOn.flatMap((name) => nearest(byName.get(name), host))
      order.set(
        rolloutId({ service: service.name, host }),
        [...new Set([...tierBefore, ...batchBefore, ...dependencies].map(rolloutId))].sort(),
      )
    }
  }
  return order
}

function everywhere({ name, hosts }: Service): RolloutPlace[] {
  return hosts.map((host) => ({ service: name, host }))
}

/** On the same host where it is there too, else wherever it is. */
function nearest(service: Service | undefined, host: string): RolloutPlace[] {
  if (!service) return []
  return service.hosts.includes(host) ? [{ service: service.name, host }] : everywhere(service)
}

/** Whether a rollout comes after another only because its hosts are in a later batch. */
export function isBatchBefore(task: TaskId, before: TaskId): boolean {
  const serviceOf = (id: TaskId) => /^rollout:([^@]*)@/.exec(id)?.[1]
  return serviceOf(task) !== undefined && serviceOf(task) === serviceOf(before)
}
