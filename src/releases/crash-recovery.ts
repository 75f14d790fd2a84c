import { isGone, thisProcess } from './process-identity.ts'
import { crashed, type Release } from './release.ts'

/** Releases as they stand when processes that are gone no longer count as running. The same array when there is none. */
export function withoutGhosts(
  releases: readonly Release[],
  now: Date,
  isDead: (release: Release) => boolean = ownerIsGone,
): readonly Release[] {
  return releases.some(isDead) ? releases.map((release) => (isDead(release) ? crashed(release, now) : release)) : releases
}

/** Whether the process that makes the release is known to be gone. */
export function ownerIsGone(release: Release): boolean {
  return !release.finished && release.owner !== undefined && isGone(release.owner)
}

/** Whether this very process makes it. */
export function isOurs(release: Release): boolean {
  const own = thisProcess()
  return release.owner?.host === own.host && release.owner.pid === own.pid && release.owner.start === own.start
}
