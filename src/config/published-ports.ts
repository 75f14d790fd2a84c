/** Which ports of the host a service takes for itself. */
import type { Json, JsonObject } from '../../graph/types.ts'
import { interpolate } from './interpolate.ts'
import { isList, isObject } from './json-path.ts'

/**
 * Host ports only one container can have, as written. A range of host ports for one container port (`8080-8081:80`) leaves
 * room for a second container, and a container port alone gets any free port. A variable of unknown value counts as a port.
 */
export function fixedHostPorts(definition: JsonObject, variables: Readonly<Record<string, string>>): string[] {
  const ports = definition['ports']
  return isList(ports) ? ports.flatMap((port) => fixedPort(port, variables) ?? []) : []
}

/** Ports of the container that are published at all. */
export function containerPorts(definition: JsonObject): number[] {
  const ports = isList(definition['ports']) ? definition['ports'] : []
  return ports.map((port) => {
    const text = isObject(port)
      ? String(port['target'] ?? '')
      : (splitOutsideBrackets(String(port).replace(/\/(tcp|udp|sctp)$/, '')).at(-1) ?? '')
    return /^\d+$/.test(text) ? Number(text) : Number.NaN
  })
}

function fixedPort(port: Json, variables: Readonly<Record<string, string>>): string | undefined {
  if (isObject(port)) return onlyOne(String(port['published'] ?? ''), String(port['target'] ?? ''), variables)
  const text = interpolate(String(port), variables).text.replace(/\/(tcp|udp|sctp)$/, '')
  const parts = splitOutsideBrackets(text)
  const container = parts.at(-1) ?? ''
  if (parts.length === 1) return container.includes('$') ? container : undefined
  return onlyOne(parts.at(-2) ?? '', container, variables)
}

function onlyOne(published: string, container: string, variables: Readonly<Record<string, string>>): string | undefined {
  const host = interpolate(published, variables).text
  if (host === '' || host === '0') return undefined
  const spare = rangeSize(host) > rangeSize(container)
  return spare ? undefined : host
}

function rangeSize(text: string): number {
  const range = /^(\d+)-(\d+)$/.exec(text)
  return range ? Number(range[2]) - Number(range[1]) + 1 : 1
}

/** At `:`, but not inside `[::1]` or `${…}`. */
function splitOutsideBrackets(text: string): string[] {
  return text.match(/(?:\[[^\]]*\]|\$\{[^}]*\}|[^:])+|(?<=:)(?=:|$)/g) ?? []
}
