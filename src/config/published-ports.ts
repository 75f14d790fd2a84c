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

/** How many containers of a service the ranges of host ports leave room for, by the shortest of them; no limit without a range. */
export function roomInRanges(definition: JsonObject, variables: Readonly<Record<string, string>>): number {
  const ports = isList(definition['ports']) ? definition['ports'] : []
  const rooms = ports.map((entry) => {
    const { host = '', container } = hostAndContainer(entry, variables)
    return /^\d+-\d+$/.test(host) ? Math.floor(rangeSize(host) / rangeSize(container)) : Number.POSITIVE_INFINITY
  })
  return Math.min(Number.POSITIVE_INFINITY, ...rooms)
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
  const { host, container } = hostAndContainer(entry, variables)
  const target = portNumber(container, variables)
  const published = host === undefined ? undefined : portNumber(host, variables)
  return { ...(target !== undefined && { target }), ...(published !== undefined && { published }) }
}

/** Both ends as they are written, with values in the place of variables. */
function hostAndContainer(
  entry: Json,
  variables: Readonly<Record<string, string>>,
): { readonly host?: string | undefined; readonly container: string } {
  const value = (text: string) => interpolate(text, variables).text
  if (isObject(entry)) return { host: value(String(entry['published'] ?? '')), container: value(String(entry['target'] ?? '')) }
  const [container = '', host] = splitOutsideBrackets(value(String(entry)).replace(/\/(tcp|udp|sctp)$/, '')).reverse()
  return { host, container }
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
