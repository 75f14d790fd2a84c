/** Which of a service's mounts hold data that two containers should not write at once. */
import type { Json, JsonObject } from '../../graph/types.ts'
import { isList, isObject } from './json-path.ts'

/** Sources of named volumes and host paths mounted read-write, as written. */
export function writableMounts(definition: JsonObject): string[] {
  const volumes = definition['volumes']
  return isList(volumes) ? volumes.flatMap((volume) => writableSource(volume) ?? []) : []
}

function writableSource(volume: Json): string | undefined {
  if (isObject(volume)) {
    const { type, source, read_only: readOnly } = volume
    const keeps = (type === 'volume' || type === 'bind') && typeof source === 'string' && source !== ''
    return keeps && readOnly !== true && readOnly !== 'true' ? source : undefined
  }
  const [source, target, mode] = splitVolume(String(volume))
  if (source === undefined || target === undefined) return undefined
  return mode?.split(',').includes('ro') ? undefined : source
}

/** `source:target:mode`; a source `${DATA:-/srv}` has a `:` of its own. */
function splitVolume(text: string): string[] {
  return text.match(/(?:\$\{[^}]*\}|[^:])+/g) ?? []
}
