/** Asks a registry for a repository's things, with whatever authorization it wants. */
import type { HttpAnswer, HttpBody, HttpRequest } from '../../cache/remote/exchange.ts'
import { TaskFailure } from '../../tasks/kind.ts'
import type { RegistryCredentials } from '../../tasks/ports.ts'
import { type ImageReference, isLoopback, loginCommand } from './image-reference.ts'
import { basicAuthorization, type Challenge, parseChallenge, parseToken, tokenLifetimeMs, tokenRequest } from './registry-auth.ts'
import type { RequestLimits, SendRequest } from './registry-http.ts'

export interface RepositoryRequest {
  readonly method: HttpRequest['method']
  /** Below `/v2/<repository>/`, or what a `Location` said. */
  readonly target: string
  readonly headers: Readonly<Record<string, string>>
  readonly body?: HttpBody
  /** A file: what a 200 answers with is written to it. */
  readonly into?: string
}

/** Asks below `/v2/<repository>/`. Any answer but a denial is returned as it is. */
export type AskRegistry = (reference: ImageReference, request: RepositoryRequest, limits?: RequestLimits) => Promise<HttpAnswer>

export interface SessionOptions {
  readonly send: SendRequest
  readonly credentials: (reference: ImageReference) => Promise<RegistryCredentials | undefined>
}

/** Remembers, for the run, which authorization a repository took, and follows where reads are sent on to. */
export function askRegistry({ send, credentials }: SessionOptions): AskRegistry {
  const authorizations = new Map<string, Authorization>()
  const plain = new Set<string>()
  const inTurn = turns()

  async function request(
    reference: ImageReference,
    { method, target, headers, body, into }: RepositoryRequest,
    authorization: string | undefined,
    limits: RequestLimits | undefined,
  ): Promise<HttpAnswer> {
    const { registry, repository } = reference
    const host = registryHost(registry)
    const one = (scheme: string) => {
      const url = targetUrl(target, `${scheme}://${host}/v2/${repository}/`)
      if (url.protocol === 'http:' && scheme === 'https' && !isLoopback(url.host)) throw unsafeDetour(reference, url)
      // A password or a token is for the registry, not for the storage that it sends us to.
      const authorized = authorization === undefined || url.host !== host ? headers : { ...headers, authorization }
      return send(
        { method, url, headers: authorized, ...(body === undefined ? {} : { body }), ...(into === undefined ? {} : { into }) },
        limits,
      )
    }
    if (plain.has(registry)) return one('http')
    try {
      return await one('https')
    } catch (error) {
      // As Docker does: TLS first, and without it on this machine only.
      if (!isLoopback(registry) || !(error instanceof TaskFailure) || error.failure.reason !== 'unreachable') throw error
      const answer = await one('http')
      plain.add(registry)
      return answer
    }
  }

  /** The values for an `Authorization` header that are worth trying, the least right first. */
  async function* candidates(reference: ImageReference, challenge: Challenge, limits?: RequestLimits): AsyncGenerator<Authorization> {
    const known = await credentials(reference)
    if (challenge.scheme === 'basic') {
      if (known !== undefined) yield { value: basicAuthorization(known), until: Number.POSITIVE_INFINITY }
      return
    }
    if (known !== undefined && !challenge.realm.startsWith('https:') && !plain.has(reference.registry))
      throw unsafe(reference, challenge.realm)
    const pull = challenge.scope ?? `repository:${reference.repository}:pull`
    // Docker Hub denies `pull` on a repository that the first push would create, and answers "not found" to who may push.
    const scopes = known === undefined ? [pull] : [...new Set([pull, `repository:${reference.repository}:pull,push`])]
    for (const scope of scopes) {
      const asked = Date.now()
      const answer = await send(tokenRequest(challenge, scope, known), { signal: limits?.signal })
      if (isDenial(answer)) continue
      const body = answer.body.toString('utf8')
      const token = answer.status === 200 ? parseToken(body) : undefined
      if (token === undefined) throw unexpected(new URL(challenge.realm).host, answer)
      yield { value: `Bearer ${token}`, until: asked + tokenLifetimeMs(body) }
    }
  }

  async function authorized(reference: ImageReference, wanted: RepositoryRequest, limits?: RequestLimits): Promise<HttpAnswer> {
    const key = `${reference.registry}/${reference.repository}`
    const usable = () => {
      const kept = authorizations.get(key)
      return kept !== undefined && kept.until > Date.now() ? kept : undefined
    }
    const used = usable()
    const first = await request(reference, wanted, used?.value, limits)
    if (!isDenial(first)) return first
    // Of many requests denied at once, one asks for a token and the others use it.
    return inTurn(key, async () => {
      const newer = usable()
      const again = newer !== undefined && newer !== used ? await request(reference, wanted, newer.value, limits) : first
      if (!isDenial(again)) return again
      authorizations.delete(key)
      const challenge = parseChallenge(again.headers['www-authenticate'] ?? '')
      if (challenge === undefined) throw await denied(reference, credentials)
      for await (const authorization of candidates(reference, challenge, limits)) {
        const answer = await request(reference, wanted, authorization.value, limits)
        if (isDenial(answer)) continue
        authorizations.set(key, authorization)
        return answer
      }
      throw await denied(reference, credentials)
    })
  }

  return async (reference, wanted, limits) => {
    let answer = await authorized(reference, wanted, limits)
    let base = `https://${registryHost(reference.registry)}/v2/${reference.repository}/`
    for (let hop = 0; hop < longestDetour && isSentOn(wanted, answer); hop += 1) {
      const next = new URL(answer.headers.location ?? '', base)
      if (next.protocol === 'http:' && !plain.has(reference.registry) && next.host !== new URL(base).host)
        throw unsafeDetour(reference, next)
      const authorization = authorizations.get(`${reference.registry}/${reference.repository}`)?.value
      answer = await request(reference, { ...wanted, target: next.href }, authorization, limits)
      base = next.href
    }
    return answer
  }
}

interface Authorization {
  readonly value: string
  /** Milliseconds since the epoch. */
  readonly until: number
}

const longestDetour = 5

function isSentOn({ method }: RepositoryRequest, { status, headers }: HttpAnswer): boolean {
  return (method === 'GET' || method === 'HEAD') && [301, 302, 303, 307, 308].includes(status) && headers.location !== undefined
}

function registryHost(registry: string): string {
  return registry === 'docker.io' ? 'registry-1.docker.io' : registry
}

/** A registry behind a proxy may say `http:` of itself; what is asked of it with TLS stays with TLS. */
function targetUrl(target: string, base: string): URL {
  const url = new URL(target, base)
  const { protocol, host } = new URL(base)
  if (url.host === host) url.protocol = protocol
  return url
}

/** Runs one at a time what has the same key. */
function turns(): <T>(key: string, run: () => Promise<T>) => Promise<T> {
  const last = new Map<string, Promise<unknown>>()
  return (key, run) => {
    const mine = (last.get(key) ?? Promise.resolve()).then(run, run)
    last.set(key, mine)
    return mine
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

function unsafeDetour({ registry }: ImageReference, { host }: URL): TaskFailure {
  const message = `${registry} sends us on to ${host}, without TLS`
  return new TaskFailure({ reason: 'refused', subject: registry, message, remedy: 'let the registry name an https storage' })
}
