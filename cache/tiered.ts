/**
 * The cache that machines share, behind the one of this checkout. What is found there fills the local cache, blobs first; what was made here is
 * written behind. Nothing that goes wrong with it fails a run, and what it may cost is bounded: see `tiered-guard.ts`.
 */
import type { Cache } from './cache.ts'
import type { LocalCache } from './local.ts'
import type { RemoteStore } from './remote-store.ts'
import type { SigningKey } from './signed-entry.ts'
import { type RemoteGuard, type RemoteLimits, remoteGuard } from './tiered-guard.ts'
import { remoteReader } from './tiered-read.ts'
import { lookUpBudget } from './tiered-wait.ts'
import { remoteWriter } from './tiered-write.ts'

export interface RemoteCache extends Cache {
  readonly name: 'remote'
  /** Results this run took from it and gave to it. */
  counts(): { readonly taken: number; readonly shared: number }
  /** Waits for uploads, at most as long as the limits say, and ends connections. Nothing may be asked afterwards. */
  close(): Promise<void>
}

export interface RemoteCacheOptions {
  /** The cache of this checkout: hits fill it, and blobs that are shared are read from it. */
  readonly local: LocalCache
  /** As messages call it. Holds no secret. */
  readonly name: string
  /** Called at the first question. */
  readonly open: () => Promise<RemoteStore>
  readonly reads: boolean
  readonly writes: boolean
  /** False: a hit is told and nothing is fetched, for who only looks. */
  readonly fills: boolean
  /** The first signs, all are accepted. None: entries are neither signed nor need to be. */
  readonly keys: readonly SigningKey[]
  readonly limits: RemoteLimits
  readonly warn: (message: string) => void
  /** What holds the value of a secret stays on this machine. Given bytes that are not UTF-8 as Latin 1. */
  readonly holdsSecret: (text: string) => boolean
  /** Aborted when the run was cut short. */
  readonly signal: AbortSignal
  /** Milliseconds from any start; default this process's. */
  readonly now?: () => number
}

/** What both halves work with. */
export interface RemoteParts extends Omit<RemoteCacheOptions, 'warn'> {
  /** The same one for all. */
  readonly store: () => Promise<RemoteStore>
  readonly guard: RemoteGuard
  /** Once for each kind of message; default kind: the message itself. */
  readonly warn: (message: string, kind?: string) => void
}

export function openRemoteCache(options: RemoteCacheOptions): RemoteCache {
  const { local, name, limits, signal, reads, writes, now = () => performance.now() } = options
  const warn = once(options.warn)
  const guard = remoteGuard({ name, limits, warn, signal })
  let opened: Promise<RemoteStore> | undefined
  const store = (): Promise<RemoteStore> => {
    opened ??= options.open()
    return opened
  }
  const parts: RemoteParts = { ...options, store, guard, warn }
  const reader = remoteReader(parts, lookUpBudget(limits.maxWaitMs, now))
  const writer = remoteWriter(parts)
  return {
    name: 'remote',
    content: local.content,
    actions: {
      get: async (key) => (reads ? reader.get(key) : undefined),
      async set(key, result) {
        if (writes) writer.share(key, result)
      },
    },
    counts: () => ({ taken: reader.hits(), shared: writer.shared() }),
    async close() {
      // One trouble, one warning.
      if (!(await writer.finish())) reader.finish()
      guard.abandon()
      const last = await opened?.catch(() => undefined)
      await last?.close?.().catch(() => undefined)
    },
  }
}

function once(warn: (message: string) => void): RemoteParts['warn'] {
  const said = new Set<string>()
  return (message, kind = message) => {
    if (said.has(kind)) return
    said.add(kind)
    warn(message)
  }
}
