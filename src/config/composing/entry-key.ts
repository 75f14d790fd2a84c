/** What makes two entries of a list the same thing, so that the later replaces the earlier. */
import { splitVolume } from '../../../tasks/rendering/local-paths.ts'
import { memberOf, plain, type Sourced } from './sourced.ts'

/** Two entries with one key are one. */
export type EntryKey = (entry: Sourced) => string

const identical: EntryKey = (entry) => JSON.stringify(plain(entry))

const keys: Readonly<Record<string, EntryKey>> = {
  volumes: (entry) => textOf(entry, 'target') ?? volumeTarget(String(entry.value)),
  devices: (entry) => textOf(entry, 'target') ?? volumeTarget(String(entry.value)),
  secrets: mountKey('/run/secrets/'),
  configs: mountKey('/'),
  env_file: (entry) => textOf(entry, 'path') ?? String(entry.value),
}

/** For the list at `services.<name>.<key>` and any other place. */
export function entryKeyOf(path: readonly string[]): EntryKey {
  const [section, , key = ''] = path
  return (section === 'services' && path.length === 3 && Object.hasOwn(keys, key) ? keys[key] : undefined) ?? identical
}

function textOf(entry: Sourced, key: string): string | undefined {
  const value = memberOf(entry, key)?.value
  return typeof value === 'string' ? value : undefined
}

/** `source:target:mode`, `source:target` or `target`. */
function volumeTarget(volume: string): string {
  const { source, rest } = splitVolume(volume)
  return rest === '' ? source : splitVolume(rest.slice(1)).source
}

/** Where it is mounted: what is given, else a folder of Compose's under the name. */
function mountKey(folder: string): EntryKey {
  return (entry) => {
    const target = textOf(entry, 'target')
    if (target?.startsWith('/')) return target
    return `${folder}${target ?? textOf(entry, 'source') ?? String(entry.value)}`
  }
}
