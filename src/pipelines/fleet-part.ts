/** A part of the fleet: some hosts, some services. Pure. */
import type { Deployment, Service } from '../contracts.ts'

export interface FleetPart {
  /** Names of hosts that take part; undefined: all that run one of `services`. */
  readonly hosts?: readonly string[]
  /** Names of services that are rolled; undefined: all. */
  readonly services?: readonly string[]
  /** Hosts that were to take part and do not answer. */
  readonly unreachable?: readonly string[]
}

/** What of a deployment takes part. */
export interface Scope {
  /** Sorted by name. */
  readonly hosts: readonly string[]
  readonly isPartial: boolean
  isRolled(service: string): boolean
}

export function scopeOf({ hosts, services }: Deployment, part: FleetPart = {}): Scope {
  const isRolled = (service: string) => part.services?.includes(service) ?? true
  const runs = (host: string) => services.some((service) => isRolled(service.name) && service.hosts.includes(host))
  const asked = hosts.map(({ name }) => name).filter((name) => part.hosts?.includes(name) ?? (part.services === undefined || runs(name)))
  return {
    hosts: asked.filter((name) => !part.unreachable?.includes(name)),
    isPartial: part.hosts !== undefined || part.services !== undefined || (part.unreachable?.length ?? 0) > 0,
    isRolled,
  }
}

/** Hosts of a service that take part. */
export function hostsInScope(service: Service, { hosts, isRolled }: Scope): readonly string[] {
  return isRolled(service.name) ? service.hosts.filter((host) => hosts.includes(host)) : []
}

/** Hosts that nobody else may write to meanwhile: those that take part, and the one with the history. Sorted. */
export function lockedHosts(deployment: Deployment, part: FleetPart | undefined): readonly string[] {
  const { primaryHost } = deployment
  const { hosts } = scopeOf(deployment, part)
  const sorted = [...hosts].sort()
  return primaryHost === undefined ? sorted : [primaryHost, ...sorted.filter((name) => name !== primaryHost)]
}
