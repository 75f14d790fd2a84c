/** Whether a registry would take an image from us, without giving it one: an upload is begun and canceled. */
import { pauseFor } from '../../cache/remote/patience.ts'
import { loadCredentials } from './docker-config.ts'
import { parseReference } from './image-reference.ts'
import { runProcess } from './process.ts'
import { openSender } from './registry-http.ts'
import { askRegistry, unexpected } from './registry-session.ts'

export interface PushRightOptions {
  /** Where `DOCKER_CONFIG` and `HOME` are looked up. */
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly signal: AbortSignal
  readonly certificatesDirectory?: string
}

/**
 * Nothing is left in the registry (distribution-spec, "Pushing a blob in chunks", "Canceling a blob upload").
 * @throws TaskFailure when it cannot be reached, or refuses.
 */
export async function mayPush(repository: string, options: PushRightOptions): Promise<void> {
  const { environment, signal, certificatesDirectory = '/etc/docker/certs.d' } = options
  const reference = parseReference(repository)
  const sender = openSender({ timeoutMs: 10_000, certificatesDirectory, pause: pauseFor, signal })
  const credentials = () => loadCredentials(reference.registry, { environment, run: runProcess, signal })
  const ask = askRegistry({ send: sender.send, credentials })
  try {
    const begun = await ask(reference, { method: 'POST', target: 'blobs/uploads/', headers: {} })
    if (begun.status !== 202) throw unexpected(reference.registry, begun)
    const { location } = begun.headers
    // What is not canceled, the registry drops by itself.
    if (location !== undefined) await ask(reference, { method: 'DELETE', target: location, headers: {} }).catch(() => undefined)
  } finally {
    await sender.close()
  }
}
