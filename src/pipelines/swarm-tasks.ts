/** What a deploy to a Docker Swarm consists of. Pure. */
import type { Task, TaskId } from '../../graph/types.ts'
import type { RenderParams } from '../../tasks/render.ts'
import type { StackParams, SwarmParams, SwarmRolloutParams } from '../../tasks/swarm/params.ts'
import type { DeployedSwarm, Deployment, Service } from '../contracts.ts'
import { id, task } from './deploy-task.ts'
import type { Scope } from './fleet-part.ts'
import { rolloutId, rolloutOrder } from './rollout-order.ts'

/** `render` of the manager, as it would be for a host with every service on it: only what follows from it is another. */
export function stackTask(deployment: Deployment, render: Task): Task {
  const services = deployment.services.map(({ name, rollout }) => {
    const { order, minReadySeconds: monitorSeconds, constraints = [] } = rollout
    const policy: StackParams['services'][string] = { order, monitorSeconds, constraints: [...constraints] }
    return [name, policy] as const
  })
  const params: StackParams = { render: render.params as unknown as RenderParams, services: Object.fromEntries(services) }
  return task('stack', deployment.environment, undefined, undefined, render.needs, [], params as unknown as Task['params'])
}

/** Written only when all images can be had and migrations are through. */
export function swarmTask({ environment }: Deployment, swarm: DeployedSwarm, after: readonly TaskId[]): Task {
  const { manager, labelPrefix, nodes } = swarm
  const stack = id('stack', environment)
  return task<SwarmParams>('swarm', environment, undefined, undefined, [stack], after, {
    ...{ environment, manager, stack, labelPrefix },
    nodes: nodes.map(({ name, addresses, roles }) => ({ name, addresses: [...addresses], roles: [...roles] })),
  })
}

/** By tiers and `depends_on`, as on hosts; which node comes first is the swarm's business. */
export function swarmRollouts(deployment: Deployment, swarm: DeployedSwarm, scope: Scope, after: readonly TaskId[]): Task[] {
  const order = rolloutOrder(deployment, new Set())
  const rolled = deployment.services.filter(({ name }) => scope.isRolled(name))
  const present = new Set(rolled.map(({ name }) => id('rollout', name)))
  return rolled.map((service) => {
    const place = rolloutId({ service: service.name, host: swarm.manager })
    const before = (order.get(place) ?? []).map(withoutHost).filter((other) => present.has(other))
    return swarmRollout(service, deployment, swarm, [id('swarm', deployment.environment), ...before, ...after])
  })
}

function swarmRollout(
  { name, origin, replicas, rollout }: Service,
  { environment }: Deployment,
  { manager }: DeployedSwarm,
  after: readonly TaskId[],
): Task {
  const stack = id('stack', environment)
  return task<SwarmRolloutParams>('rollout', name, undefined, origin, [stack], after, {
    ...{ service: name, manager, stack, order: rollout.order, orderReason: rollout.reason ?? null, replicas },
    ...{ timeoutSeconds: rollout.timeoutSeconds, monitorSeconds: rollout.minReadySeconds },
  })
}

function withoutHost(one: TaskId): TaskId {
  return one.replace(/@.*$/, '') as TaskId
}
