/** What hosts looked like, judged: the result of `status`. Pure. */
import type { Container } from '../../../tasks/ports.ts'
import type { Deployment } from '../../contracts.ts'
import { latestRun, type OpenRun } from '../../journal/replay.ts'
import { currentRelease, newestFirst, overallStatus, type Release } from '../../releases/release.ts'
import { shortVersion } from '../../ui/short-version.ts'
import type { Answer } from '../fleet.ts'
import { type EdgeStatus, findEdgeDrift } from './edge-findings.ts'
import { type Circumstances, type Drift, findDrift, type LookedContainer } from './findings.ts'
import type { HostLook, LockLook } from './look.ts'
import type { RenderedService } from './rendered-bundle.ts'

export interface ReleaseStatus {
  readonly id: string
  readonly version: string
  readonly status: string
  readonly timestamp: string
  readonly by?: string
}

export interface ServiceStatus {
  readonly name: string
  readonly image: string
  readonly version: string
  readonly replicas: { readonly wanted: number; readonly running: number }
  /** That of its least well container; `missing` when there is none. */
  readonly state: Container['state'] | 'missing'
  readonly health: Container['health']
  /** Of the definition the release wants; that of the containers for a service it does not have. */
  readonly hash: string
  readonly drift: readonly Drift[]
  readonly containers: readonly { readonly name: string; readonly state: Container['state']; readonly health: Container['health'] }[]
  /** When the youngest of its running containers started. */
  readonly sinceMs?: number
}

export interface HostStatus {
  readonly name: string
  readonly reachable: boolean
  readonly error?: string
  /** False: services are to run here, and none was deployed yet. */
  readonly deployed: boolean
  readonly services: readonly ServiceStatus[]
  /** Undefined where nothing is routed. */
  readonly edge?: EdgeStatus
}

export interface StatusReport {
  readonly env: string
  readonly release: ReleaseStatus | undefined
  /** The newest release, when it is not the current one: it failed, or is under way. */
  readonly attempt: ReleaseStatus | undefined
  /** A run that was cut off, and nobody has gone on since. */
  readonly interrupted: OpenRun | undefined
  /** Journals that cannot be read, in words. */
  readonly damaged: readonly string[]
  readonly locks: readonly (LockLook & { readonly host: string })[]
  readonly hosts: readonly HostStatus[]
}

export interface StatusInput {
  readonly deployment: Deployment
  readonly answers: readonly Answer<HostLook>[]
  /** Of this environment, from wherever it is known. */
  readonly releases: readonly Release[]
  wants(service: string): boolean
  readonly nowMs: number
}

export function statusReport({ deployment, answers, releases, wants, nowMs }: StatusInput): StatusReport {
  const env = deployment.environment
  const own = newestFirst(releases.filter(({ environment, kind }) => environment === env && kind !== 'build'))
  const current = currentRelease(own, env)
  const newest = own[0]
  const isDeploying = answers.some((answer) => answer.ok && isAlive(answer.value.lock))
  const journals = answers.flatMap((answer) => (answer.ok && answer.value.journal !== undefined ? [answer.value.journal] : []))
  return {
    env,
    release: current && releaseStatus(current),
    attempt: newest !== undefined && newest.id !== current?.id ? releaseStatus(newest) : undefined,
    interrupted: isDeploying ? undefined : latestRun(journals.flatMap((journal) => (typeof journal === 'object' ? [journal] : []))),
    damaged: journals.filter((journal) => typeof journal === 'string'),
    locks: answers.flatMap((answer) => (answer.ok && answer.value.lock ? [{ host: answer.name, ...answer.value.lock }] : [])),
    hosts: answers.map((answer): HostStatus => {
      const { name } = answer
      if (!answer.ok) return { name, reachable: false, error: answer.failure.message, deployed: true, services: [] }
      const isHome = deployment.services.some((service) => service.hosts.includes(name))
      const services = servicesOn(answer.value, wants, own, { nowMs, isDeploying })
      const { edge: look, containers, services: wanted = [] } = answer.value
      const edge = findEdgeDrift({ look, containers, services: wanted, wants, isDeploying })
      return { name, reachable: true, deployed: answer.value.services !== undefined || !isHome, services, ...(edge && { edge }) }
    }),
  }
}

/** Something is not as the current release wants it, or cannot be looked at. */
export function isDegraded({ hosts }: StatusReport): boolean {
  return hosts.some((host) => !host.reachable || hasDrift(host))
}

/** Something on a host that answered is not as the current release wants it. */
export function hasDrift({ deployed, services, edge }: HostStatus): boolean {
  return !deployed || [...services, ...(edge ? [edge, ...edge.routes] : [])].some(({ drift }) => drift.length > 0)
}

