import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { type LocalCache, openLocalCache } from '../../cache/local.ts'
import { digestOf } from '../../graph/fingerprint.ts'
import type { ActionResult, Fingerprint } from '../../graph/types.ts'

/** A cache and what it warned of. */
export function openWatched(directory: string): { readonly cache: LocalCache; readonly warnings: string[] } {
  const warnings: string[] = []
  return { cache: openLocalCache(directory, { warn: (message) => warnings.push(message) }), warnings }
}

export function keyOf(name: string): Fingerprint {
  return digestOf(name) as string as Fingerprint
}

/** Stores what a task called `name` would have made: a result with one file of these bytes. */
export async function store(cache: LocalCache, name: string, text = name): Promise<ActionResult> {
  const digest = await cache.content.write(Buffer.from(text))
  const result = { files: { out: { digest, executable: false } }, values: { name } }
  await cache.actions.set(keyOf(name), result)
  return result
}

/** Every file below a folder that begins so, sorted. */
export function filesIn(directory: string, folder: string): string[] {
  const entries = readdirSync(join(directory, folder), { recursive: true, withFileTypes: true })
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort()
}
