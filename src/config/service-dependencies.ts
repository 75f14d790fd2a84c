/** Which services must be up before another one. */

import { nearest } from '../../graph/nearest.ts'
import type { JsonObject } from '../../graph/types.ts'
import { problem } from './diagnostic.ts'
import { isList, isObject, type JsonPath, valueAt } from './json-path.ts'
import type { Setting } from './setting.ts'

/** Sorted. Those that somebody else runs are left out. */
export function resolveDependencies(
  name: string,
  definition: JsonObject,
  placed: ReadonlyMap<string, readonly string[]>,
  external: ReadonlySet<string>,
  { compose, report }: Setting,
): string[] {
  const needed = neededServices(definition)
  for (const { service, at, optional } of needed) {
    if (placed.has(service) || external.has(service) || optional) continue
    const path = ['services', name, ...at]
    const message = `service \`${name}\` depends on \`${service}\`, which is not in the Compose file`
    report(problem('SC1044', message, compose.locateKey(path), { suggestion: nearest(service, placed.keys()) }))
  }
  const known = needed.flatMap(({ service }) => (placed.has(service) && service !== name ? [service] : []))
  return [...new Set(known)].sort()
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
