/** Which hosts of a service are rolled together, and in which order. Pure. */
import type { FleetPolicy } from '../contracts.ts'

/**
 * The canary alone, then batches in order of name. Every host is in exactly one.
 * @param hosts those of one service.
 */
export function batchesOf(hosts: readonly string[], { canary: wanted, batch }: FleetPolicy): readonly (readonly string[])[] {
  const sorted = [...hosts].sort()
  const canary = wanted === false ? undefined : (sorted.find((host) => host === wanted) ?? sorted[0])
  const rest = sorted.filter((host) => host !== canary)
  const size = batchSize(batch, sorted.length)
  const batches: string[][] = canary === undefined ? [] : [[canary]]
  for (let start = 0; start < rest.length; start += size) batches.push(rest.slice(start, start + size))
  return batches
}

/** Of a share, rounded up: at least one host at a time. */
function batchSize(batch: number | string | undefined, hosts: number): number {
  if (batch === undefined) return Math.max(1, hosts)
  if (typeof batch === 'number') return batch
  return Math.max(1, Math.ceil((hosts * Number.parseInt(batch, 10)) / 100))
}
