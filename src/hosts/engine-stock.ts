/** Everything a host's Engine holds, whoever it belongs to: images, and containers of all projects. */
import { askEngine } from './engine-request.ts'
import type { SshConnection } from './ssh-connection.ts'
import type { EngineAgent } from './ssh-engine-agent.ts'

export interface HeldImage {
  /** `sha256:…` */
  readonly id: string
  /** `registry/name:tag`, sorted. */
  readonly tags: readonly string[]
  /** `registry/name@sha256:…`, sorted. */
  readonly digests: readonly string[]
  /** Layers it shares with other images counted in. */
  readonly bytes: number
}

/** A container of any project, in any state. */
export interface HeldContainer {
  readonly id: string
  readonly name: string
  readonly imageId: string
  readonly isRunning: boolean
  readonly labels: Readonly<Record<string, string>>
  /** Paths of the host that are mounted into it. */
  readonly mounts: readonly string[]
  /** What it wrote to its own layer. Undefined when the Engine was not asked. */
  readonly bytes?: number
}

/** Sorted by id. @throws TaskFailure */
export async function heldImages(connection: SshConnection, agent: EngineAgent): Promise<readonly HeldImage[]> {
  const { json } = await askEngine(connection, agent, { what: 'list images', method: 'GET', path: '/images/json' })
  const rows = json as readonly { Id: string; RepoTags?: string[] | null; RepoDigests?: string[] | null; Size?: number }[]
  const named = (words: readonly string[] | null | undefined) => (words ?? []).filter((word) => !word.includes('<none>')).sort()
  return rows
    .map(({ Id, RepoTags, RepoDigests, Size }) => ({ id: Id, tags: named(RepoTags), digests: named(RepoDigests), bytes: Size ?? 0 }))
    .sort((a, b) => (a.id < b.id ? -1 : 1))
}

/** Sorted by name. @throws TaskFailure */
export async function heldContainers(connection: SshConnection, agent: EngineAgent): Promise<readonly HeldContainer[]> {
  const { json } = await askEngine(connection, agent, { what: 'list containers', method: 'GET', path: '/containers/json?all=1&size=1' })
  const rows = json as readonly {
    Id: string
    Names?: string[] | null
    ImageID?: string
    State?: string
    Labels?: Record<string, string> | null
    Mounts?: { Source?: string }[] | null
    SizeRw?: number
  }[]
  return rows
    .map(({ Id, Names, ImageID, State, Labels, Mounts, SizeRw }) => ({
      id: Id,
      name: (Names?.[0] ?? Id).replace(/^\//, ''),
      imageId: ImageID ?? '',
      isRunning: State === 'running' || State === 'paused' || State === 'restarting',
      labels: Labels ?? {},
      mounts: (Mounts ?? []).flatMap(({ Source }) => (Source ? [Source] : [])),
      ...(SizeRw !== undefined && { bytes: SizeRw }),
    }))
    .sort((a, b) => (a.name < b.name ? -1 : 1))
}

/**
 * Takes one name away; the image goes with its last name. Never by force: an image that a container uses stays.
 * @returns false when it was in use or gone.
 */
export async function removeImage(connection: SshConnection, agent: EngineAgent, name: string): Promise<boolean> {
  const path = `/images/${name.split('/').map(encodeURIComponent).join('/')}?force=0&noprune=0`
  const { status } = await askEngine(connection, agent, { what: `remove image ${name}`, method: 'DELETE', path, expected: [404, 409] })
  return status < 400
}
