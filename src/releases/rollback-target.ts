/**
 * Which release a rollback goes to. Pure: a decision about a history.
 *
 * Good is a release that went all the way, on the whole fleet. `current` is the newest good or partial one that was finished; what came after
 * it failed. When such a failure was not taken back whole, hosts are between two releases: then the current release is itself somewhere to
 * go back to, and what "previous" means (ADR 29).
 */
import type { Checked, Diagnostic } from '../../graph/types.ts'
import { currentRelease, newestFirst, overallStatus, type Release } from './release.ts'

/** What a person asked for. */
export type RollbackWish =
  | { readonly by: 'previous' }
  | { readonly by: 'release'; readonly id: string }
  | { readonly by: 'version'; readonly version: string }

export interface RollbackChoice {
  readonly target: Release
  /** What is live, when anything ever was. */
  readonly current?: Release
  /** Newer ones than the target that were left out on the way back, newest first, and why. */
  readonly passed: readonly { readonly release: Release; readonly why: string }[]
  /** A later release failed and left hosts behind: the environment is not what `current` says. */
  readonly isMixed: boolean
}

/** @returns a target that may be gone back to, or what is wrong with the wish. */
export function chooseRollback(releases: readonly Release[], environment: string, wish: RollbackWish): Checked<RollbackChoice> {
  const own = newestFirst(releases.filter((release) => release.environment === environment))
  const current = currentRelease(own, environment)
  const isMixed = own.some((release) => leavesHostsBehind(release, current))
  const around = { isMixed, ...(current ? { current } : {}) }
  if (wish.by === 'previous') return previous(own, environment, around)
  const found = wish.by === 'release' ? byId(releases, environment, wish.id) : byVersion(own, environment, wish.version)
  if (!found.ok) return found
  const target = found.value
  const why = ineligible(target)
  if (why !== undefined) return refused('SC3154', `${name(target)} cannot be rolled back to: ${why}`, candidatesNote(own))
  if (target.id === current?.id && !isMixed) {
    return refused('SC3153', `${name(target)} is what ${environment} runs already`, candidatesNote(own, current))
  }
  return { ok: true, value: { target, passed: [], ...around } }
}

/** Releases that may be gone back to, newest first; the current one only when hosts are between two releases. */
export function rollbackCandidates(releases: readonly Release[], environment: string): readonly Release[] {
  const own = newestFirst(releases.filter((release) => release.environment === environment))
  const current = currentRelease(own, environment)
  const isMixed = own.some((release) => leavesHostsBehind(release, current))
  return own.filter((release) => ineligible(release) === undefined && (isMixed || release.id !== current?.id))
}

/** Why a release is nothing to go back to; undefined for one that is. */
export function ineligible(release: Release): string | undefined {
  if (release.kind === 'build') return 'it only built images'
  if (release.partial) return 'it was about a part of the fleet'
  const status = overallStatus(release)
  if (status === 'running' || status === 'pending') return 'it has not ended'
  if (status === 'failed') return 'it failed'
  return release.phases.finalize === 'completed' ? undefined : 'it was never finished'
}

/** Releases in whose course migrations ran (or broke off) after the target, oldest first: what they did stays in the database. */
export function migratedSince(releases: readonly Release[], target: Release): readonly Release[] {
  return releases
    .filter(({ environment, id }) => environment === target.environment && id > target.id)
    .filter(({ phases, phase_details: details }) =>
      (['migrate_pre', 'migrate_post'] as const).some(
        (phase) => phases[phase] === 'failed' || (phases[phase] === 'completed' && details?.[phase]?.cached !== true),
      ),
    )
    .sort((a, b) => (a.id < b.id ? -1 : 1))
}

function previous(
  own: readonly Release[],
  environment: string,
  around: Pick<RollbackChoice, 'current' | 'isMixed'>,
): Checked<RollbackChoice> {
  const { current, isMixed } = around
  if (current === undefined) return refused('SC3155', `${environment} has no finished release yet, so there is none before it`)
  const passed: { release: Release; why: string }[] = []
  for (const release of own.filter(({ id }) => (isMixed ? id <= current.id : id < current.id))) {
    const why = ineligible(release)
    if (why === undefined) return { ok: true, value: { target: release, passed, ...around } }
    passed.push({ release, why })
  }
  const others = passed.map(({ release, why }) => ({ message: `${name(release)}: ${why}` }))
  return refused('SC3155', `${environment} has no release before ${name(current)} that could be gone back to`, others)
}

/** It began after what is live, failed, and did not put everything back. */
function leavesHostsBehind(release: Release, current: Release | undefined): boolean {
  if (current === undefined || release.id <= current.id || release.kind === 'build') return false
  return overallStatus(release) === 'failed' && release.undone !== 'whole' && release.phases.rollout === 'failed'
}

function byId(releases: readonly Release[], environment: string, id: string): Checked<Release> {
  const found = releases.find((release) => release.id === id)
  if (found === undefined)
    return refused('SC3151', `there is no release \`${id}\``, [
      { message: `\`stagecraft releases list --remote --env ${environment}\` lists them` },
    ])
  if (found.environment !== environment)
    return refused('SC3152', `${name(found)} is a release of ${found.environment}, not of ${environment}`)
  return { ok: true, value: found }
}

/** The newest good one of a version; a commit may be cut short, as people see it. When none is good, the newest says why. */
function byVersion(own: readonly Release[], environment: string, version: string): Checked<Release> {
  const isShort = /^[0-9a-f]{7,39}$/.test(version)
  const named = own.filter((release) => release.version === version || (isShort && release.version.startsWith(version)))
  const commits = [...new Set(named.map((release) => release.version))]
  if (commits.length > 1 && !commits.includes(version)) return refused('SC3151', `\`${version}\` may be ${commits.join(' or ')}`)
  const target = named.find((release) => ineligible(release) === undefined) ?? named[0]
  if (target === undefined) return refused('SC3151', `${environment} has no release of version \`${version}\``, candidatesNote(own))
  return { ok: true, value: target }
}

function candidatesNote(own: readonly Release[], without?: Release): Diagnostic['notes'] & object {
  const good = own.filter((release) => release.id !== without?.id && ineligible(release) === undefined).slice(0, 5)
  return good.length === 0 ? [] : [{ message: `could be gone back to: ${good.map(name).join(', ')}` }]
}

/** `rel-… (v1)` */
function name({ id, version }: Release): string {
  return `${id} (${version})`
}

function refused(
  code: Diagnostic['code'],
  message: string,
  notes: Diagnostic['notes'] = [],
): { readonly ok: false; readonly diagnostics: Diagnostic[] } {
  return { ok: false, diagnostics: [{ code, severity: 'error', message, ...(notes.length > 0 ? { notes } : {}) }] }
}
