import type { Json, JsonObject } from '../../graph/types.ts'
import { isObject, items, members } from './json.ts'
import { namedVolume } from './local-paths.ts'

export interface ServiceReferences {
  /** Other services it is started after. */
  readonly dependsOn: readonly string[]
  /** Other services it shares a namespace, a volume or a link with: they must run on the same host. */
  readonly sharesWith: readonly { readonly service: string; readonly path: string }[]
}

/** The other services a Compose service names, as the user wrote it. */
export function serviceReferences(definition: JsonObject): ServiceReferences {
  const given = definition['depends_on']
  const dependsOn = isObject(given) ? Object.keys(given) : items(given).map(String)
  const modes = ['network_mode', 'pid', 'ipc'].flatMap((path) => {
    const [, service] = /^service:(.+)$/.exec(String(definition[path] ?? '')) ?? []
    return service === undefined ? [] : [{ service, path }]
  })
  const links = items(definition['links']).map((link) => ({ service: firstPart(link), path: 'links' }))
  const volumes = items(definition['volumes_from'])
    .filter((source) => !String(source).startsWith('container:'))
    .map((source) => ({ service: firstPart(source), path: 'volumes_from' }))
  return { dependsOn, sharesWith: [...modes, ...links, ...volumes] }
}

function firstPart(value: Json): string {
  return String(value).split(':')[0] ?? ''
}

/** Top-level definitions the services use, by section. A service without `networks` uses `default`. */
export function usedResources(services: Readonly<Record<string, JsonObject>>): Readonly<Record<ResourceSection, ReadonlySet<string>>> {
  const all = Object.values(services)
  const names = (pick: (service: JsonObject) => readonly string[]) => new Set(all.flatMap(pick))
  return {
    networks: names(networks),
    volumes: names((service) => items(service['volumes']).flatMap((volume) => namedVolume(volume) ?? [])),
    configs: names((s) => mounts(s['configs'])),
    secrets: names((s) => mounts(s['secrets'])),
  }
}

export const resourceSections = ['networks', 'volumes', 'configs', 'secrets'] as const
export type ResourceSection = (typeof resourceSections)[number]

function networks(service: JsonObject): readonly string[] {
  const given = service['networks']
  if (given === undefined || given === null) return service['network_mode'] === undefined ? ['default'] : []
  return isObject(given) ? members(given).map(([name]) => name) : items(given).map(String)
}

function mounts(value: Json | undefined): readonly string[] {
  return items(value).flatMap((item) => {
    if (typeof item === 'string') return [item]
    return isObject(item) && typeof item['source'] === 'string' ? [item['source']] : []
  })
}
