import type { Json, JsonObject } from '../../graph/types.ts'
import { interpolate, type VariableScope } from './interpolate.ts'
import { isObject, mapStrings, members, sortedNames } from './json.ts'
import type { RenderParams } from './params.ts'
import { type ResourceSection, resourceSections, serviceReferences, usedResources } from './references.ts'
import { dependingOn, forHost, normalised } from './service-definition.ts'
import { escapeDollars } from './template.ts'

/** Something in the Compose file that cannot be rendered. */
export interface RenderProblem {
  readonly kind: 'unresolved' | 'invalid'
  /** The variable or path at fault. */
  readonly name: string
  /** The service, or `networks.<name>` and its like. */
  readonly owner: string
  /** Dotted path below the owner. */
  readonly path: string
  /** Says what is wrong with `name`. */
  readonly message: string
}

/** One host's share of the Compose file, with plain variables filled in and secrets' placeholders kept. */
export interface HostModel {
  readonly services: Readonly<Record<string, JsonObject>>
  readonly resources: Readonly<Record<ResourceSection, Readonly<Record<string, JsonObject>>>>
  /** Other top-level keys and `x-*`: carried along, part of no hash of a service. */
  readonly others: JsonObject
  /** What it was filled in with. */
  readonly scope: VariableScope
  readonly problems: readonly RenderProblem[]
}

type ModelParams = Pick<RenderParams, 'composeProject' | 'services' | 'topLevel' | 'plain'>

/** Pure: services for this host, what they use, and everything that is wrong with them. */
export function hostModel(params: ModelParams, secrets: ReadonlySet<string>): HostModel {
  const problems: RenderProblem[] = []
  const scope: VariableScope = { plain: { COMPOSE_PROJECT_NAME: params.composeProject, ...params.plain }, secrets }
  const filled = (owner: string, value: JsonObject): JsonObject =>
    mapStrings(value, (text, path) => {
      const result = interpolate(text, scope)
      problems.push(...result.problems.map((problem) => ({ ...problem, owner, path })))
      return result.text
    }) as JsonObject

  const bare = (name: string): string | undefined => {
    if (secrets.has(name)) return `\${${name}}`
    return Object.hasOwn(scope.plain, name) ? escapeDollars(scope.plain[name] ?? '') : undefined
  }
  const present = new Set(Object.keys(params.services))
  const services: Record<string, JsonObject> = {}
  for (const [name, service] of Object.entries(params.services)) {
    const wanted = forHost(dependingOn(service.definition, present), service.image !== null)
    services[name] = normalised(filled(name, wanted), bare)
    problems.push(...absences(name, service.definition, present))
    if (service.image === null && typeof wanted['image'] !== 'string')
      problems.push({
        kind: 'invalid',
        name: 'image',
        owner: name,
        path: 'image',
        message: 'is missing: the service has neither an image nor a build of ours',
      })
  }

  const used = usedResources(services)
  const section = (key: ResourceSection) => {
    const given = members(params.topLevel[key]).filter(([name]) => used[key].has(name))
    return Object.fromEntries(given.map(([name, value]) => [name, filled(`${key}.${name}`, isObject(value) ? value : {})]))
  }
  const resources = { networks: section('networks'), volumes: section('volumes'), configs: section('configs'), secrets: section('secrets') }
  return { services, resources, others: otherKeys(params.topLevel, scope, filled), scope, problems }
}

/** Extensions have no effect, so what cannot be filled in there is kept as text instead of being an error on the host. */
function otherKeys(topLevel: JsonObject, scope: VariableScope, filled: (owner: string, value: JsonObject) => JsonObject): JsonObject {
  const ours = new Set<string>(['name', 'version', 'services', 'include', ...resourceSections])
  const plainOnly = { plain: scope.plain, secrets: new Set<string>() }
  const lenient = (text: string): string => {
    const result = interpolate(text, plainOnly)
    return result.problems.length > 0 ? escapeDollars(text) : result.text
  }
  const others = sortedNames(Object.keys(topLevel)).filter((key) => !ours.has(key))
  return Object.fromEntries(
    others.map((key): [string, Json] => {
      const value = topLevel[key] ?? null
      return [key, key.startsWith('x-') || !isObject(value) ? mapStrings(value, lenient) : filled(key, value)]
    }),
  )
}

function absences(owner: string, definition: JsonObject, present: ReadonlySet<string>): readonly RenderProblem[] {
  return serviceReferences(definition)
    .sharesWith.filter(({ service }) => !present.has(service))
    .map(({ service, path }) => ({ kind: 'invalid', name: service, owner, path, message: 'is a service that does not run on this host' }))
}

/** Names whose values must not be seen. A plain value wins over a name that only the environment file has. */
export function secretScope(params: Pick<RenderParams, 'secretNames' | 'envFileNames' | 'plain'>): ReadonlySet<string> {
  return new Set([...params.secretNames, ...params.envFileNames.filter((name) => !Object.hasOwn(params.plain, name))])
}
