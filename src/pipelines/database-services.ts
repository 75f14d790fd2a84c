import type { DatabaseTarget, Deployment } from '../contracts.ts'

/** Databases that are our own services, and all they depend on: up before their migrations run. */
export function databaseServices(databases: readonly DatabaseTarget[], deployment: Deployment): ReadonlySet<string> {
  const early = new Set<string>()
  const add = (name: string): void => {
    if (early.has(name)) return
    early.add(name)
    for (const dependency of deployment.services.find((service) => service.name === name)?.dependsOn ?? []) add(dependency)
  }
  for (const { service } of databases) if (service !== undefined) add(service)
  return early
}
