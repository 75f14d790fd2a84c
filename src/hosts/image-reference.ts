/** Image references, by Docker's rules (https://github.com/distribution/reference). Pure. */
import { TaskFailure } from '../../tasks/kind.ts'

export interface ImageReference {
  /** `host[:port]`; `docker.io` when the reference names none. */
  readonly registry: string
  /** Below the registry: `acme/shop/api`, `library/nginx`. */
  readonly repository: string
  /** `latest` when the reference has neither tag nor digest. */
  readonly tag?: string
  /** `sha256:…` */
  readonly digest?: string
}

const defaultRegistry = 'docker.io'
const registryPattern =
  /^(?:[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?(?:\.[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?)*|\[[0-9a-fA-F:]+\])(?::\d+)?$/
const repositoryPattern = /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*$/
const tagPattern = /^\w[\w.-]{0,127}$/
const digestPattern = /^sha256:[0-9a-f]{64}$/

/** @throws TaskFailure when it is not an image reference. */
export function parseReference(text: string): ImageReference {
  const [named = '', digest, ...more] = text.split('@')
  // A colon after the last slash begins a tag; one before it is a registry's port.
  const colon = named.indexOf(':', named.lastIndexOf('/') + 1)
  const tag = colon === -1 ? undefined : named.slice(colon + 1)
  const { registry, repository } = splitName(colon === -1 ? named : named.slice(0, colon))
  const valid =
    more.length === 0 &&
    registryPattern.test(registry) &&
    repositoryPattern.test(repository) &&
    (tag === undefined || tagPattern.test(tag)) &&
    (digest === undefined || digestPattern.test(digest))
  if (!valid) {
    throw new TaskFailure({
      reason: 'refused',
      subject: text,
      message: `\`${text}\` is not an image reference`,
      remedy: 'write it as registry/name:tag, the name in lower case',
    })
  }
  if (digest !== undefined) return { registry, repository, ...(tag === undefined ? {} : { tag }), digest }
  return { registry, repository, tag: tag ?? 'latest' }
}

/** A first part with a dot, a port or an upper-case letter is a registry; else the name is one of Docker Hub's. */
function splitName(name: string): { readonly registry: string; readonly repository: string } {
  const slash = name.indexOf('/')
  const first = name.slice(0, Math.max(slash, 0))
  const isRegistry = slash !== -1 && (/[.:]/.test(first) || first === 'localhost' || first !== first.toLowerCase())
  const registry = isRegistry ? first : defaultRegistry
  const repository = isRegistry ? name.slice(slash + 1) : name
  if (registry !== defaultRegistry && registry !== `index.${defaultRegistry}`) return { registry, repository }
  return { registry: defaultRegistry, repository: repository.includes('/') ? repository : `library/${repository}` }
}

/** Docker trusts registries of this machine without TLS, and so do we. */
export function isLoopback(registry: string): boolean {
  return /^(?:localhost|127(?:\.\d+){3}|\[::1\])(?::\d+)?$/.test(registry)
}

/** Under which name Docker keeps a registry's credentials. Docker Hub has a historical one. */
export function serverAddress(registry: string): string {
  return registry === 'docker.io' ? 'https://index.docker.io/v1/' : registry
}

/** What to type to give Docker credentials for a registry. */
export function loginCommand(registry: string): string {
  return registry === 'docker.io' ? 'docker login' : `docker login ${registry}`
}
