import { digestOfJson } from '../../graph/fingerprint.ts'
import type { HostState } from '../../tasks/ports.ts'
import type { PlannedHost } from './saved-plan.ts'

/** What a host looks like, as far as a deploy goes by it: without locks, addresses and health, which come and go. Pure. */
export function pictureOf({ release, bundle, containers, edge, swarm }: HostState): PlannedHost {
  const byName = <T extends { readonly name: string }>(a: T, b: T) => (a.name < b.name ? -1 : 1)
  return {
    release: release?.split(' ')[0] ?? null,
    bundle: bundle ?? null,
    containers: containers.map(({ service, name, id, hash, state }) => ({ service, name, id: id.slice(0, 12), hash, state })).sort(byName),
    routes: sorted(Object.entries(edge?.routes ?? {}).map(([key, route]) => [key, digestOfJson({ ...route }).slice(0, 16)])),
    swarm: sorted((swarm?.services ?? []).map(({ name, hash, replicas }) => [name, `${hash} ×${replicas}`])),
  }
}

function sorted(entries: readonly (readonly [string, string])[]): Record<string, string> {
  return Object.fromEntries([...entries].sort(([a], [b]) => (a < b ? -1 : 1)))
}
