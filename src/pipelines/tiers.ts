/** Stores come before what uses them, and gateways after what they lead to. Pure. */
import type { Service } from '../contracts.ts'

/** In order of rollout. Roles that are none of these, and no role, count as `app`. */
const tierOfRole: Readonly<Record<string, number>> = { db: 0, cache: 0, infra: 1, app: 2, gateway: 3 }
const app = 2

type Placed = Pick<Service, 'name' | 'role' | 'dependsOn'>

/**
 * The tier of every service, by name. What a service depends on is never in a later tier than itself: `depends_on` says more than a role.
 */
export function tiersOf(services: readonly Placed[]): ReadonlyMap<string, number> {
  const byName = new Map(services.map((service) => [service.name, service]))
  const found = new Map<string, number>()
  const lower = (name: string, tier: number): void => {
    const service = byName.get(name)
    if (!service || (found.get(name) ?? Number.POSITIVE_INFINITY) <= tier) return
    found.set(name, tier)
    for (const dependency of service.dependsOn) lower(dependency, tier)
  }
  for (const { name, role } of services) lower(name, tierOfRole[role ?? ''] ?? app)
  return found
}
