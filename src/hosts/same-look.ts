import type { HostState } from '../../tasks/ports.ts'

/**
 * Whether two looks at a host show the work of the same runs: the same containers, bundle, release, routes and services of a swarm. What lives
 * by itself is left out: a container that restarts is no other container. Pure.
 */
export function isSameLook(one: HostState, other: HostState): boolean {
  return traceOf(one) === traceOf(other)
}

function traceOf({ bundle, release, containers, edge, swarm }: HostState): string {
  const routes = Object.entries(edge?.routes ?? {}).sort(([a], [b]) => (a < b ? -1 : 1))
  const services = (swarm?.services ?? []).map(({ id, hash, replicas }) => `${id} ${hash} ${replicas}`).sort()
  return JSON.stringify([bundle ?? '', release ?? '', containers.map(({ id, hash }) => `${id} ${hash}`).sort(), routes, services])
}
