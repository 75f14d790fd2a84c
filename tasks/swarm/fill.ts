/** The last step before a spec is sent: secrets take the place of their placeholders, and ids that of names. Nothing of it is kept. */
import type { Json, JsonObject } from '../../graph/types.ts'
import type { Secrets } from '../ports.ts'
import { isObject, items, mapStrings } from '../rendering/json.ts'
import { evaluate } from '../rendering/template.ts'
import type { StackService } from './params.ts'
import { part } from './policies.ts'

/** The spec as the swarm is to have it, but for ids. @throws TaskFailure for a secret that is not set. */
export function filledSpec({ spec, hash, environment }: StackService, secrets: Pick<Secrets, 'get' | 'digest'>): JsonObject {
  const lookup = (name: string) => (secrets.digest(name) === 'absent' ? undefined : secrets.get(name))
  const filled = mapStrings(spec, (text) => evaluate(text, lookup)) as JsonObject
  const variables = environment.map((name) => `${name}=${secrets.get(name)}`)
  return {
    ...filled,
    Labels: { ...part(filled, 'Labels'), 'stagecraft.hash': hash },
    TaskTemplate: withContainer(part(filled, 'TaskTemplate'), (container) => {
      const env = [...items(container['Env']).map(String), ...variables].map(literal)
      return { ...container, ...(env.length > 0 && { Env: env }), ...labelsOf(container) }
    }),
  }
}

function labelsOf(container: JsonObject): JsonObject {
  const labels = Object.entries(part(container, 'Labels')).map(([name, value]) => [name, literal(String(value))])
  return labels.length > 0 ? { Labels: Object.fromEntries(labels) as JsonObject } : {}
}

/** A swarm takes variables and labels for Go templates: `{{` in a password would be one. Written so that it means itself. */
function literal(text: string): string {
  return text.replaceAll('{{', '{{"{{"}}')
}

/** By name: ids of the swarm's configs and secrets. */
export interface ObjectIds {
  readonly Config: Readonly<Record<string, string>>
  readonly Secret: Readonly<Record<string, string>>
}

export function withObjectIds(spec: JsonObject, ids: ObjectIds): JsonObject {
  const resolved = (kind: 'Config' | 'Secret', given: Json | undefined) =>
    items(given).map((reference) => {
      if (!isObject(reference)) return reference
      return { ...reference, [`${kind}ID`]: ids[kind][String(reference[`${kind}Name`])] ?? '' }
    })
  return {
    ...spec,
    TaskTemplate: withContainer(part(spec, 'TaskTemplate'), (container) => ({
      ...container,
      ...(container['Configs'] !== undefined && { Configs: resolved('Config', container['Configs']) }),
      ...(container['Secrets'] !== undefined && { Secrets: resolved('Secret', container['Secrets']) }),
    })),
  }
}

/** Names of the configs or secrets that a spec mounts. */
export function mountedNames(spec: JsonObject, kind: 'Config' | 'Secret'): readonly string[] {
  const references = items(part(part(spec, 'TaskTemplate'), 'ContainerSpec')[`${kind}s`])
  return references.flatMap((reference) => (isObject(reference) ? [String(reference[`${kind}Name`])] : []))
}

export function imageOf(spec: JsonObject): string {
  return String(part(part(spec, 'TaskTemplate'), 'ContainerSpec')['Image'] ?? '')
}

export function withImage(spec: JsonObject, image: string): JsonObject {
  return { ...spec, TaskTemplate: withContainer(part(spec, 'TaskTemplate'), (container) => ({ ...container, Image: image })) }
}

/** Raised, it makes the swarm replace every copy; lowered, too, so it is carried along. */
export function forceCount(spec: JsonObject): number {
  return Number(part(spec, 'TaskTemplate')['ForceUpdate'] ?? 0)
}

export function withForceCount(spec: JsonObject, count: number): JsonObject {
  return count === 0 ? spec : { ...spec, TaskTemplate: { ...part(spec, 'TaskTemplate'), ForceUpdate: count } }
}

function withContainer(template: JsonObject, change: (container: JsonObject) => JsonObject): JsonObject {
  return { ...template, ContainerSpec: change(part(template, 'ContainerSpec')) }
}
