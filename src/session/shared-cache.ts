/** Puts the remote cache behind the local one for a run. Nothing of it is loaded before the first task misses locally. */
import type { Cache } from '../../cache/cache.ts'
import type { LocalCache } from '../../cache/local.ts'
import type { RemoteCache } from '../../cache/tiered.ts'
import { createDetector, createRedactor } from '../secrets/redact.ts'
import type { RemoteUse } from './remote-settings.ts'
import { openRemoteStore } from './remote-store.ts'

export interface SharedCacheOptions {
  readonly local: LocalCache
  /** Where stores find who we are to them. */
  readonly env: Readonly<Record<string, string | undefined>>
  /** False: the network is left alone. */
  readonly online: boolean
  /** False: hits are told, and nothing is fetched or shared. */
  readonly writes: boolean
  readonly warn: (message: string) => void
  readonly holdsSecret: (text: string) => boolean
  readonly signal: AbortSignal
}

export interface SharedCache {
  /** Behind the local one, in the order in which they are asked; empty when nothing is shared. */
  readonly caches: readonly Cache[]
  close(): Promise<void>
}

export function openSharedCache(use: RemoteUse | undefined, options: SharedCacheOptions): SharedCache {
  if (use === undefined || !options.online) return { caches: [], close: async () => {} }
  const own = [...use.keys, ...(use.token === undefined ? [] : [use.token]), ...(use.credentials ? [use.credentials.password] : [])]
  const [redact, isOwn] = [createRedactor(own), createDetector(own)]
  const open = async (): Promise<RemoteCache> => {
    const [{ openRemoteCache }, { signingKey }] = await Promise.all([
      import('../../cache/tiered.ts'),
      import('../../cache/signed-entry.ts'),
    ])
    return openRemoteCache({
      local: options.local,
      name: use.address.url,
      open: () => openRemoteStore(use, options.env),
      reads: true,
      writes: options.writes && use.mode === 'read-write',
      fills: options.writes,
      keys: use.keys.map(signingKey),
      limits: { timeoutMs: use.timeoutMs, maxWaitMs: use.maxWaitMs },
      warn: (message) => options.warn(redact(message)),
      holdsSecret: (text) => isOwn(text) || options.holdsSecret(text),
      signal: options.signal,
    })
  }
  let opened: Promise<RemoteCache> | undefined
  const cache = async (): Promise<RemoteCache> => {
    opened ??= open()
    return opened
  }

  const lazy: Cache = {
    name: 'remote',
    content: options.local.content,
    actions: {
      get: async (key) => (await cache()).actions.get(key),
      // A machine that only reads need not load it to be told.
      set: async (key, result) => (use.mode === 'read-write' ? (await cache()).actions.set(key, result) : undefined),
    },
  }
  return {
    caches: [lazy],
    close: async () => (await opened)?.close(),
  }
}
