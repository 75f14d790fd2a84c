import { statSync } from 'node:fs'
import { resolve } from 'node:path'
import { defaultLimits, type Limits } from '../../cache/collect.ts'
import type { CacheSettings } from '../config/cache-settings.ts'
import type { App, GlobalOptions } from '../contracts.ts'
import { compiledKey, readCompiled } from './compiled-project.ts'

export interface ManifestCache {
  readonly settings: CacheSettings
  /** Why the manifest has no say: completes "the defaults hold, as …". Undefined when it has, and when there is none. */
  readonly ignored?: string
}

/** What the manifest says of caches, for commands that must work whatever is wrong with it. */
export async function manifestCache(globals: Pick<GlobalOptions, 'config'>, app: Pick<App, 'cwd'>): Promise<ManifestCache> {
  const path = resolve(app.cwd, globals.config)
  if (!statSync(path, { throwIfNoEntry: false })) return { settings: { limits: {} } }
  // What a run kept of this very manifest spares reading it, which takes seconds when it names thousands of tasks.
  const kept = readCompiled(path, compiledKey(path, path))
  if (kept) return { settings: kept.cache }
  const [{ loadConfig }, { cacheSettings }] = await Promise.all([import('../config/load.ts'), import('../config/cache-settings.ts')])
  const loaded = await loadConfig(path, { shownAs: globals.config })
  if (loaded.ok) return { settings: cacheSettings(loaded.value) }
  const [first] = loaded.diagnostics
  return { settings: { limits: {} }, ignored: `\`${globals.config}\` cannot be used: ${first?.code} ${first?.message}` }
}

/** What bounds the cache of this machine. */
export function limitsOf(settings: CacheSettings): Limits {
  return { ...defaultLimits, ...settings.limits }
}
