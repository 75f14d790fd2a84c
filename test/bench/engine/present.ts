import { existsSync } from 'node:fs'
import { join } from 'node:path'

/** Absolute, those of `paths` that are there. */
export function present(directory: string, ...paths: readonly string[]): readonly string[] {
  return paths.map((path) => join(directory, path)).filter((path) => existsSync(path))
}
