/**
 * Who gets which share of the requests, as names of empty files. Caddy looks them up for every request, so that putting another
 * folder of them in place (one rename) is a whole swap: no configuration is loaded, no connection is closed (ADR 27).
 *
 * A request draws one of 16 shares. `3@shop-prod-web-2:8080` says that share 3 goes to that container; `-@…` takes them all.
 */
import { digestOf } from '../../graph/fingerprint.ts'
import { setFolder } from './layout.ts'
import type { Upstream } from './route.ts'

export const shares = [...'0123456789abcdef'] as const

/** More containers of one service on one host than this get no requests, so they are refused. */
export const mostUpstreams = shares.length

/** The share a request falls back to: another container's whenever there are two. */
export function otherShare(share: string): string {
  return shares[(shares.indexOf(share as (typeof shares)[number]) + shares.length / 2) % shares.length] ?? share
}

/** Sorted. Each container has one run of neighbouring shares, so that share and fallback are never the same container's. */
export function shareFiles(upstreams: readonly Upstream[]): readonly string[] {
  const sorted = [...upstreams].map(({ name, port }) => `${name}:${port}`).sort()
  if (sorted.length > mostUpstreams) throw new RangeError(`${sorted.length} containers for ${mostUpstreams} shares`)
  const [only] = sorted
  if (only === undefined) return []
  if (sorted.length === 1) return [`-@${only}`]
  return shares.map((share, index) => `${share}@${sorted[Math.floor((index * sorted.length) / shares.length)]}`)
}

/** What `live/<key>` points to; the same for the same containers. */
export function shareFolder(key: string, upstreams: readonly Upstream[]): string {
  return `${setFolder}/${key}-${digestOf(JSON.stringify(shareFiles(upstreams))).slice(0, 16)}`
}
