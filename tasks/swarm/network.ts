/** A network of Compose's as one between the nodes of a swarm. Pure. */
import type { JsonObject } from '../../graph/types.ts'
import { isObject, items } from '../rendering/json.ts'
import { compact } from './compact.ts'
import { texts } from './container-spec.ts'
import { part } from './policies.ts'

/** Of the Engine API's `POST /networks/create`. Attachable, so that a container of an operator can look at what is in it. */
export function networkDefinition(name: string, definition: JsonObject): JsonObject {
  const options = texts(definition['driver_opts'])
  const ranges = items(part(definition, 'ipam')['config']).filter(isObject)
  return compact({
    Name: name,
    Driver: 'overlay',
    Attachable: true,
    Internal: definition['internal'] === true,
    EnableIPv6: definition['enable_ipv6'] === true,
    Options: definition['encrypted'] === true ? { ...options, encrypted: '' } : options,
    Labels: texts(definition['labels']),
    IPAM: ranges.length === 0 ? undefined : { Config: ranges.map((range) => ({ Subnet: range['subnet'], Gateway: range['gateway'] })) },
  })
}
