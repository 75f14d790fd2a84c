/** What an S3 service's refusals mean, in words that say what to do (https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html). */
import type { HttpAnswer } from './exchange.ts'
import type { S3Location } from './s3-location.ts'

export interface S3Refusal {
  readonly code?: string
  readonly message?: string
  /** Where the bucket really is, if that is what is wrong. */
  readonly region?: string
}

/** Reads a body such as `<Error><Code>SlowDown</Code>…`. An answer to HEAD has none: only its headers tell. */
export function readRefusal({ headers, body }: HttpAnswer): S3Refusal {
  const text = body.subarray(0, 64 * 1024).toString('utf8')
  const element = (name: string) => new RegExp(`<${name}>([^<]*)</${name}>`).exec(text)?.[1]
  const header = headers['x-amz-bucket-region']
  const [code, message, region] = [
    element('Code'),
    element('Message'),
    element('Region') ?? (typeof header === 'string' ? header : undefined),
  ]
  return {
    ...(code === undefined ? {} : { code }),
    ...(message === undefined ? {} : { message }),
    ...(region === undefined ? {} : { region }),
  }
}

const longestSkewMs = 5 * 60_000

/**
 * The server's words and what they mean, on one line. Undefined when nothing is known but the status.
 * @param now milliseconds since the epoch, by this machine's clock.
 */
export function explainRefusal(answer: HttpAnswer, location: S3Location, isSigned: boolean, now: number): string | undefined {
  const refusal = readRefusal(answer)
  const said = [refusal.code, refusal.message].filter(Boolean).join(': ')
  const meaning = meaningOf(answer, refusal, location, isSigned, now)
  return [said, meaning].filter(Boolean).join('; ') || undefined
}

function meaningOf(answer: HttpAnswer, refusal: S3Refusal, location: S3Location, isSigned: boolean, now: number): string | undefined {
  const skewMs = now - Date.parse(answer.headers.date ?? '')
  const isDenied = answer.status === 403
  if (refusal.code === 'RequestTimeTooSkewed' || (isDenied && Math.abs(skewMs) > longestSkewMs)) {
    const minutes = Math.round(Math.abs(skewMs) / 60_000)
    const by = Number.isNaN(skewMs) ? 'is not' : `is ${minutes} minutes ${skewMs > 0 ? 'ahead of' : 'behind'}`
    return `this machine's clock ${by} the server's: set it`
  }
  const isElsewhere = [301, 307, 400].includes(answer.status) && refusal.region !== undefined && refusal.region !== location.region
  if (isElsewhere) return `bucket ${location.bucket} is in ${refusal.region}, not in ${location.region}: write region=${refusal.region}`
  if (answer.status === 301 || refusal.code === 'PermanentRedirect')
    return `bucket ${location.bucket} is not in ${location.region}: write its region and endpoint`
  if (refusal.code === 'NoSuchBucket') return `there is no bucket ${location.bucket} at ${location.endpoint.host}`
  if (refusal.code === 'SignatureDoesNotMatch') return 'the secret key does not belong to the access key, or a proxy changes requests'
  if (refusal.code === 'ExpiredToken' || refusal.code === 'InvalidToken') return 'the session token has ended: log in again'
  if (isDenied && !isSigned) return 'no keys were found: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY'
  // https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html, under Permissions.
  if (isDenied && (refusal.code ?? 'AccessDenied') === 'AccessDenied')
    return 'the keys may not do this; who may not list the bucket (s3:ListBucket) is also told so of what is not there'
  return undefined
}
