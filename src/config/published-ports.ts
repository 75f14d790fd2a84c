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

/** The port of the container that others would ask: the first that `expose` or `ports` name. */
export function listeningPort(definition: JsonObject, variables: Readonly<Record<string, string>>): number | undefined {
  const { expose, ports } = definition
  const exposed = isList(expose) ? expose.map((port) => portNumber(String(port), variables)) : []
  const targets = isList(ports) ? ports.map((port) => portsOf(port, variables).target) : []
  return [...exposed, ...targets].find((port) => port !== undefined)
}

/** The fixed port of the host that leads to a port of the container, if the definition publishes it. */
export function publishedAs(definition: JsonObject, port: number, variables: Readonly<Record<string, string>>): number | undefined {
  const { ports } = definition
  const entries = isList(ports) ? ports.map((entry) => portsOf(entry, variables)) : []
  return entries.find(({ target, published }) => target === port && published !== undefined)?.published
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

function portsOf(entry: Json, variables: Readonly<Record<string, string>>): { readonly target?: number; readonly published?: number } {
  const parts = isObject(entry)
    ? [String(entry['published'] ?? ''), String(entry['target'] ?? '')]
    : splitOutsideBrackets(interpolate(String(entry), variables).text)
  const target = portNumber(parts.at(-1) ?? '', variables)
  const published = parts.length > 1 ? portNumber(parts.at(-2) ?? '', variables) : undefined
  return { ...(target !== undefined && { target }), ...(published !== undefined && { published }) }
}

/** Of a range, where it begins. */
function portNumber(text: string, variables: Readonly<Record<string, string>>): number | undefined {
  const digits = /^(\d+)(-\d+)?(\/[a-z]+)?$/.exec(interpolate(text, variables).text)?.[1]
  const port = Number(digits ?? 0)
  return port > 0 && port <= 65535 ? port : undefined
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
