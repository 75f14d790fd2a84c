import { digestOf } from '../../graph/fingerprint.ts'
import type { Json, JsonObject } from '../../graph/types.ts'
import { environmentFileName } from './bundle-layout.ts'
import { renderComposeText } from './compose-text.ts'
import { isObject, items, sortedNames, sortKeys, stringsIn, without } from './json.ts'
import type { HostModel } from './model.ts'
import type { RenderParams, RenderValues } from './params.ts'
import { usedResources } from './references.ts'
import { variableNames } from './template.ts'

/** What a bundle is made from, once everything is known. */
export interface ComposeParts {
  readonly params: RenderParams
  /** Local paths already placed. */
  readonly model: HostModel
  /** Reference by digest of each service whose image is ours. */
  readonly images: Readonly<Record<string, string>>
  /** Keyed digest of a secret. */
  readonly digest: (secret: string) => string
  /** Keyed digest of each sidecar, by path. */
  readonly sidecars: Readonly<Record<string, string>>
}

export interface ComposeBundle extends Pick<RenderValues, 'services' | 'variables'> {
  readonly text: string
}

/** Pure: the Compose file of one host, the hash of every service in it, and the variables its `.env` must define. */
export function composeBundle(parts: ComposeParts): ComposeBundle {
  const { params, model } = parts
  const variables = environmentVariables(parts)
  const services: Record<string, JsonObject> = {}
  const results: Record<string, RenderValues['services'][string]> = {}
  for (const name of sortedNames(Object.keys(model.services))) {
    const service = labelled(withEnvironmentFiles(withImage(name, parts), name, parts), name, params)
    const hash = digestOf(JSON.stringify(sortKeys(hashedParts(service, parts, variables))))
    // Compose refuses a second container of a service with a fixed name, even beside a stopped one: the rollout gives the name.
    services[name] = {
      ...without(service, 'container_name'),
      labels: { ...labelsOf(service), 'stagecraft.hash': hash },
      ...scaleOf(name, params),
    }
    const containerName = service['container_name']
    results[name] = { hash, image: String(service['image']), ...(typeof containerName === 'string' && { containerName }) }
  }
  const sections = Object.entries(model.resources).filter(([, section]) => Object.keys(section).length > 0)
  const text = renderComposeText({ name: params.composeProject, services, ...Object.fromEntries(sections), ...model.others })
  return { text, services: results, variables }
}

/**
 * Secrets some service refers to, and the environment file's when a service here is given it. Compose obeys `COMPOSE_*` in
 * a `.env` file (another project name, other profiles), so those stay out.
 */
function environmentVariables({ params, model, digest }: ComposeParts): string[] {
  const referred = [...Object.values(model.services), ...Object.values(model.resources)].flatMap((value) => namesIn(value))
  const given = Object.values(params.services).some(({ ownCode }) => ownCode) ? params.envFileNames : []
  const wanted = [...referred.filter((name) => model.scope.secrets.has(name)), ...given.filter((name) => digest(name) !== 'absent')]
  return sortedNames(wanted).filter((name) => !name.startsWith('COMPOSE_'))
}

function namesIn(value: Json): readonly string[] {
  return stringsIn(value).flatMap((text) => variableNames(text))
}

/** Of one that was sent, the name leads nowhere: whoever pulled it would get nothing, or a stranger's. */
function withImage(name: string, { model, images, params }: ComposeParts): JsonObject {
  const service = model.services[name] ?? {}
  const image = images[name]
  if (image === undefined) return service
  return { ...service, image, ...(params.services[name]?.image?.sent ? { pull_policy: 'never' } : {}) }
}

/** Later files win over earlier ones in Compose, and `environment` wins over all. */
function withEnvironmentFiles(service: JsonObject, name: string, { params }: ComposeParts): JsonObject {
  if (params.services[name]?.ownCode !== true) return service
  const ours = [
    ...(params.hostEnvFile === null ? [] : [params.hostEnvFile]),
    ...(params.envFileNames.length > 0 ? [environmentFileName] : []),
  ]
  if (ours.length === 0) return service
  return { ...service, env_file: [...items(service['env_file']), ...ours] }
}

function labelsOf(service: JsonObject): JsonObject {
  return isObject(service['labels']) ? service['labels'] : {}
}

/**
 * For whoever operates the host by hand or asks what should run on it. Not part of the hash: Compose's own leaves it out too, so that a replica
 * more replaces none.
 */
function scaleOf(name: string, params: RenderParams): JsonObject {
  const replicas = params.services[name]?.replicas ?? 1
  return replicas === 1 ? {} : { scale: replicas }
}

/** Neither a version nor a release id: a label that changes with every release would replace every container. */
function labelled(service: JsonObject, name: string, params: RenderParams): JsonObject {
  const labels = { 'stagecraft.project': params.project, 'stagecraft.env': params.environment, 'stagecraft.service': name }
  return { ...service, labels: { ...labelsOf(service), ...labels } }
}

/** Everything a container of the service is made from: other services' changes are not in it. */
function hashedParts(service: JsonObject, { model, digest, sidecars }: ComposeParts, variables: readonly string[]): JsonObject {
  const used = usedResources({ service })
  const resources = Object.fromEntries(
    Object.entries(model.resources).map(([section, all]) => {
      const names = used[section as keyof typeof used]
      return [section, Object.fromEntries(Object.entries(all).filter(([name]) => names.has(name)))]
    }),
  )
  const files = items(service['env_file']).map((entry) => String(isObject(entry) ? entry['path'] : entry))
  const referred = new Set(files.includes(environmentFileName) ? variables : [...namesIn(service), ...namesIn(resources)])
  const secrets = variables.filter((name) => referred.has(name))
  return {
    service,
    resources,
    secrets: Object.fromEntries(secrets.map((name) => [name, digest(name)])),
    files: Object.fromEntries(files.flatMap((path) => (sidecars[path] === undefined ? [] : [[path, sidecars[path]]]))),
  }
}
