import { defaultLimits, type Limits } from '../../cache/collect.ts'

/** What bounds the cache of this machine. */
export async function cacheLimits(): Promise<Limits> {
  return defaultLimits
}
