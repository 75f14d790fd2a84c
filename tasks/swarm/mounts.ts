/** What containers of a Swarm service find in their files: volumes, and the swarm's configs and secrets. Pure. */
import { posix } from 'node:path'
import type { Json, JsonObject } from '../../graph/types.ts'
import { isList, isObject, items } from '../rendering/json.ts'
import { compact } from './compact.ts'
import { bytes } from './units.ts'

/** A config or a secret of the swarm, by its name there. */
export interface SwarmObjectName {
  readonly kind: 'Config' | 'Secret'
  readonly object: string
}

/** Where a container finds one. */
export interface MountedObject extends SwarmObjectName {
  /** Absolute. */
  readonly target: string
  readonly uid: string
  readonly gid: string
  readonly mode: number
}

/** Files of the project that are bound: a swarm's nodes have no checkout, so they travel as configs. */
export interface BoundFiles {
  /** By path below `files/` of the rendered bundle: the config that holds it. */
  readonly configs: Readonly<Record<string, SwarmObjectName & { readonly executable: boolean }>>
  /** Absolute folder such paths stand below in the rendered file. */
  readonly directory: string
}

export interface Mounts {
  readonly mounts: readonly JsonObject[]
  /** Project files, each as the config it became. */
  readonly configs: readonly MountedObject[]
}

interface Volume {
  readonly type: string
  readonly source: string
  readonly target: string
  readonly readOnly: boolean
  readonly given: JsonObject
}

/** @param volumes Compose's top-level ones. */
export function mountsOf(
  service: JsonObject,
  volumes: Readonly<Record<string, JsonObject>>,
  composeProject: string,
  bound: BoundFiles,
): Mounts {
  const mounts: JsonObject[] = []
  const configs: MountedObject[] = []
  for (const volume of items(service['volumes']).map(volumeOf)) {
    const path = volume.source.startsWith(`${bound.directory}/`) ? volume.source.slice(bound.directory.length + 1) : undefined
    if (volume.type === 'bind' && path?.startsWith('files/')) configs.push(...projectFiles(path, volume.target, bound))
    else mounts.push(mount(volume, volumes, composeProject))
  }
  const temporary = service['tmpfs']
  for (const entry of isList(temporary) ? temporary : temporary === undefined ? [] : [temporary]) {
    const [target = ''] = String(entry).split(':')
    mounts.push({ Type: 'tmpfs', Target: target })
  }
  return { mounts, configs }
}

function mount({ type, source, target, readOnly, given }: Volume, volumes: Readonly<Record<string, JsonObject>>, composeProject: string) {
  const base = { Type: type, Source: source, Target: target, ReadOnly: readOnly }
  if (type === 'bind') return compact({ ...base, BindOptions: { Propagation: inner(given, 'bind')['propagation'] ?? undefined } })
  if (type === 'tmpfs') return compact({ ...base, TmpfsOptions: { SizeBytes: bytes(String(inner(given, 'tmpfs')['size'] ?? '')) } })
  if (source === '') return compact(base)
  const definition = volumes[source] ?? {}
  const name = String(definition['name'] ?? (definition['external'] === true ? source : `${composeProject}_${source}`))
  const driver = { Name: definition['driver'], Options: definition['driver_opts'] }
  return compact({
    ...base,
    Source: name,
    VolumeOptions: {
      NoCopy: inner(given, 'volume')['nocopy'] === true,
      Labels: definition['external'] === true ? {} : { 'com.docker.stack.namespace': composeProject },
      DriverConfig: definition['driver'] === undefined ? undefined : driver,
    },
  })
}

function projectFiles(path: string, target: string, { configs }: BoundFiles): readonly MountedObject[] {
  const one = configs[path]
  const found = one ? [{ ...one, target }] : within(path, target, configs)
  return found.map(({ kind, object, executable, target: at }) => ({
    ...{ kind, object, target: at },
    ...{ uid: '0', gid: '0', mode: executable ? 0o555 : 0o444 },
  }))
}

function within(folder: string, target: string, configs: BoundFiles['configs']) {
  return Object.entries(configs)
    .filter(([path]) => path.startsWith(`${folder}/`))
    .map(([path, config]) => ({ ...config, target: posix.join(target, path.slice(folder.length + 1)) }))
}

function volumeOf(volume: Json): Volume {
  if (isObject(volume)) {
    const { type, source, target, read_only: readOnly } = volume
    return { type: String(type), source: String(source ?? ''), target: String(target), readOnly: readOnly === true, given: volume }
  }
  const parts = String(volume).match(/(?:\$\{[^}]*\}|[^:])+/g) ?? []
  const [source = '', target, mode = ''] = parts.length === 1 ? ['', parts[0]] : parts
  const type = /^[./~]/.test(source) ? 'bind' : 'volume'
  return { type, source, target: target ?? '', readOnly: mode.split(',').includes('ro'), given: {} }
}

/**
 * Compose's `configs` or `secrets` of a service; long or short.
 * @param folder where short targets are.
 * @param objects by Compose's name, the swarm's: a config with a secret in it is a secret there.
 */
export function mountedObjects(
  given: Json | undefined,
  folder: string,
  objects: Readonly<Record<string, SwarmObjectName>>,
): readonly MountedObject[] {
  return items(given).flatMap((entry) => {
    const long = isObject(entry) ? entry : { source: entry }
    const source = String(long['source'])
    const target = String(long['target'] ?? source)
    const object = objects[source]
    if (object === undefined) return []
    return [
      {
        ...object,
        target: posix.isAbsolute(target) ? target : posix.join(folder, target),
        uid: String(long['uid'] ?? '0'),
        gid: String(long['gid'] ?? '0'),
        mode: modeOf(long['mode']),
      },
    ]
  })
}

/** As the `ContainerSpec` has it; the id is known once it is made. */
export function objectReference({ kind, object, target, uid, gid, mode }: MountedObject): JsonObject {
  return { [`${kind}Name`]: object, File: { Name: target, UID: uid, GID: gid, Mode: mode } }
}

/** YAML reads `0440` as it is written: a text is octal, a number what it is. */
function modeOf(given: Json | undefined): number {
  if (typeof given === 'number') return given
  return typeof given === 'string' ? Number.parseInt(given, 8) : 0o444
}

function inner(of: JsonObject, name: string): JsonObject {
  const found = of[name]
  return isObject(found) ? found : {}
}
