/**
 * A release is one attempt to bring a version to an environment. Everything here is pure: time, process and file are handed in.
 * Field names are those of `.stagecraft/releases.json`; fields we do not know are carried along untouched.
 */
import { type Phase, phases } from '../../graph/types.ts'

export type PhaseStatus = 'pending' | 'running' | 'completed' | 'failed' | 'skipped'
export type ReleaseStatus = 'pending' | 'running' | 'completed' | 'failed'

/** Why a phase stands where it stands. */
export interface PhaseDetail {
  readonly reason?: 'not_configured' | 'upstream_failed' | 'cancelled' | 'crashed' | 'reuse_image' | 'rollback'
  /** Every task of the phase was as wanted already. */
  readonly cached?: true
  /** First failure of the phase, redacted. */
  readonly error?: string
  /** `Failure.reason` of that failure. */
  readonly error_class?: string
}

export interface ReleaseImage {
  readonly ref: string
  /** Of its manifest in the registry; of its configuration when it was sent. */
  readonly digest: string
  /** How it came to hosts; absent: through a registry. */
  readonly transfer?: 'ssh'
}

/** The process that makes a release, kept only until the release is finished. */
export interface ReleaseOwner {
  readonly host: string
  readonly pid: number
  /** Tells a process from a later one with the same pid; empty where the system does not say. */
  readonly start: string
}

export interface Release {
  /** `rel-YYYYMMDD-HHMMSSmmm` in UTC; the order of ids is the order of time. */
  readonly id: string
  /** A `build` never becomes the current release. */
  readonly kind: 'deploy' | 'rollback' | 'build'
  readonly environment: string
  readonly version: string
  /** Empty outside a repository. */
  readonly commit_sha: string
  readonly timestamp: string
  /** Who made it, for people: `anna@laptop`. */
  readonly by?: string
  /** Decides which of two copies of one release is the newer one. */
  readonly updated_at: string
  readonly phases: Readonly<Record<Phase, PhaseStatus>>
  readonly phase_details?: Readonly<Partial<Record<Phase, PhaseDetail>>>
  /** By service: what a rollback to this release runs. */
  readonly images?: Readonly<Record<string, ReleaseImage>>
  /** Newest release of the environment when this one began. */
  readonly previous_id?: string
  /** About a part of the fleet: nothing to roll back to. */
  readonly partial?: true
  /** Hosts that were left out because they did not answer. */
  readonly unreachable?: readonly string[]
  /** Hosts of the environment and their addresses, when it was made. */
  readonly hosts?: Readonly<Record<string, string>>
  /** It failed, and what it had swapped went back: all of it, or a part. */
  readonly undone?: 'whole' | 'partly'
  readonly rolled_back_from?: string
  readonly rollback_target?: string
  /** Why, in the words of who made it. */
  readonly reason?: string
  /** Tells whether the Compose file was another. */
  readonly compose_hash?: string
  readonly finished: boolean
  readonly owner?: ReleaseOwner
}

const allowed: Readonly<Record<PhaseStatus, readonly PhaseStatus[]>> = {
  pending: ['running', 'skipped'],
  running: ['completed', 'failed'],
  completed: [],
  failed: [],
  skipped: [],
}

/**
 * One step of one phase.
 * @throws Error for a step that no run can take: that is a bug of ours.
 */
export function transition(release: Release, phase: Phase, to: PhaseStatus, detail?: PhaseDetail): Release {
  const from = release.phases[phase]
  if (!allowed[from].includes(to)) throw new Error(`phase ${phase} of ${release.id} cannot go from ${from} to ${to}`)
  return {
    ...release,
    phases: { ...release.phases, [phase]: to },
    ...(detail ? { phase_details: { ...release.phase_details, [phase]: detail } } : {}),
  }
}