/** A lease is 30 s long: a holder silent for longer is taken for dead. */
export function isAlive(lock: LockLook | undefined): boolean {
  return lock !== undefined && (lock.silentSeconds ?? 0) <= leaseSeconds
}

const leaseSeconds = 30

function releaseStatus(release: Release): ReleaseStatus {
  const { id, version, timestamp, by } = release
  return { id, version, status: overallStatus(release), timestamp, ...(by === undefined ? {} : { by }) }
}

function servicesOn(
  { services = [], containers }: HostLook,
  wants: (service: string) => boolean,
  releases: readonly Release[],
  around: Circumstances,
): readonly ServiceStatus[] {
  const names = new Set([...services, ...containers.map(({ service }) => ({ name: service }))].map(({ name }) => name))
  return [...names]
    .filter(wants)
    .sort()
    .map((name) => {
      const wanted = services.find((service) => service.name === name)
      const own = containers.filter(({ service }) => service === name)
      return serviceStatus(name, wanted, own, releases, around)
    })
}

/** From the least well to the best. */
const states: readonly Container['state'][] = ['dead', 'removing', 'restarting', 'exited', 'created', 'paused', 'running']
const healths: readonly Container['health'][] = ['unhealthy', 'starting', 'healthy', 'none']

function serviceStatus(
  name: string,
  wanted: RenderedService | undefined,
  containers: readonly LookedContainer[],
  releases: readonly Release[],
  around: Circumstances,
): ServiceStatus {
  // Of containers that only wait to be removed, nobody wants to know how they are.
  const wantedOnes = containers.filter(({ hash }) => hash === wanted?.hash)
  const counted = wantedOnes.length > 0 ? wantedOnes : containers
  const running = containers.filter(({ state }) => state === 'running')
  const started = running.flatMap(({ detail }) => (detail?.startedAt === undefined ? [] : [Date.parse(detail.startedAt)]))
  const images = [...new Set((running.length > 0 ? running : counted).map(({ image }) => image))]
  const shownImages = images.length > 0 ? images : [wanted?.image ?? '']
  return {
    name,
    image: shownImages.join(', '),
    version: [...new Set(shownImages.map((image) => versionOf(image, name, releases)))].join(', '),
    replicas: { wanted: wanted?.replicas ?? 0, running: running.filter(({ hash }) => wanted === undefined || hash === wanted.hash).length },
    state: states.find((state) => counted.some((container) => container.state === state)) ?? 'missing',
    health: healths.find((health) => counted.some((container) => container.state === 'running' && container.health === health)) ?? 'none',
    hash: wanted?.hash ?? containers[0]?.hash ?? '',
    drift: findDrift(wanted, containers, around),
    containers: containers.map(({ name: container, state, health }) => ({ name: container, state, health })),
    ...(started.length > 0 ? { sinceMs: Math.max(...started) } : {}),
  }
}

/** An image we built by the version of the release that brought it, another by its tag, else by the beginning of its digest. */
export function versionOf(image: string, service: string, newestFirst: readonly Release[]): string {
  const digest = /(?:^|@)(sha256:[0-9a-f]{64})$/.exec(image)?.[1]
  const release = digest === undefined ? undefined : newestFirst.find(({ images }) => images?.[service]?.digest === digest)
  if (release !== undefined) return shortVersion(release.version)
  const named = image.replace(/@?sha256:[0-9a-f]{64}$/, '')
  const tag = named.slice(named.lastIndexOf('/') + 1).split(':')[1]
  if (tag !== undefined && tag !== '') return tag
  return digest === undefined ? (named === '' ? '' : 'latest') : digest.slice(0, 'sha256:'.length + 12)
}

/** Keys in a fixed order, nothing that changes while nothing happens: no ages. */
export function statusJson({ env, release, attempt, interrupted, locks, hosts }: StatusReport): object {
  return {
    env,
    release: release ?? null,
    attempt: attempt ?? null,
    interrupted: interrupted ? interruptedJson(interrupted) : null,
    locks: locks.map(({ host, holder, since }) => ({ host, holder, ...(since === undefined ? {} : { since }) })),
    hosts: hosts.map(({ name, reachable, error, deployed, services, edge }) => ({
      name,
      reachable,
      ...(error === undefined ? {} : { error }),
      deployed,
      services: services.map(({ sinceMs: _, ...service }) => service),
      edge: edge ?? null,
    })),
  }
}

function interruptedJson({ who, what, at, release, last }: OpenRun): object {
  return { who, what, at, release: release ?? null, task: last?.task ?? null, did: last?.did ?? null }
}
