/**
 * How a registry wants to be asked: https://distribution.github.io/distribution/spec/auth/token/ and, for identity tokens,
 * https://distribution.github.io/distribution/spec/auth/oauth/. Builds requests and reads answers; sends nothing.
 */
import type { RegistryCredentials } from '../../tasks/ports.ts'

/** What a `WWW-Authenticate` header asks for. */
export type Challenge =
  | { readonly scheme: 'basic' }
  | { readonly scheme: 'bearer'; readonly realm: string; readonly service?: string; readonly scope?: string }

export interface TokenRequest {
  readonly method: 'GET' | 'POST'
  readonly url: URL
  readonly headers: Readonly<Record<string, string>>
  readonly body?: string
}

/** Reads a header that may hold several challenges. A token is preferred to the password itself. */
export function parseChallenge(header: string): Challenge | undefined {
  const challenges = header.split(/(?:^|,\s*)(?=(?:basic|bearer)\s)/i).filter((part) => part !== '')
  const bearer = challenges.find((part) => /^bearer\s/i.test(part))
  const parameter = (name: string) =>
    new RegExp(`[\\s,]${name}=(?:"([^"]*)"|([^\\s,"]+))`, 'i')
      .exec(bearer ?? '')
      ?.slice(1)
      .find(Boolean)
  const realm = parameter('realm')
  if (realm !== undefined && URL.canParse(realm)) {
    const [service, scope] = [parameter('service'), parameter('scope')]
    return { scheme: 'bearer', realm, ...(service === undefined ? {} : { service }), ...(scope === undefined ? {} : { scope }) }
  }
  return challenges.some((part) => /^basic\s/i.test(part)) ? { scheme: 'basic' } : undefined
}

/** The request that turns credentials, or none for public repositories, into a token for `scope`. */
export function tokenRequest(
  challenge: Extract<Challenge, { scheme: 'bearer' }>,
  scope: string,
  credentials: RegistryCredentials | undefined,
): TokenRequest {
  const url = new URL(challenge.realm)
  const fields: [string, string][] = [
    ...(challenge.service === undefined ? [] : [['service', challenge.service] as [string, string]]),
    ['scope', scope],
  ]
  if (credentials?.identitytoken !== undefined) {
    const body = new URLSearchParams([
      ...fields,
      ...([
        ['grant_type', 'refresh_token'],
        ['client_id', 'stagecraft'],
        ['refresh_token', credentials.identitytoken],
      ] as [string, string][]),
    ])
    return { method: 'POST', url, headers: { 'content-type': 'application/x-www-form-urlencoded' }, body: body.toString() }
  }
  for (const [name, value] of fields) url.searchParams.append(name, value)
  return { method: 'GET', url, headers: credentials === undefined ? {} : { authorization: basicAuthorization(credentials) } }
}

/** Servers give the token under either name. */
export function parseToken(body: string): string | undefined {
  try {
    const { token, access_token } = JSON.parse(body) as { token?: unknown; access_token?: unknown }
    return [token, access_token].find((value): value is string => typeof value === 'string' && value !== '')
  } catch {
    return undefined
  }
}

/** How long the token in a server's answer is good, in milliseconds, less a margin: by the protocol 60 s unless it says otherwise. */
export function tokenLifetimeMs(body: string): number {
  const { expires_in: seconds } = JSON.parse(body) as { expires_in?: unknown }
  return (typeof seconds === 'number' && seconds > 0 ? seconds : 60) * 900
}

export function basicAuthorization({ username, password }: RegistryCredentials): string {
  return `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`
}
