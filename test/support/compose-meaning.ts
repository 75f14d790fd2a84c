/** Two normalised Compose models, made comparable: all that a deploy changes on purpose is here, and nothing else. */
import type { Json, JsonObject } from '../../graph/types.ts'
import { isObject, mapStrings, members, without } from '../../tasks/rendering/json.ts'
import { usedResources } from '../../tasks/rendering/references.ts'

/**
 * A model without what a deploy changes:
 *
 * - `build`, `profiles`, `container_name`, `scale` and `deploy.replicas` are the rollout's, and not in the file of a host;
 * - the image of a service that is built here is a digest;
 * - labels say whose container it is;
 * - a folder or a file of the project is mounted from a copy on the host, whose place is a digest of its content;
 * - a text or a variable that becomes a file is a file;
 * - a variable that is passed on, and has no value, is left out;
 * - networks, volumes, configs and secrets that no service uses are left out.
 */
export function meaning(model: JsonObject, built: ReadonlySet<string>, placed: (path: string) => string): JsonObject {
  const services = Object.fromEntries(
    members(model['services']).map(([name, service]) => [name, meaningOf(isObject(service) ? service : {}, built.has(name), placed)]),
  )
  const used = usedResources(services)
  const section = (key: keyof typeof used) =>
    Object.fromEntries(
      members(model[key])
        .filter(([name]) => used[key].has(name))
        .map(([name, value]) => [name, resource(isObject(value) ? value : {}, placed)]),
    )
  const sections = Object.fromEntries((['networks', 'volumes', 'configs', 'secrets'] as const).map((key) => [key, section(key)]))
  return { ...model, services, ...sections }
}

function meaningOf(service: JsonObject, isBuilt: boolean, placed: (path: string) => string): JsonObject {
  const labels = members(service['labels']).filter(([key]) => !key.startsWith('stagecraft.'))
  const environment = members(service['environment']).filter(([, value]) => value !== null)
  const deploy = isObject(service['deploy']) ? without(service['deploy'], 'replicas') : {}
  const kept = without(
    service,
    'build',
    'profiles',
    'container_name',
    'scale',
    'labels',
    'deploy',
    'environment',
    ...(isBuilt ? ['image'] : []),
  )
  const moved = mapStrings(kept, (text, path) => (/^volumes\[\d+\]\.source$|^security_opt/.test(path) ? movedIn(text, placed) : text))
  return {
    ...(moved as JsonObject),
    ...(environment.length > 0 && { environment: Object.fromEntries(environment) }),
    ...(labels.length > 0 && { labels: Object.fromEntries(labels) }),
    ...(members(deploy).some(([, value]) => isObject(value) && Object.keys(value).length > 0) && { deploy: deploy as Json }),
  }
}

function movedIn(text: string, placed: (path: string) => string): string {
  const [, prefix = '', path = ''] = /^(seccomp[:=])?(.*)$/s.exec(text) ?? []
  return `${prefix}${placed(path)}`
}

function resource(value: JsonObject, placed: (path: string) => string): JsonObject {
  const { file, content } = value
  if (typeof content === 'string') return { ...without(value, 'content'), file: `text ${content}` }
  return typeof file === 'string' ? { ...value, file: placed(file) } : value
}
