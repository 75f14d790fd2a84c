import { posix } from 'node:path'
import type { Json } from '../../graph/types.ts'
import { isObject } from './json.ts'
import { evaluate, parseTemplate, variableNames } from './template.ts'

/** Absolute, or below a home folder: it names something on the host, whose content is not ours. */
export function isOnHost(path: string): boolean {
  return path.startsWith('/') || path.startsWith('~')
}

/** The local path a volume entry binds, as written; undefined for named volumes and for paths on the host. */
export function localBindSource(volume: Json): string | undefined {
  if (isObject(volume)) {
    const source = volume['source']
    return volume['type'] === 'bind' && typeof source === 'string' && !isOnHost(source) ? source : undefined
  }
  const { source, rest } = splitVolume(String(volume))
  return rest !== '' && /^\.{1,2}(\/|$)/.test(source) ? source : undefined
}

/** The volume entry with another source. */
export function withBindSource(volume: Json, source: string): Json {
  return isObject(volume) ? { ...volume, source } : `${source}${splitVolume(String(volume)).rest}`
}

/** Name of the volume an entry mounts, if it is a named one. */
export function namedVolume(volume: Json): string | undefined {
  if (isObject(volume)) return volume['type'] === 'volume' && typeof volume['source'] === 'string' ? volume['source'] : undefined
  const { source, rest } = splitVolume(String(volume))
  return rest !== '' && /^\w[\w.-]*$/.test(source) ? source : undefined
}

/** `source:target:mode` at its first colon that is not inside a placeholder; `rest` begins with the colon. */
export function splitVolume(volume: string): { readonly source: string; readonly rest: string } {
  let length = 0
  for (const part of parseTemplate(volume)) {
    const text = part.kind === 'text' ? part.text : part.kind === 'dollar' ? '$$' : part.source
    const colon = part.kind === 'text' ? text.indexOf(':') : -1
    if (colon >= 0) return { source: volume.slice(0, length + colon), rest: volume.slice(length + colon) }
    length += text.length
  }
  return { source: volume, rest: '' }
}

/** Project-relative, normalised path of `source`, or why there is none: a sentence fragment. */
export function projectPath(composeDirectory: string, source: string): { readonly path: string } | { readonly problem: string } {
  if (variableNames(source).length > 0) return { problem: 'depends on a secret; a local path cannot' }
  const path = posix
    .join(
      composeDirectory,
      evaluate(source, () => undefined),
    )
    .replace(/\/+$/, '')
  if (path === '..' || path.startsWith('../') || posix.isAbsolute(path))
    return { problem: 'is outside the project folder; move it inside, or give an absolute path on the host' }
  if (path === '.' || path === '')
    return { problem: 'is the whole project folder, with its environment files; name what the container needs' }
  return { path }
}
