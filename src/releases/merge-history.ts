import { canonicalJson } from '../../graph/canonical-json.ts'
import type { Json } from '../../graph/types.ts'
import type { Release } from './release.ts'

/**
 * One history from two copies (ruling 11): every release of either, and of a release both have, the newer copy's fields over
 * the older one's. The order of the arguments does not matter, and merging again changes nothing.
 */
export function mergeHistory(local: readonly Release[], remote: readonly Release[]): readonly Release[] {
  const merged = new Map<string, Release>()
  for (const release of [...local, ...remote]) {
    const other = merged.get(release.id)
    merged.set(release.id, other ? mergeRelease(other, release) : release)
  }
  return [...merged.values()].sort((a, b) => (a.id < b.id ? -1 : a.id > b.id ? 1 : 0))
}

function mergeRelease(a: Release, b: Release): Release {
  const [older, newer] = isNewer(a, b) ? [b, a] : [a, b]
  const { owner, ...fields } = { ...older, ...newer }
  return { ...fields, ...(owner && !newer.finished ? { owner } : {}) }
}

function isNewer(a: Release, b: Release): boolean {
  if (a.finished !== b.finished) return a.finished
  if (a.updated_at !== b.updated_at) return a.updated_at > b.updated_at
  // Same moment, different content: no rule is right, but all machines must pick the same.
  return text(a) > text(b)
}

function text(release: Release): string {
  return canonicalJson(release as unknown as Json)
}
