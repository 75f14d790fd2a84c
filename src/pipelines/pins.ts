/** Tasks of a rollback that stand where builds and pushes are in a deploy. Pure. */
import type { Task } from '../../graph/types.ts'
import type { PinParams } from '../../tasks/pin.ts'
import type { Service } from '../contracts.ts'
import { task } from './deploy-task.ts'
import { hostsInScope, type Scope } from './fleet-part.ts'

/** By service: the image it is to run, as a release recorded it. */
export type Pins = Readonly<Record<string, Omit<PinParams, 'service' | 'hosts' | 'sent'> & { readonly transfer?: 'ssh' }>>

/** @param fleet hosts that can be asked, those that take no part too. */
export function pinTask(service: Service, scope: Scope, pins: Pins, fleet: readonly string[]): Task {
  const { name } = service
  const pinned = pins[name]
  if (pinned === undefined) throw new Error(`no image is pinned for ${name}`)
  const { transfer, ...image } = pinned
  return task<PinParams>('pin', name, undefined, service.origin, [], [], {
    service: name,
    ...image,
    hosts: [...hostsInScope(service, scope)],
    ...(transfer === 'ssh' && { sent: [...fleet] }),
  })
}
