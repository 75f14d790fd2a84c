import { posix } from 'node:path'

/** A path given relative to `from` (itself project-relative), seen from the project; undefined when it leaves the project. */
export function projectPath(path: string, from: string): string | undefined {
  if (posix.isAbsolute(path) || path.startsWith('~')) return undefined
  const normal = posix.normalize(posix.join(from, path)).replace(/(?<=.)\/$/, '')
  return normal === '..' || normal.startsWith('../') ? undefined : normal
}