/** {@link transition} by way of `running` where that lies between; staying put is no step. */
export function advance(release: Release, phase: Phase, to: PhaseStatus, detail?: PhaseDetail): Release {
  if (release.phases[phase] === to) return release
  const passesRunning = release.phases[phase] === 'pending' && (to === 'completed' || to === 'failed')
  return transition(passesRunning ? transition(release, phase, 'running') : release, phase, to, detail)
}

const idPattern = /^rel-(\d{4})(\d\d)(\d\d)-(\d\d)(\d\d)(\d\d)(\d{3})?$/

/** The id for `now`, or one millisecond after `last` when the clock is not past it. */
export function nextReleaseId(now: Date, last: string | undefined): string {
  const lastMs = last === undefined ? undefined : releaseTimeMs(last)
  const timeMs = lastMs === undefined ? now.getTime() : Math.max(now.getTime(), lastMs + 1)
  const digits = new Date(timeMs).toISOString().replace(/[^\d]/g, '')
  return `rel-${digits.slice(0, 8)}-${digits.slice(8)}`
}

/** Milliseconds since 1970 of an id (older ids have no milliseconds), or undefined for what is no id of ours. */
export function releaseTimeMs(id: string): number | undefined {
  const match = idPattern.exec(id)
  if (!match) return undefined
  const [, year, month, day, hour, minute, second, millisecond = '000'] = match
  const timeMs = Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}.${millisecond}Z`)
  return Number.isNaN(timeMs) ? undefined : timeMs
}

/** All six phases in one status. */
export function allPhases(status: PhaseStatus): Readonly<Record<Phase, PhaseStatus>> {
  return Object.fromEntries(phases.map((phase) => [phase, status])) as Record<Phase, PhaseStatus>
}

/** Newest first; ids decide, and equal ids keep their order. */
export function newestFirst(releases: readonly Release[]): readonly Release[] {
  return [...releases].sort((a, b) => compare(b.id, a.id))
}

/** Environments in order, the newest release of each first. */
export function byEnvironment(releases: readonly Release[]): readonly Release[] {
  return [...releases].sort((a, b) => compare(a.environment, b.environment) || compare(b.id, a.id))
}

/**
 * What the release came to. A phase skipped because there was nothing to do counts as done; one skipped after a failure
 * leaves the failure to speak.
 */
export function overallStatus(release: Release): ReleaseStatus {
  const statuses = phases.map((phase) => release.phases[phase])
  if (statuses.includes('failed')) return 'failed'
  const done = phases.every((phase) => release.phases[phase] === 'completed' || isBenignSkip(release, phase))
  if (done) return 'completed'
  if (release.finished) return 'failed'
  return statuses.some((status) => status === 'running' || status === 'completed') ? 'running' : 'pending'
}

/** The newest deploy or rollback that went all the way: what is live, and where a rollback starts from. */
export function currentRelease(releases: readonly Release[], environment: string): Release | undefined {
  return newestFirst(releases).find(
    (release) => release.environment === environment && release.kind !== 'build' && release.phases.finalize === 'completed',
  )
}

/** Settles what a process that is gone left behind: running phases failed, the rest never happened. */
export function crashed(release: Release, now: Date): Release {
  let result = release
  const started = phases.some((phase) => release.phases[phase] === 'running')
  for (const phase of phases) {
    if (result.phases[phase] === 'running') result = transition(result, phase, 'failed', { reason: 'crashed' })
    else if (result.phases[phase] === 'pending') {
      // Between two phases nothing is running: the next one is where it ended.
      const ended = !started && phases.every((other) => result.phases[other] !== 'failed')
      result = advance(result, phase, ended ? 'failed' : 'skipped', { reason: ended ? 'crashed' : 'upstream_failed' })
    }
  }
  return finished(result, now)
}

/** The release with nothing more to come. */
export function finished(release: Release, now: Date): Release {
  const { owner: _, ...rest } = release
  return { ...rest, finished: true, updated_at: now.toISOString() }
}

function isBenignSkip(release: Release, phase: Phase): boolean {
  return release.phases[phase] === 'skipped' && release.phase_details?.[phase]?.reason !== 'upstream_failed'
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
