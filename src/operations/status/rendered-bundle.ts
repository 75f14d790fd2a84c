/** What the current release wants of a host, as it says itself: the Compose file that `current` points to. Pure. */
import { parse } from 'yaml'

/** One service of the release on one host. */
export interface RenderedService {
  readonly name: string
  /** Content hash: what its containers are labelled with. */
  readonly hash: string
  readonly image: string
  readonly replicas: number
  /** Name of the restart policy: `no`, `always`, `unless-stopped`, `on-failure`. */
  readonly restart: string
}

/** Sorted by name. @throws Error when it is not a Compose file of ours. */
export function renderedServices(text: string): readonly RenderedService[] {
  const services = member(parse(text), 'services')
  return Object.keys(record(services))
    .sort()
    .map((name) => {
      const service = member(services, name)
      const hash = member(member(service, 'labels'), 'stagecraft.hash')
      if (typeof hash !== 'string') throw new Error(`service ${name} has no hash`)
      const replicas = Number(member(service, 'scale') ?? 1)
      const restart = String(member(service, 'restart') ?? 'no').split(':')[0] ?? 'no'
      return { name, hash, image: String(member(service, 'image') ?? ''), replicas, restart: restart === '' ? 'no' : restart }
    })
}

function member(value: unknown, name: string): unknown {
  return record(value)[name]
}

function record(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {}
}
