/** Which containers are replaced where, and after what. Pure. */
import type { Json, Task, TaskId } from '../../graph/types.ts'
import { interpolate } from '../../tasks/rendering/interpolate.ts'
import type { RolloutParams } from '../../tasks/rollout.ts'
import type { Deployment, Service } from '../contracts.ts'
import { databaseServices } from './database-services.ts'
import { id, task } from './deploy-task.ts'
import { routeOn } from './edge-tasks.ts'
import { hostsInScope, type Scope } from './fleet-part.ts'
import type { Pins } from './pins.ts'
import { rolloutId, rolloutOrder } from './rollout-order.ts'
import { isSent } from './transfer-tasks.ts'

/** In the order of `rollout-order.ts`, as far as they take part. */
export function rolloutTasks(deployment: Deployment, scope: Scope, migrations: readonly Task[], pins: Pins | undefined): Task[] {
  const early = databaseServices(
    deployment.databases.filter(({ strategy }) => strategy === 'pre_deploy'),
    deployment,
  )
  const order = rolloutOrder(deployment, early)
  const migrationIds = migrations.map((task) => task.id)
  const places = deployment.services.flatMap((service) => hostsInScope(service, scope).map((host) => ({ service, host })))
  const present = new Set(places.map(({ service, host }) => rolloutId({ service: service.name, host })))
  return places.map(({ service, host }) => {
    const before = (order.get(rolloutId({ service: service.name, host })) ?? []).filter((other) => present.has(other))
    return rolloutTask(service, host, deployment, pins, [...before, ...(early.has(service.name) ? [] : migrationIds)])
  })
}

function rolloutTask(service: Service, host: string, deployment: Deployment, pins: Pins | undefined, before: readonly TaskId[]): Task {
  const render = id('render', host)
  const { definition, rollout } = service
  const proxies = service.route ? [id('proxy', host)] : []
  return task<RolloutParams>('rollout', service.name, host, service.origin, [render], [id('upload', host), ...proxies, ...before], {
    service: service.name,
    host,
    composeProject: deployment.composeProject,
    directory: deployment.directory,
    render,
    replicas: service.replicas,
    driver: rollout.driver,
    order: rollout.order,
    orderReason: rollout.reason ?? null,
    ownCode: service.build !== undefined,
    ...(isSent(service, deployment, pins) && { sent: true }),
    restart: restartPolicy(definition['restart'], deployment.variables.plain),
    timeoutSeconds: rollout.timeoutSeconds,
    minReadySeconds: rollout.minReadySeconds,
    steadySeconds: rollout.steadySeconds ?? 0,
    surge: rollout.surge ?? 1,
    stopGraceSeconds: rollout.stopGraceSeconds,
    minFreeBytes: rollout.minFreeBytes ?? null,
    probe: service.health ?? null,
    route: routeOn(host, service, deployment) ?? null,
  })
}

/** Compose's `restart`: `no` (default), `always`, `unless-stopped`, `on-failure[:max]`. */
function restartPolicy(value: Json | undefined, plain: Readonly<Record<string, string>>): RolloutParams['restart'] {
  const [name, count] = interpolate(String(value ?? 'no'), { plain, secrets: new Set() }).text.split(':')
  if (name === 'always' || name === 'unless-stopped') return { name, maximumRetryCount: 0 }
  if (name === 'on-failure') return { name, maximumRetryCount: Number(count ?? 0) }
  return { name: 'no', maximumRetryCount: 0 }
}
