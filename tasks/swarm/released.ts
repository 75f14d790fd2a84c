/** What the last release wants of a swarm, as the manager keeps it: for whoever looks without a checkout's tasks. */
import { z } from 'zod'
import type { StackValues } from './params.ts'

/** In the environment's folder on the manager. */
export const swarmFile = 'swarm.json'

const released = z.lazy(() =>
  z.object({ services: z.record(z.string(), z.object({ hash: z.string(), image: z.string(), replicas: z.number() })) }),
)

export function swarmFileText({ services }: StackValues): string {
  const kept = Object.fromEntries(Object.entries(services).map(([name, { hash, image, replicas }]) => [name, { hash, image, replicas }]))
  return `${JSON.stringify({ services: kept }, null, 2)}\n`
}

/** Sorted by name. @throws Error when it is not a file of ours. */
export function releasedServices(
  text: string,
): readonly { readonly name: string; readonly hash: string; readonly image: string; readonly replicas: number }[] {
  const { services } = released.parse(JSON.parse(text))
  return Object.entries(services)
    .map(([name, service]) => ({ name, ...service }))
    .sort((a, b) => (a.name < b.name ? -1 : 1))
}
