/**
 * Asks registries what they hold (https://github.com/opencontainers/distribution-spec/blob/main/spec.md). Images come there by
 * `docker push`; what is written here is only which of them belong together.
 */
import { type Pause, pauseFor } from '../../cache/remote/patience.ts'
import { proxyFor } from '../../cache/remote/proxy.ts'
import type { Registry, RegistryCredentials } from '../../tasks/ports.ts'
import { loadCredentials } from './docker-config.ts'
import { type ImageReference, parseReference } from './image-reference.ts'
import { type RunProcess, runProcess } from './process.ts'
import { openSender } from './registry-http.ts'
import { readManifest, writeIndex } from './registry-manifest.ts'
import { askRegistry, unexpected } from './registry-session.ts'

export interface RegistryOptions {
  /** Where `DOCKER_CONFIG`, `HOME` and `HTTPS_PROXY` are looked up. */
  readonly environment?: Readonly<Record<string, string | undefined>>
  readonly signal?: AbortSignal
  /** For one attempt. */
  readonly timeoutMs?: number
  readonly certificatesDirectory?: string
  /** Waits between attempts. */
  readonly pause?: Pause
  readonly run?: RunProcess
}

type Manifest = Awaited<ReturnType<Registry['manifest']>>

const manifestTypes = [
  'application/vnd.oci.image.manifest.v1+json',
  'application/vnd.oci.image.index.v1+json',
  'application/vnd.docker.distribution.manifest.v2+json',
  'application/vnd.docker.distribution.manifest.list.v2+json',
].join(', ')

/**
 * A client for every registry of one run. Answers, also those under way, are kept for the run; failures are not.
 * The image id is the digest of the image's configuration. An index (several platforms, or one with attestations) has none:
 * it names several images.
 */
export function createRegistry(options: RegistryOptions = {}): Registry {
  const { environment = process.env, signal, timeoutMs = 10_000, certificatesDirectory = '/etc/docker/certs.d', run = runProcess } = options
  const { pause = pauseFor } = options
  const withSignal = signal ? { signal } : {}
  const known = new Memo<RegistryCredentials | undefined>()
  const manifests = new Memo<Manifest>()
  const credentials = (reference: ImageReference) =>
    known.get(reference.registry, () => loadCredentials(reference.registry, { environment, run, ...withSignal }))
  const { send } = openSender({ timeoutMs, certificatesDirectory, pause, proxy: (url) => proxyFor(url, environment), ...withSignal })
  const ask = askRegistry({ send, credentials })
  const get = (reference: ImageReference, target: string) => ask(reference, { method: 'GET', target, headers: { accept: manifestTypes } })

  async function look(reference: ImageReference): Promise<Manifest> {
    const answer = await get(reference, `manifests/${reference.digest ?? reference.tag}`)
    if (answer.status === 404) return undefined
    if (answer.status !== 200) throw unexpected(reference.registry, answer)
    return readManifest(reference, answer.body)
  }

  return {
    async manifest(text) {
      const reference = parseReference(text)
      return manifests.get(canonical(reference), () => look(reference))
    },
    async publishIndex(text, images) {
      const reference = parseReference(text)
      const digest = await writeIndex(reference, images, ask)
      manifests.delete(canonical(reference))
      return digest
    },
    forget(text) {
      manifests.delete(canonical(parseReference(text)))
    },
    async credentials(text) {
      return credentials(parseReference(text))
    },
  }
}

function canonical({ registry, repository, tag, digest }: ImageReference): string {
  return `${registry}/${repository}${digest === undefined ? `:${tag}` : `@${digest}`}`
}

/** Answers by key; asking twice asks once. A failure is not kept. */
class Memo<T> {
  readonly #answers = new Map<string, Promise<T>>()

  get(key: string, ask: () => Promise<T>): Promise<T> {
    const kept = this.#answers.get(key)
    if (kept !== undefined) return kept
    const answer = ask()
    this.#answers.set(key, answer)
    answer.catch(() => {
      if (this.#answers.get(key) === answer) this.#answers.delete(key)
    })
    return answer
  }

  delete(key: string): void {
    this.#answers.delete(key)
  }
}
