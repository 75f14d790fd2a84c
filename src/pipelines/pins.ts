/** Tasks of a rollback that stand where builds and pushes are in a deploy. Pure. */
import type { Task } from '../../graph/types.ts'
import type { PinParams } from '../../tasks/pin.ts'
import type { Service } from '../contracts.ts'
import { task } from './deploy-task.ts'
import { hostsInScope, type Scope } from './fleet-part.ts'

/** By service: the image it is to run, as a release recorded it. */
export type Pins = Readonly<Record<string, Omit<PinParams, 'service' | 'hosts'>>>

export function pinTask(service: Service, scope: Scope, pins: Pins): Task {
  const { name } = service
  const pinned = pins[name]
  if (pinned === undefined) throw new Error(`no image is pinned for ${name}`)
  return task<PinParams>('pin', name, undefined, service.origin, [], [], {
    service: name,
    ...pinned,
    hosts: [...hostsInScope(service, scope)],
  })
}
