/** One look at one host, over one connection: nothing on it changes. */
import { TaskFailure } from '../../../tasks/kind.ts'
import type { Container, Host, HostState } from '../../../tasks/ports.ts'
import { composeFileName, currentLink } from '../../../tasks/rendering/bundle-layout.ts'
import { journalFile } from '../../journal/line.ts'
import { type JournalState, replay } from '../../journal/replay.ts'
import { damageText } from '../../journal/text.ts'
import { remoteHistory } from '../../session/host-history.ts'
import type { LookedContainer } from './findings.ts'
import { type EdgeLook, lookAtEdge } from './look-at-edge.ts'
import { lookAtSwarm } from './look-at-swarm.ts'
import { type RenderedService, renderedServices } from './rendered-bundle.ts'

export interface LockLook {
  /** For people: `anna@laptop pid 4711`. */
  readonly holder: string
  /** ISO 8601, by the holder's clock. */
  readonly since?: string
  /** Seconds since its last sign of life; undefined when it cannot be told. */
  readonly silentSeconds?: number
}

export interface HostLook {
  readonly containers: readonly LookedContainer[]
  /** What the current release wants here; undefined when nothing was deployed yet. */
  readonly services?: readonly RenderedService[]
  readonly lock?: LockLook
  /** What runs left word of; text for a person when it cannot be read. */
  readonly journal?: JournalState | string
  /** The proxy and the routes of this environment; undefined where there are none. */
  readonly edge?: EdgeLook
  /** Text of the history that the primary host keeps. */
  readonly history?: string
}

/** @throws TaskFailure when the host does not answer. */
export async function lookAtHost(host: Host, isPrimary: boolean): Promise<HostLook> {
  const [state, rendered, journal, history] = await Promise.all([
    host.observe(),
    readText(host, `${currentLink}/${composeFileName}`),
    host.files.read(journalFile),
    isPrimary ? readText(host, remoteHistory) : undefined,
  ])
  const inSwarm = state.swarm && (await lookAtSwarm(host))
  const [containers, lock, edge] = await Promise.all([
    inSwarm?.containers ?? Promise.all(state.containers.map((container) => lookAtContainer(host, container))),
    state.lock === undefined ? undefined : lookAtLock(host, state.lock),
    lookAtEdge(host),
  ])
  return {
    containers,
    ...(inSwarm?.services && { services: inSwarm.services }),
    ...(inSwarm || rendered === undefined ? {} : { services: understood(host, rendered) }),
    ...(lock === undefined ? {} : { lock }),
    ...(journal === undefined ? {} : { journal: journalOf(host, journal) }),
    ...(edge && { edge }),
    ...(history === undefined ? {} : { history }),
  }
}

async function lookAtContainer(host: Host, container: Container): Promise<LookedContainer> {
  try {
    return { ...container, detail: await host.engine.inspect(container.id) }
  } catch (error) {
    // It went away since it was listed.
    if (error instanceof TaskFailure && error.failure.reason === 'refused') return container
    throw error
  }
}

/** Ages are by the host's own clock. */
export async function lookAtLock(host: Host, { owner, description, startedAt }: NonNullable<HostState['lock']>): Promise<LockLook> {
  const beat = `${host.directory}/lock.beat.${owner}`
  const ask = (argv: readonly [string, ...string[]]) => host.run({ argv, timeoutMs: 10_000 })
  const [now, written] = await Promise.all([ask(['date', '+%s']), owner === '' ? undefined : ask(['stat', '-c', '%Y', beat])])
  const silence = now.code === 0 && written?.code === 0 ? Number(now.stdout.trim()) - Number(written.stdout.trim()) : Number.NaN
  return {
    holder: description,
    ...(startedAt === undefined ? {} : { since: startedAt }),
    ...(Number.isFinite(silence) ? { silentSeconds: Math.max(0, silence) } : {}),
  }
}

function journalOf({ name, directory }: Host, bytes: Uint8Array): JournalState | string {
  const replayed = replay(bytes)
  return replayed.ok ? replayed.state : damageText(name, directory, replayed.damage)
}

function understood(host: Host, text: string): readonly RenderedService[] {
  try {
    return renderedServices(text)
  } catch (error) {
    const message = `${host.directory}/${currentLink}/${composeFileName} on ${host.name} is not what a deploy wrote: ${(error as Error).message}`
    throw new TaskFailure({ reason: 'refused', subject: host.name, message, remedy: 'deploy again' }, { cause: error })
  }
}

async function readText(host: Host, path: string): Promise<string | undefined> {
  const bytes = await host.files.read(path)
  return bytes && Buffer.from(bytes).toString('utf8')
}
