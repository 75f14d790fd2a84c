/** A registry as a place for cache entries, reached as Docker reaches it: its credentials, its certificates, its manners. */

import type { OciTransport } from '../../cache/remote/oci.ts'
import { type Pause, pauseFor } from '../../cache/remote/patience.ts'
import { TaskFailure } from '../../tasks/kind.ts'
import type { RegistryCredentials } from '../../tasks/ports.ts'
import { loadCredentials } from './docker-config.ts'
import { type ImageReference, parseReference } from './image-reference.ts'
import { type RunProcess, runProcess } from './process.ts'
import { openSender } from './registry-http.ts'
import { askRegistry } from './registry-session.ts'

export interface RegistryTransportOptions {
  /** Where `DOCKER_CONFIG` and `HOME` are looked up. */
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly certificatesDirectory?: string
  readonly pause?: Pause
  readonly run?: RunProcess
}

/** Enough to keep a wire full, few enough for a registry that counts. */
const maximumSockets = 6

/**
 * Reads `oci://registry/repository`.
 * @throws TaskFailure when that is not what it says; the text is not repeated where it may hold a password.
 */
export function parseOciLocation(text: string): ImageReference {
  const [, name] = /^oci:\/\/(.+)$/.exec(text) ?? []
  const refused = (message: string) =>
    new TaskFailure({ reason: 'refused', subject: 'the shared cache', message, remedy: 'write it as oci://registry/repository' })
  if (name === undefined) throw refused('the address of a shared cache in a registry begins with oci://')
  if (name.includes('@') || /[?#]/.test(name))
    throw refused('the address of a shared cache holds a login, a digest or options; logins come from `docker login`')
  const reference = parseReference(name)
  if (reference.tag !== 'latest' || name.endsWith(':latest')) throw refused(`${text} names a tag; entries have tags of their own`)
  return reference
}

/** Sends nothing, and reads no credentials, before it is asked to. */
export function registryTransport(reference: ImageReference, options: RegistryTransportOptions): OciTransport {
  const { environment, certificatesDirectory = '/etc/docker/certs.d', pause = pauseFor, run = runProcess } = options
  const sender = openSender({ certificatesDirectory, pause, maximumSockets })
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
