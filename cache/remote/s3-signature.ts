/** AWS Signature Version 4 in a header (https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html). Pure. */
import { createHash, createHmac } from 'node:crypto'

export interface S3Credentials {
  readonly accessKeyId: string
  readonly secretAccessKey: string
  /** Of credentials that are lent for a while. */
  readonly sessionToken?: string
}

export interface Signable {
  readonly method: string
  /** Its path is sent as it stands: encode it with `encodePath`. */
  readonly url: URL
  readonly headers: Readonly<Record<string, string>>
  /** Hex SHA-256 of the body. */
  readonly bodyDigest: string
}

export interface Signer {
  readonly credentials: S3Credentials
  readonly region: string
  readonly now: Date
}

/** The request's headers with those that make it the signer's: `authorization`, `x-amz-date`, `x-amz-content-sha256`, a token. */
export function signedHeaders(
  { method, url, headers, bodyDigest }: Signable,
  { credentials, region, now }: Signer,
): Record<string, string> {
  const time = now.toISOString().replace(/[:-]|\.\d{3}/g, '')
  const scope = `${time.slice(0, 8)}/${region}/s3/aws4_request`
  const signed: Record<string, string> = {
    ...headers,
    host: url.host,
    'x-amz-content-sha256': bodyDigest,
    'x-amz-date': time,
    ...(credentials.sessionToken === undefined ? {} : { 'x-amz-security-token': credentials.sessionToken }),
  }
  const fields = Object.entries(signed)
    .map(([name, value]) => [name.toLowerCase(), value.trim().replace(/ +/g, ' ')] as const)
    .sort(byName)
  const names = fields.map(([name]) => name).join(';')
  const query = [...url.searchParams]
    .map(([name, value]) => [encodeSegment(name), encodeSegment(value)] as const)
    .sort(byName)
    .map((pair) => pair.join('='))
    .join('&')
  const canonical = [method, url.pathname, query, ...fields.map((field) => field.join(':')), '', names, bodyDigest].join('\n')
  const statement = ['AWS4-HMAC-SHA256', time, scope, createHash('sha256').update(canonical).digest('hex')].join('\n')
  const steps = [time.slice(0, 8), region, 's3', 'aws4_request']
  const key = steps.reduce<string | Buffer>((from, step) => hmac(from, step), `AWS4${credentials.secretAccessKey}`)
  const signature = hmac(key, statement).toString('hex')
  const authorization = `AWS4-HMAC-SHA256 Credential=${credentials.accessKeyId}/${scope}, SignedHeaders=${names}, Signature=${signature}`
  return { ...signed, authorization }
}

/** Percent-encodes all but letters, digits, `-._~` and the slashes between: once, as S3 wants it. */
export function encodePath(path: string): string {
  return path.split('/').map(encodeSegment).join('/')
}

function encodeSegment(text: string): string {
  return encodeURIComponent(text).replace(/[!'()*]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`)
}

function hmac(key: string | Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest()
}

function byName([a]: readonly [string, string], [b]: readonly [string, string]): number {
  return a < b ? -1 : a > b ? 1 : 0
}
