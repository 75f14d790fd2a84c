/** Which results machines may share. Pure. */
import type { Cache } from '../cache/cache.ts'
import type { Action } from '../graph/types.ts'
import type { TaskKind } from '../tasks/kind.ts'

/**
 * Only what follows from a fingerprint alone: no cache vouches for an effect, and what lies in a registry is asked for there. A task that was
 * given the value of a secret may have written it anywhere; one that is pure is given keyed digests only.
 */
export function isShared(kind: TaskKind, action: Action): boolean {
  return kind.freshness === 'content' && (kind.pure === true || Object.keys(action.secrets).length === 0)
}

/** The caches that may know a task's result, and that may be told of it. */
export function cachesOf(caches: readonly Cache[], kind: TaskKind, action: Action): readonly Cache[] {
  return isShared(kind, action) ? caches : caches.filter(({ name }) => name === 'local')
}
