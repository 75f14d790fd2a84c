/** A Compose service as the Swarm's `ServiceSpec` (https://docs.docker.com/reference/api/engine/). Pure. */
import type { JsonObject } from '../../graph/types.ts'
import { isObject, items } from '../rendering/json.ts'
import { compact } from './compact.ts'
import { containerSpec, texts } from './container-spec.ts'
import { type BoundFiles, mountedObjects, mountsOf, objectReference, type SwarmObjectName } from './mounts.ts'
import { logDriver, part, placement, resources, restartPolicy, rollbackConfig, type UpdatePolicy, updateConfig } from './policies.ts'
import { publishedPorts } from './published.ts'

export interface SpecInput {
  readonly name: string
  /** Of the model: plain variables filled in, secrets' placeholders kept, local paths placed. */
  readonly definition: JsonObject
  readonly image: string
  readonly replicas: number
  readonly policy: UpdatePolicy
  readonly constraints: readonly string[]
  readonly project: string
  readonly environment: string
  readonly composeProject: string
  /** Compose's top-level networks and volumes. */
  readonly networks: Readonly<Record<string, JsonObject>>
  readonly volumes: Readonly<Record<string, JsonObject>>
  /** By Compose's name, the swarm's. */
  readonly configs: Readonly<Record<string, SwarmObjectName>>
  readonly secrets: Readonly<Record<string, SwarmObjectName>>
  readonly bound: BoundFiles
}

/**
 * Strings in it are Compose templates still: what is left to fill in are secrets. Without `stagecraft.hash`, which is made from it, and without
 * ids of configs, secrets and networks, which only the swarm knows.
 */
export function serviceSpec(input: SpecInput): JsonObject {
  const { name, definition, composeProject, policy } = input
  const { mounts, configs } = mountsOf(definition, input.volumes, composeProject, input.bound)
  const deploy = part(definition, 'deploy')
  const objects = [
    ...mountedObjects(definition['configs'], '/', input.configs),
    ...mountedObjects(definition['secrets'], '/run/secrets', input.secrets),
    ...configs,
  ]
  const references = (kind: SwarmObjectName['kind']) => objects.flatMap((one) => (one.kind === kind ? [objectReference(one)] : []))
  return compact({
    Name: `${composeProject}_${name}`,
    Labels: {
      ...texts(deploy['labels']),
      'com.docker.stack.namespace': composeProject,
      'stagecraft.project': input.project,
      'stagecraft.env': input.environment,
      'stagecraft.service': name,
    },
    TaskTemplate: {
      ContainerSpec: {
        Image: input.image,
        ...containerSpec(definition, composeProject),
        Env: Object.entries(texts(definition['environment'])).map(([variable, value]) => `${variable}=${value}`),
        Mounts: mounts,
        Configs: references('Config'),
        Secrets: references('Secret'),
      },
      Resources: resources(definition),
      RestartPolicy: restartPolicy(definition),
      Placement: placement(definition, input.constraints),
      LogDriver: logDriver(definition),
      Networks: networkAttachments(input),
    },
    Mode: { Replicated: { Replicas: input.replicas } },
    UpdateConfig: updateConfig(definition, policy),
    RollbackConfig: rollbackConfig(definition, policy),
    EndpointSpec: { Mode: String(deploy['endpoint_mode'] ?? 'vip'), Ports: publishedPorts(definition) },
  })
}

function networkAttachments({ name, definition, networks, composeProject }: SpecInput): readonly JsonObject[] {
  if (definition['network_mode'] === 'host') return [{ Target: 'host' }]
  const given = definition['networks']
  const attached = isObject(given) ? Object.entries(given) : items(given ?? ['default']).map((network) => [String(network), null] as const)
  return attached.map(([network, options]) => ({
    Target: networkName(network, networks[network], composeProject),
    Aliases: [name, ...items(isObject(options) ? options['aliases'] : undefined).map(String)],
  }))
}

/** Of a network of Compose's, as the swarm knows it. */
export function networkName(name: string, definition: JsonObject | undefined, composeProject: string): string {
  const given = definition?.['name']
  if (typeof given === 'string') return given
  return definition?.['external'] === true ? name : `${composeProject}_${name}`
}
