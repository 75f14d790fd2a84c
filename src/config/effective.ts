/** The configuration with everything filled in, each value with the line, or the default, that it comes from. Pure. */
import type { Json } from '../../graph/types.ts'
import { looksSecret } from './check-tasks.ts'
import type { LoadedConfig } from './config.ts'
import { isList, isObject, type JsonPath, pathText, valueAt } from './json-path.ts'

/** Who said a value. */
export interface Origin {
  /** `environment`: what the manifest says under `environments` wins here. `computed`: follows from other settings. `outside`: not in any file of ours. */
  readonly from: 'manifest' | 'environment' | 'compose' | 'default' | 'computed' | 'env_file' | 'outside'
  /** As messages name it. */
  readonly file?: string
  readonly line?: number
  /** Of what is computed: from what. */
  readonly why?: string
}

/** One setting. */
export interface EffectiveValue {
  /** `services.web.replicas`. */
  readonly path: string
  /** Null for a secret. */
  readonly value: Json
  readonly origin: Origin
  /** Its value is for nobody's eyes. */
  readonly secret?: true
}

/** Every setting of the manifest below the given keys; default all of it. What is empty says nothing, and is left out. */
export function effectiveSettings(loaded: LoadedConfig, keys: readonly string[] = Object.keys(loaded.config)): EffectiveValue[] {
  const config = loaded.config as unknown as Json
  return keys.flatMap((key) => settingsAt(loaded, config, [key], [key])).map(inManifest)
}

/** Nothing wins over anything where the manifest is shown as it is. */
function inManifest({ origin, ...rest }: EffectiveValue): EffectiveValue {
  return { ...rest, origin: origin.from === 'environment' ? { ...origin, from: 'manifest' } : origin }
}

/** The settings at a path of the checked manifest, shown under another one. */
export function settingsAt(loaded: LoadedConfig, config: Json, path: JsonPath, shownAs: JsonPath): EffectiveValue[] {
  return leaves(valueAt(config, path), path).map(([at, value]) => {
    const shown = [...shownAs, ...at.slice(path.length)]
    return setting(shown, value, originOf(loaded, at, value))
  })
}

/** A setting; the value of a variable that is called like a secret is kept back. */
export function setting(path: JsonPath, value: Json, origin: Origin): EffectiveValue {
  const [parent, name] = path.slice(-2)
  const isSecret = (parent === 'variables' || parent === 'args') && looksSecret(String(name))
  return { path: pathText(path), value: isSecret ? null : value, origin, ...(isSecret && { secret: true as const }) }
}

/** Scalars, and lists of them. */
function leaves(value: Json | undefined, path: JsonPath): (readonly [JsonPath, Json])[] {
  if (value === undefined || value === null) return []
  if (isObject(value)) return Object.entries(value).flatMap(([key, member]) => leaves(member, [...path, key]))
  if (!isList(value) || value.every((entry) => !isObject(entry))) return isList(value) && value.length === 0 ? [] : [[path, value]]
  return value.flatMap((entry, index) => leaves(entry, [...path, index]))
}

/** The line that says a value: its own, or that of the short form which stands for it. */
export function originOf(loaded: LoadedConfig, path: JsonPath, value: Json): Origin {
  const written = valueAt(loaded.source, path)
  if (written !== undefined && written !== null) return lineOf(loaded, path)
  const around = nearestWritten(loaded.source, path)
  const short = valueAt(loaded.source, around)
  return short !== undefined && short !== null && !isObject(short) && standsFor(short, value) ? lineOf(loaded, around) : { from: 'default' }
}

/** The first of these paths that the manifest says something at. */
export function firstWritten(loaded: LoadedConfig, paths: readonly JsonPath[]): Origin | undefined {
  const path = paths.find((candidate) => isSaid(loaded.source, candidate))
  return path && lineOf(loaded, path)
}

/** Also by a short form around it: `route: shop.example.com` says its domains. */
function isSaid(source: Json, path: JsonPath): boolean {
  const written = valueAt(source, path)
  return written !== undefined && written !== null
}

export function lineOf({ locate }: LoadedConfig, path: JsonPath): Origin {
  const { file, line } = locate(path)
  return { from: path[0] === 'environments' ? 'environment' : 'manifest', file, line }
}

function nearestWritten(source: Json, path: JsonPath): JsonPath {
  let around = path.slice(0, -1)
  while (around.length > 0 && valueAt(source, around) === undefined) around = around.slice(0, -1)
  return around
}

/** `[user@]address[:port]` holds each of its parts; other short forms are the value itself, or the one entry of its list. */
function standsFor(short: Json, value: Json): boolean {
  const [one, other] = [JSON.stringify(short), JSON.stringify(value)]
  if (one === other || `[${one}]` === other) return true
  return typeof short === 'string' && /^(?:[^\s@:]+@)?[^\s@]+$/.test(short) && partsOfHost(short).includes(String(value))
}

function partsOfHost(text: string): readonly string[] {
  const [, user = '', rest = ''] = /^(?:([^@]*)@)?(.*)$/.exec(text) ?? []
  const [, bracketed, plain, port = ''] = /^(?:\[(.*)\]|([^:]*))(?::(\d+))?$/.exec(rest) ?? []
  return [user, bracketed ?? plain ?? rest, port]
}

/** A key, its value if it has one, and who said it; nobody: it is the default. */
export type Row = readonly [key: string, value: Json | undefined, origin: Origin | undefined]

/** What follows from other settings. */
export function because(why: string): Origin {
  return { from: 'computed', why }
}

/** Rows without a value are no settings; without an origin, the value is the default. */
export function settings(at: JsonPath, rows: readonly Row[]): EffectiveValue[] {
  return rows.flatMap(([key, value, origin]) => {
    if (value === undefined) return []
    if (isObject(value))
      return settings(
        [...at, key],
        Object.entries(value).map(([name, member]) => [name, member, origin]),
      )
    return [setting([...at, ...key.split('.')], value, origin ?? { from: 'default' })]
  })
}
