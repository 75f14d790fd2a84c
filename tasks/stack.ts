/**
 * `stack`: what `render` is for a host, for a swarm. The same Compose model, the same images by digest, the same placeholders; its result is the
 * specs of services for the Engine API instead of a file for Compose.
 */
import { digestOfJson } from '../graph/fingerprint.ts'
import type { ActionResult } from '../graph/types.ts'
import { defineTask } from './kind.ts'
import { declaredInputs, type LocatedModel, locatedModel } from './render.ts'
import { stringsIn } from './rendering/json.ts'
import type { LocalBundle } from './rendering/local-bundle.ts'
import { variableNames } from './rendering/template.ts'
import type { SwarmObjectName } from './swarm/mounts.ts'
import { type StackParams, type StackService, type StackValues, stackParams } from './swarm/params.ts'
import { networkName, serviceSpec } from './swarm/service-spec.ts'

export const stack = defineTask<StackParams>({
  name: 'stack',
  version: 1,
  summary: 'writes the services of a swarm',
  freshness: 'content',
  phase: 'rollout',
  pure: true,
  params: stackParams,
  title: ({ render: { environment } }) => `write the services of ${environment}`,
  inputs: ({ render }) => declaredInputs(render),
  select(_params, _need, result) {
    return { repository: result.values['repository'] ?? null, digest: result.values['digest'] ?? null }
  },
  async run(params, context) {
    const located = await locatedModel(params.render, context)
    const objects = objectsOf(located, params)
    const digest = (name: string) => context.ports.secrets.digest(name)
    const services = Object.keys(located.model.services).map((name) => [name, service(name, params, located, objects, digest)] as const)
    const values: StackValues = {
      services: Object.fromEntries(services),
      configs: Object.entries(objects.configs).map(([file, { object }]) => ({ name: object, file })),
      secrets: located.local.sidecars.map(({ sidecar }) => ({
        name: objects.secrets[sidecar.path]?.object ?? '',
        content: 'secret' in sidecar ? { secret: sidecar.secret } : { template: sidecar.template },
      })),
      networks: networksOf(located, params),
    }
    return { files: located.local.files, values: values as ActionResult['values'] }
  },
})

/** By path below the host's folder: what travels as a config, and what as a secret. */
interface Objects {
  readonly configs: Readonly<Record<string, SwarmObjectName & { readonly executable: boolean }>>
  readonly secrets: Readonly<Record<string, SwarmObjectName>>
}

function objectsOf({ local }: { readonly local: LocalBundle }, { render: { composeProject } }: StackParams): Objects {
  const configs = Object.entries(local.files).map(([path, { digest, executable }]) => {
    return [path, { kind: 'Config' as const, object: objectName(composeProject, path, digest), executable }] as const
  })
  const secrets = local.sidecars.map(({ sidecar: { path }, digest }) => {
    return [path, { kind: 'Secret' as const, object: objectName(composeProject, path, digest) }] as const
  })
  return { configs: Object.fromEntries(configs), secrets: Object.fromEntries(secrets) }
}

/** At most 64 characters, as the Engine has it. By content: what a running container mounts never changes under its name. */
function objectName(composeProject: string, path: string, digest: string): string {
  const base = path.slice(path.lastIndexOf('/') + 1).replace(/[^A-Za-z0-9._-]/g, '-')
  return `${composeProject.slice(0, 24)}_${base.slice(0, 24)}_${digest.slice(0, 12)}`
}

function service(
  name: string,
  { render, services }: StackParams,
  { model, images }: LocatedModel,
  objects: Objects,
  digest: (secret: string) => string,
): StackService {
  const definition = model.services[name] ?? {}
  const { replicas = 1, ownCode = false } = render.services[name] ?? {}
  const image = images[name] ?? String(definition['image'])
  const policy = services[name]
  if (policy === undefined) throw new Error(`the stack has no policy for ${name}`)
  const { project, environment, composeProject, directory } = render
  const mounted = (section: 'configs' | 'secrets') =>
    Object.fromEntries(
      Object.entries(model.resources[section]).map(([own, resource]) => [own, mountedObject(own, resource, section, directory, objects)]),
    )
  const spec = serviceSpec({
    ...{ name, definition, image, replicas, policy, project, environment, composeProject },
    constraints: policy.constraints,
    networks: model.resources.networks,
    volumes: model.resources.volumes,
    configs: mounted('configs'),
    secrets: mounted('secrets'),
    bound: { configs: objects.configs, directory },
  })
  const given = ownCode ? render.envFileNames.filter((variable) => digest(variable) !== 'absent' && !variable.startsWith('COMPOSE_')) : []
  const own = new Set(Object.keys((definition['environment'] ?? {}) as object))
  const variables = given.filter((variable) => !own.has(variable)).sort()
  const used = [...new Set([...stringsIn(spec).flatMap((text) => variableNames(text)), ...variables])].sort()
  const { Mode: _mode, ...lasting } = spec
  const secrets = Object.fromEntries(used.map((secret) => [secret, digest(secret)]))
  return { hash: digestOfJson({ spec: lasting, environment: variables, secrets }), image, replicas, spec, environment: variables }
}

/** One that is `external` is somebody else's, and known by its name. */
function mountedObject(
  own: string,
  resource: { readonly [key: string]: unknown },
  section: 'configs' | 'secrets',
  directory: string,
  { configs, secrets }: Objects,
): SwarmObjectName {
  const path = String(resource['file'] ?? '').slice(directory.length + 1)
  const found = configs[path] ?? secrets[path]
  if (found !== undefined) return { kind: found.kind, object: found.object }
  return { kind: section === 'configs' ? 'Config' : 'Secret', object: String(resource['name'] ?? own) }
}

function networksOf({ model }: LocatedModel, { render: { composeProject } }: StackParams): StackValues['networks'] {
  const attached = Object.values(model.services).some(({ networks, network_mode: mode }) => networks === undefined && mode === undefined)
  const names = new Set([...Object.keys(model.resources.networks), ...(attached ? ['default'] : [])])
  return [...names].sort().map((name) => {
    const definition = model.resources.networks[name] ?? {}
    return { name: networkName(name, definition, composeProject), definition }
  })
}
