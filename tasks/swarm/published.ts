/** Compose's `ports` as ports of a Swarm service. Pure. */
import type { Json, JsonObject } from '../../graph/types.ts'
import { isObject, items } from '../rendering/json.ts'

/** Short ones are published by every node (`ingress`); `mode: host` only by nodes that run the service. */
export function publishedPorts(service: JsonObject): readonly JsonObject[] {
  return items(service['ports']).flatMap((port) => (isObject(port) ? [long(port)] : short(String(port))))
}

/** A port that cannot be had on a swarm, and why; undefined when it can. */
export function portProblem(port: Json): string | undefined {
  if (isObject(port)) {
    if (port['host_ip'] !== undefined) return 'is bound to one address: a swarm publishes on all addresses of a node'
    return /-/.test(String(port['published'] ?? '')) ? 'is a range of published ports' : undefined
  }
  const parts = split(String(port))
  if (parts.length > 2) return 'is bound to one address: a swarm publishes on all addresses of a node'
  return parts.length === 2 && size(parts[0] ?? '') !== size(parts[1] ?? '') ? 'is a range that leaves a choice' : undefined
}

/** A node can run one copy of what takes a port of its own. */
export function takesHostPort(service: JsonObject): boolean {
  return items(service['ports']).some((port) => isObject(port) && port['mode'] === 'host' && Number(port['published'] ?? 0) > 0)
}

function long(port: JsonObject): JsonObject {
  const published = Number(port['published'] ?? 0)
  return {
    Protocol: String(port['protocol'] ?? 'tcp'),
    TargetPort: Number(port['target']),
    ...(published > 0 && { PublishedPort: published }),
    PublishMode: port['mode'] === 'host' ? 'host' : 'ingress',
  }
}

function short(text: string): readonly JsonObject[] {
  const [, protocol = 'tcp'] = /\/(tcp|udp|sctp)$/.exec(text) ?? []
  const parts = split(text)
  const target = range(parts.at(-1) ?? '')
  const published = parts.length > 1 ? range(parts[0] ?? '') : []
  return target.map((port, index) => ({
    Protocol: protocol,
    TargetPort: port,
    ...(published[index] !== undefined && { PublishedPort: published[index] }),
    PublishMode: 'ingress',
  }))
}

function split(text: string): readonly string[] {
  return text.replace(/\/(tcp|udp|sctp)$/, '').match(/(?:\[[^\]]*\]|\$\{[^}]*\}|[^:])+/g) ?? []
}

function range(text: string): readonly number[] {
  const [first = 0, last = first] = text.split('-').map(Number)
  return Array.from({ length: Math.max(0, last - first + 1) }, (_, index) => first + index)
}

function size(text: string): number {
  return range(text).length
}
