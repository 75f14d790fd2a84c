/** What the manifest says of caches, resolved; the environment's say is in `session/remote-settings.ts`. */
import type { Location } from '../../graph/types.ts'
import type { LoadedConfig } from './config.ts'
import { problem, type Report } from './diagnostic.ts'
import { parseDuration } from './duration.ts'
import { parseRemoteAddress, type RemoteAddress, type RemoteMode } from './remote-address.ts'
import { parseSize } from './size.ts'

/** Plain data: it can be kept beside a compiled graph. */
export interface CacheSettings {
  /** Of the cache on this machine; what is left out has its default. */
  readonly limits: { readonly maxSizeBytes?: number; readonly maxAgeMs?: number }
  readonly remote?: RemoteSettings
  /** Of the project: what `oci` alone refers to. */
  readonly registry?: string
}

export interface RemoteSettings {
  readonly address: RemoteAddress
  /** Undefined: depends on where we run. */
  readonly mode?: RemoteMode
  readonly timeoutMs: number
  readonly maxWaitMs: number
}

export const remoteDefaults = { timeoutMs: 10_000, maxWaitMs: 30_000 } as const

/** Reports an address that leads nowhere, or that holds a password. */
export function checkCache({ config, locate }: LoadedConfig, report: Report): void {
  const remote = config.cache.remote
  if (remote === undefined) return
  const parsed = parseRemoteAddress(remote.url, config.project.registry)
  const location = locate(['cache', 'remote'])
  if (!parsed.ok) report(problem('SC1075', `the address of \`cache.remote\` ${parsed.problem}`, hidden(location, remote.url)))
  else if (parsed.credentials) {
    const notes = [{ message: 'set STAGECRAFT_REMOTE_CACHE_TOKEN, or the whole address as STAGECRAFT_REMOTE_CACHE' }]
    report(
      problem('SC1076', 'the address of `cache.remote` holds a password, and the manifest is committed', hidden(location, remote.url), {
        notes,
      }),
    )
  }
}

/** What stands before `@` is not shown again: the report may end up in a log that more people read than the manifest. */
function hidden(location: Location, url: string): Location {
  return /:\/\/[^/]*@/.test(url) ? { ...location, text: location.text.replace(/:\/\/[^/\s]*@/, '://…@') } : location
}

/** @param config of a manifest that {@link checkCache} found no fault with. */
export function cacheSettings({ config }: Pick<LoadedConfig, 'config'>): CacheSettings {
  const { max_size: maxSize, max_age: maxAge, remote } = config.cache
  const { registry } = config.project
  const maxSizeBytes = maxSize === undefined ? undefined : parseSize(maxSize)
  const parsed = remote && parseRemoteAddress(remote.url, registry)
  return {
    limits: {
      ...(maxSizeBytes !== undefined && { maxSizeBytes }),
      ...(maxAge !== undefined && { maxAgeMs: milliseconds(maxAge) }),
    },
    ...(remote &&
      parsed?.ok && {
        remote: {
          address: parsed.address,
          ...(remote.mode !== undefined && { mode: remote.mode }),
          timeoutMs: milliseconds(remote.timeout),
          maxWaitMs: milliseconds(remote.max_wait),
        },
      }),
    ...(registry !== undefined && { registry }),
  }
}

function milliseconds(duration: string): number {
  return (parseDuration(duration) ?? 0) * 1000
}
