/** Which services must be up before another one. */

import { nearest } from '../../graph/nearest.ts'
import type { JsonObject } from '../../graph/types.ts'
import { problem } from './diagnostic.ts'
import { isList, isObject, type JsonPath, valueAt } from './json-path.ts'
import type { Setting } from './setting.ts'

/** Those on the same hosts, sorted; on other hosts the order is not Compose's to give. */
export function resolveDependencies(
  name: string,
  definition: JsonObject,
  placed: ReadonlyMap<string, readonly string[]>,
  { compose, report }: Setting,
): string[] {
  const hosts = placed.get(name) ?? []
  const needed = neededServices(definition)
  for (const { service, at, optional } of needed) {
    if (placed.has(service) || optional) continue
    const path = ['services', name, ...at]
    const message = `service \`${name}\` depends on \`${service}\`, which is not in the Compose file`
    report(problem('SC1044', message, compose.locateKey(path), { suggestion: nearest(service, placed.keys()) }))
  }
  const together = needed.flatMap(({ service }) => {
    const others = placed.get(service)
    const shared = others?.length === 0 || others?.some((host) => hosts.includes(host))
    return shared && service !== name ? [service] : []
  })
  return [...new Set(together)].sort()
}

interface Needed {
  readonly service: string
  readonly at: JsonPath
  readonly optional: boolean
}

/** `depends_on`, and what shares a namespace, a link or volumes with another service. */
function neededServices(definition: JsonObject): Needed[] {
  const dependencies = isObject(definition['depends_on']) ? definition['depends_on'] : {}
  const named = Object.keys(dependencies).map((service) => ({
    ...{ service, at: ['depends_on', service] },
    optional: valueAt(dependencies, [service, 'required']) === false,
  }))
  const modes = ['network_mode', 'ipc', 'pid'].flatMap((key) => {
    const service = /^service:(.+)$/.exec(String(definition[key] ?? ''))?.[1]
    return service === undefined ? [] : [{ service, at: [key], optional: false }]
  })
  const lists = ['links', 'volumes_from'].flatMap((key) => {
    const entries = isList(definition[key]) ? definition[key].map(String) : []
    return entries
      .filter((entry) => !entry.startsWith('container:'))
      .map((entry) => ({ service: entry.split(':')[0] ?? entry, at: [key], optional: false }))
  })
  return [...named, ...modes, ...lists]
}
