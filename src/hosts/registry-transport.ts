/** A registry as a place for cache entries, reached as Docker reaches it: its credentials, its certificates, its manners. */

import type { OciTransport } from '../../cache/remote/oci.ts'
import { type Pause, pauseFor } from '../../cache/remote/patience.ts'
import { proxyFor } from '../../cache/remote/proxy.ts'
import type { RegistryCredentials } from '../../tasks/ports.ts'
import { loadCredentials } from './docker-config.ts'
import type { ImageReference } from './image-reference.ts'
import { type RunProcess, runProcess } from './process.ts'
import { openSender } from './registry-http.ts'
import { askRegistry } from './registry-session.ts'

export interface RegistryTransportOptions {
  /** Where `DOCKER_CONFIG`, `HOME` and `HTTPS_PROXY` are looked up. */
  readonly environment: Readonly<Record<string, string | undefined>>
  /** For how long a registry that asks for patience is waited for. */
  readonly patienceMs?: number
  readonly certificatesDirectory?: string
  readonly pause?: Pause
  readonly run?: RunProcess
}

/** Enough to keep a wire full, few enough for a registry that counts. */
const maximumSockets = 12

/**
 * Sends nothing, and reads no credentials, before it is asked to.
 * @param repository with its registry, which is never left out: `ghcr.io/acme/shop-cache`.
 */
export function registryTransport(repository: string, options: RegistryTransportOptions): OciTransport {
  const slash = repository.indexOf('/')
  const reference: ImageReference = { registry: repository.slice(0, slash), repository: repository.slice(slash + 1) }
  const { environment, certificatesDirectory = '/etc/docker/certs.d', pause = pauseFor, run = runProcess } = options
  const sender = openSender({
    certificatesDirectory,
    pause,
    maximumSockets,
    proxy: (url) => proxyFor(url, environment),
    ...(options.patienceMs !== undefined && { patienceMs: options.patienceMs }),
  })
  const secrets = new Set<string>()
  let known: Promise<RegistryCredentials | undefined> | undefined
  const ask = askRegistry({
    send: (request, limits) => {
      const { authorization } = request.headers
      // `Basic …` or `Bearer …`: the second word is the secret.
      if (authorization !== undefined) secrets.add(authorization.slice(authorization.indexOf(' ') + 1))
      return sender.send(request, limits)
    },
    async credentials({ registry }) {
      known ??= loadCredentials(registry, { environment, run })
      const found = await known
      for (const secret of [found?.password, found?.identitytoken]) if (secret) secrets.add(secret)
      return found
    },
  })
  return {
    send: ({ limitBytes, ...request }, signal) => ask(reference, request, { signal, limitBytes }),
    redact: (text) => [...secrets].reduce((shown, secret) => shown.replaceAll(secret, '***'), text),
    close: () => sender.close(),
  }
}
