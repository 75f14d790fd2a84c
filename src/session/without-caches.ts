import type { Assessor } from '../assess.ts'

/** As if nothing had ever run (`--no-cache`). The log stays: it says what changed, and decides nothing. */
export function withoutCaches<A extends Assessor>({ results: _, ...assessor }: A): Omit<A, 'results'> {
  return { ...assessor, caches: [] }
}
