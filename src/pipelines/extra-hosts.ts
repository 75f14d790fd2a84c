/** Names of services on other hosts, where Compose itself only knows those of one host. Pure. */
import type { JsonObject } from '../../graph/types.ts'
import type { Deployment, Service } from '../contracts.ts'

/** The service's definition for one host: `extra_hosts` leads names of services elsewhere to where they are. The user's own entries win. */
export function withExtraHosts({ name, definition }: Service, host: string, { reach }: Pick<Deployment, 'reach'>): JsonObject {
  const names = reach?.[host]?.names[name]
  if (names === undefined) return definition
  const given = definition['extra_hosts']
  const own = Array.isArray(given) ? Object.fromEntries(given.map(entry)) : (given ?? {})
  return { ...definition, extra_hosts: { ...names, ...(own as JsonObject) } }
}

/** `name:address`, or `name=address` as newer files have it. */
function entry(text: unknown): readonly [string, string] {
  const [, name = '', address = ''] = /^([^:=]+)[:=](.*)$/s.exec(String(text)) ?? []
  return [name, address]
}
