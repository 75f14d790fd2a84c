import type { Json, JsonObject } from '../../graph/types.ts'
import { isList, isObject, withMember, without } from './json.ts'
import { isOnHost, localBindSource, projectPath, withBindSource } from './local-paths.ts'
import type { HostModel, RenderProblem } from './model.ts'
import { escapeDollars } from './template.ts'

/** Something the Compose file takes from this machine, and how it must travel. Paths are project-relative. */
export type LocalInput =
  /** A file or folder that may be seen. */
  | { readonly use: 'file'; readonly path: string }
  /** A file that containers mount and that may not be seen. */
  | { readonly use: 'secret-file'; readonly path: string }
  /** An `env_file` of the user's: may not be seen, and only Compose reads it. */
  | { readonly use: 'env-file'; readonly path: string; readonly required: boolean }
  /** Text that becomes a mounted file; with placeholders in it, it may not be seen once they are filled in. */
  | { readonly use: 'text'; readonly name: string; readonly template: string }

/** Where an input will be on the host: absolute, or relative to the bundle. Undefined leaves an `env_file` out. */
export type Place = (input: LocalInput) => string | undefined

/** Everything the model takes from this machine, and what is wrong with it. */
export function localInputs(
  model: HostModel,
  composeDirectory: string,
): { inputs: readonly LocalInput[]; problems: readonly RenderProblem[] } {
  const inputs: LocalInput[] = []
  const placed = placeLocalInputs(model, composeDirectory, (input) => {
    inputs.push(input)
    return '.'
  })
  return { inputs, problems: placed.problems }
}

/**
 * Replaces every local path in the model by its place on the host.
 *
 * Inline configs, and secrets taken from variables, become files too: Compose copies those into a container only as it
 * starts it, and containers made by `up --no-start` are started by the rollout.
 */
export function placeLocalInputs(model: HostModel, composeDirectory: string, place: Place): HostModel {
  const problems: RenderProblem[] = [...model.problems]
  const placeAt = (owner: string): PlaceAt => ({
    path(at, source, input) {
      const found = projectPath(composeDirectory, source)
      if ('path' in found) return escaped(place(input(found.path)))
      problems.push({ kind: 'invalid', name: source, owner, path: at, message: found.problem })
      return source
    },
    text: (name, template) => escaped(place({ use: 'text', name, template })),
    refuse: (at, name, kind, message) => problems.push({ kind, name, owner, path: at, message }),
  })
  const each = (values: Readonly<Record<string, JsonObject>>, prefix: string, change: Change): Record<string, JsonObject> =>
    Object.fromEntries(Object.entries(values).map(([name, value]) => [name, change(value, placeAt(`${prefix}${name}`), name)]))

  for (const [name, volume] of Object.entries(model.resources.volumes)) refuseRelativeDevice(volume, placeAt(`volumes.${name}`))
  const services = each(model.services, '', placeService)
  const configs = each(model.resources.configs, 'configs.', (config, at, name) => placeMounted(config, at, name, 'file', model))
  const secrets = each(model.resources.secrets, 'secrets.', (secret, at, name) => placeMounted(secret, at, name, 'secret-file', model))
  return { ...model, services, resources: { ...model.resources, configs, secrets }, problems }
}

interface PlaceAt {
  path(at: string, source: string, input: (path: string) => LocalInput): string | undefined
  text(name: string, template: string): string | undefined
  refuse(at: string, name: string, kind: RenderProblem['kind'], message: string): void
}
type Change = (value: JsonObject, at: PlaceAt, name: string) => JsonObject

function escaped(path: string | undefined): string | undefined {
  return path === undefined ? undefined : escapeDollars(path)
}

const visible = (path: string): LocalInput => ({ use: 'file', path })

function placeService(service: JsonObject, place: PlaceAt): JsonObject {
  let placed = service
  const rewrite = (key: string, change: (item: Json, at: string) => Json | undefined) => {
    const given = placed[key]
    if (given === undefined) return
    const changed = (isList(given) ? given : [given]).map((item, index) => change(item, `${key}[${index}]`))
    const kept = changed.filter((item) => item !== undefined)
    placed = withMember(placed, key, kept.length > 0 ? kept : undefined)
  }
  rewrite('volumes', (volume, at) => {
    const source = localBindSource(volume)
    return source === undefined ? volume : withBindSource(volume, place.path(at, source, visible) ?? source)
  })
  rewrite('env_file', (entry, at) => {
    const given = isObject(entry) ? entry['path'] : entry
    if (typeof given !== 'string' || isOnHost(given)) return entry
    const required = !isObject(entry) || String(entry['required']) !== 'false'
    const target = place.path(at, given, (path) => ({ use: 'env-file', path, required }))
    return target !== undefined && isObject(entry) ? { ...entry, path: target } : target
  })
  rewrite('label_file', (entry, at) => (typeof entry !== 'string' || isOnHost(entry) ? entry : place.path(at, entry, visible)))
  rewrite('security_opt', (option, at) => {
    const [, prefix, profile] = /^(seccomp[:=])(.+)$/.exec(String(option)) ?? []
    if (prefix === undefined || profile === undefined || ['unconfined', 'builtin'].includes(profile) || isOnHost(profile)) return option
    return `${prefix}${place.path(at, profile, visible)}`
  })
  return placed
}

/** A top-level config or secret. */
function placeMounted(resource: JsonObject, place: PlaceAt, name: string, use: 'file' | 'secret-file', model: HostModel): JsonObject {
  const { file, environment, content } = resource
  if (typeof file === 'string' && !isOnHost(file)) return { ...resource, file: place.path('file', file, (path) => ({ use, path })) ?? file }
  const template = typeof environment === 'string' ? variableTemplate(environment, model) : content
  if (typeof template === 'string') return { ...without(resource, 'environment', 'content'), file: place.text(name, template) ?? '' }
  if (typeof environment === 'string') place.refuse('environment', environment, 'unresolved', 'has no value and no default')
  return resource
}

function variableTemplate(name: string, { scope }: HostModel): string | undefined {
  if (scope.secrets.has(name)) return `\${${name}}`
  return Object.hasOwn(scope.plain, name) ? escapeDollars(scope.plain[name] ?? '') : undefined
}

/** Compose would resolve it against the bundle, where a volume's data must not be. */
function refuseRelativeDevice(volume: JsonObject, place: PlaceAt): void {
  const device = isObject(volume['driver_opts']) ? volume['driver_opts']['device'] : undefined
  if (typeof device !== 'string' || !/^\.{1,2}(\/|$)/.test(device)) return
  place.refuse('driver_opts.device', device, 'invalid', 'is relative; expected an absolute path on the host')
}
