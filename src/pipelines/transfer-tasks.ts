/** Tasks that bring images to hosts without a registry, in place of pushes. Pure. */
import type { Task, TaskId } from '../../graph/types.ts'
import type { TransferParams } from '../../tasks/transfer.ts'
import type { Deployment, Service } from '../contracts.ts'
import { id, task } from './deploy-task.ts'
import type { Scope } from './fleet-part.ts'
import type { Pins } from './pins.ts'

/** A release's images come again as they came then, whatever the manifest says today. */
export function isSent(service: Service, { hosts, transfer }: Deployment, pins?: Pins): boolean {
  if (service.build === undefined || hosts.length === 0) return false
  return (pins ? pins[service.name]?.transfer : transfer) === 'ssh'
}

/** The task that tells which image a service of ours runs. */
export function imageTask(service: Service, deployment: Deployment, pins: Pins | undefined): TaskId {
  if (pins) return id('pin', service.name)
  return id(isSent(service, deployment) ? 'build' : 'push', service.name)
}

export interface Transferring {
  readonly pins: Pins | undefined
  /** Hosts that can be asked for an image. */
  readonly fleet: readonly string[]
  /** All that must have gone well before a host is written to: a broken build sends nothing. */
  readonly before: readonly Task[]
}

/** To every host that takes part, rolled there or not: the file it runs by names all of its images. */
export function transferTasks(
  services: readonly Service[],
  deployment: Deployment,
  scope: Scope,
  { pins, fleet, before }: Transferring,
): Task[] {
  const sent = services.filter((service) => isSent(service, deployment, pins))
  return sent.flatMap((service) => {
    const image = imageTask(service, deployment, pins)
    const others = before.map((one) => one.id).filter((one) => one !== image)
    const repository = pins?.[service.name]?.repository ?? service.build?.repository ?? ''
    return service.hosts
      .filter((host) => scope.hosts.includes(host))
      .map((host) =>
        task<TransferParams>('transfer', service.name, host, service.origin, [image], others, {
          service: service.name,
          host,
          repository,
          image,
          others: fleet.filter((other) => other !== host),
          minFreeBytes: service.rollout.minFreeBytes ?? null,
        }),
      )
  })
}
