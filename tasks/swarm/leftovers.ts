/** What is in a swarm of an environment and belongs to its release no more. Volumes are never touched. */
import type { TaskContext } from '../kind.ts'
import type { Host, SwarmObject, SwarmObjectKind, SwarmService } from '../ports.ts'
import type { StackValues } from './params.ts'

export interface SwarmLeftovers {
  readonly services: readonly SwarmService[]
  readonly objects: readonly (SwarmObject & { readonly kind: SwarmObjectKind })[]
}

/** Looks only. */
export async function swarmLeftovers(host: Host, values: StackValues): Promise<SwarmLeftovers> {
  const { swarm } = await host.observe()
  const services = (swarm?.services ?? []).filter(({ service }) => values.services[service] === undefined)
  const kinds: readonly SwarmObjectKind[] = ['configs', 'secrets', 'networks']
  const objects = await Promise.all(
    kinds.map(async (kind) => {
      const wanted = wantedNames(kind, values)
      return (await host.swarm.objects(kind)).filter(({ name }) => !wanted.has(name)).map((object) => ({ ...object, kind }))
    }),
  )
  return { services, objects: objects.flat() }
}

export function leftoverNames({ services, objects }: SwarmLeftovers): readonly string[] {
  return [...services, ...objects].map(({ name }) => name)
}

/** Services first: what they mounted can go once they are gone. What is still in use stays for the next release to remove. */
export async function removeLeftovers(host: Host, { services, objects }: SwarmLeftovers, context: TaskContext): Promise<void> {
  for (const service of services) {
    await context.guard()
    context.log(`removing service ${service.name}: it is not in the project any more; its volumes stay`)
    await host.swarm.remove(service)
  }
  for (const { kind, name, id } of objects) {
    await context.guard()
    if (await host.swarm.discard(kind, id)) context.log(`removed ${kind.replace(/s$/, '')} ${name}`)
  }
  if (services.length + objects.length > 0) host.changed()
}

function wantedNames(kind: SwarmObjectKind, values: StackValues): ReadonlySet<string> {
  return new Set(values[kind].map(({ name }) => name))
}
