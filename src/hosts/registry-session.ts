/** Asks a registry for a repository's things, with whatever authorization it wants. */
import { TaskFailure } from '../../tasks/kind.ts'
import type { RegistryCredentials } from '../../tasks/ports.ts'
import { type ImageReference, isLoopback, loginCommand } from './image-reference.ts'
import { basicAuthorization, type Challenge, parseChallenge, parseToken, tokenRequest } from './registry-auth.ts'
import type { HttpAnswer, SendRequest } from './registry-http.ts'

/** GET below `/v2/<repository>/`. Any answer but a denial is returned as it is. */
export type GetFromRegistry = (reference: ImageReference, path: string, accept: string) => Promise<HttpAnswer>

export interface SessionOptions {
  readonly send: SendRequest
  readonly credentials: (reference: ImageReference) => Promise<RegistryCredentials | undefined>
}

/** Remembers, for the run, which authorization a repository took. */
export function createSession({ send, credentials }: SessionOptions): GetFromRegistry {
  const authorizations = new Map<string, string>()
  const plain = new Set<string>()

  async function request(reference: ImageReference, path: string, accept: string, authorization: string | undefined): Promise<HttpAnswer> {
    const { registry, repository } = reference
    const host = registry === 'docker.io' ? 'registry-1.docker.io' : registry
    const headers = { accept, ...(authorization === undefined ? {} : { authorization }) }
    const get = (scheme: string) => send({ method: 'GET', url: new URL(`${scheme}://${host}/v2/${repository}/${path}`), headers })
    if (plain.has(registry)) return get('http')
    try {
      return await get('https')
    } catch (error) {
      // As Docker does: TLS first, and without it on this machine only.
      if (!isLoopback(registry) || !(error instanceof TaskFailure) || error.failure.reason !== 'unreachable') throw error
      const answer = await get('http')
      plain.add(registry)
      return answer
    }
  }

  /** The values for an `Authorization` header that are worth trying, the least right first. */
  async function* candidates(reference: ImageReference, challenge: Challenge): AsyncGenerator<string> {
    const known = await credentials(reference)
    if (challenge.scheme === 'basic') {
      if (known !== undefined) yield basicAuthorization(known)
      return
    }
    if (known !== undefined && !challenge.realm.startsWith('https:') && !plain.has(reference.registry))
      throw unsafe(reference, challenge.realm)
    const pull = challenge.scope ?? `repository:${reference.repository}:pull`
    // Docker Hub denies `pull` on a repository that the first push would create, and answers "not found" to who may push.
    const scopes = known === undefined ? [pull] : [pull, `repository:${reference.repository}:pull,push`]
    for (const scope of scopes) {
      const answer = await send(tokenRequest(challenge, scope, known))
      if (isDenial(answer)) continue
      const token = answer.status === 200 ? parseToken(answer.body.toString('utf8')) : undefined
      if (token === undefined) throw unexpected(new URL(challenge.realm).host, answer)
      yield `Bearer ${token}`
    }
  }

  return async (reference, path, accept) => {
    const key = `${reference.registry}/${reference.repository}`
    const first = await request(reference, path, accept, authorizations.get(key))
    if (!isDenial(first)) return first
    authorizations.delete(key)
    const challenge = parseChallenge(first.headers['www-authenticate'] ?? '')
    if (challenge === undefined) throw await denied(reference, credentials)
    for await (const authorization of candidates(reference, challenge)) {
      const answer = await request(reference, path, accept, authorization)
      if (isDenial(answer)) continue
      authorizations.set(key, authorization)
      return answer
    }
    throw await denied(reference, credentials)
  }
}

/** A registry's answer that nothing can be done with. */
export function unexpected(subject: string, { status, headers }: HttpAnswer): TaskFailure {
  if (status !== 429) {
    const message = `${subject} answered with HTTP status ${status}`
    return new TaskFailure({ reason: 'unreachable', subject, message, remedy: 'try again, or look at the registry' })
  }
  const after = headers['retry-after']
  const remedy = after === undefined ? 'try again later' : `try again after ${/^\d+$/.test(after) ? `${after} s` : after}`
  return new TaskFailure({ reason: 'refused', subject, message: `${subject} limits how often it is asked`, remedy })
}

function isDenial({ status }: HttpAnswer): boolean {
  return status === 401 || status === 403
}

async function denied(reference: ImageReference, credentials: SessionOptions['credentials']): Promise<TaskFailure> {
  const { registry, repository } = reference
  const known = await credentials(reference)
  const message =
    known === undefined
      ? `registry without credentials: ${registry} wants a login for ${repository}, and Docker's configuration holds none`
      : `${registry} refuses ${repository} to the login that Docker's configuration holds`
  return new TaskFailure({ reason: 'refused', subject: registry, message, remedy: loginCommand(registry) })
}

function unsafe({ registry }: ImageReference, realm: string): TaskFailure {
  const message = `${registry} wants its password sent to ${realm}, without TLS`
  return new TaskFailure({ reason: 'refused', subject: registry, message, remedy: 'let the registry name an https realm' })
}
