/** Where a bucket is, at AWS or elsewhere, and where in it an object is. Pure. */
import { encodePath } from './s3-signature.ts'

export interface S3Location {
  /** For messages: `s3://bucket/prefix`. */
  readonly name: string
  readonly bucket: string
  /** Below which all keys are; without slashes at its ends, and empty for none. */
  readonly prefix: string
  /** Of the service, not of the bucket. */
  readonly endpoint: URL
  /** Enters the signature. */
  readonly region: string
  /** Where the bucket stands in an object's address. */
  readonly style: 'path' | 'virtual'
}

/** What the manifest says of a bucket. */
export interface BucketAddress {
  readonly bucket: string
  /** Without slashes at its ends; may be empty. */
  readonly prefix: string
  /** `https://host`; without it the bucket is at AWS. */
  readonly endpoint?: string
  readonly region?: string
  readonly style?: 'path' | 'virtual'
}

/**
 * Fills in what an address leaves out, from the endpoint and from `AWS_REGION` or `AWS_DEFAULT_REGION`.
 * @throws Error that says what is wrong with it, without repeating what may be a password.
 */
export function locateBucket(address: BucketAddress, environment: Readonly<Record<string, string | undefined>>): S3Location {
  const { bucket, prefix, endpoint: given } = address
  const region = address.region ?? regionOf(given) ?? (environment['AWS_REGION'] || environment['AWS_DEFAULT_REGION'] || 'us-east-1')
  if (!/^[a-z0-9-]+$/.test(region)) throw new Error('the region of a bucket is a word such as eu-west-1')
  const endpoint = parseEndpoint(given ?? `https://s3.${region}.amazonaws.com`)
  // A certificate for *.s3.region.amazonaws.com does not cover a bucket with a dot in its name.
  const style = address.style ?? (given === undefined && !bucket.includes('.') ? 'virtual' : 'path')
  return { name: `s3://${bucket}${prefix === '' ? '' : `/${prefix}`}`, bucket, prefix, endpoint, region, style }
}

function parseEndpoint(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url === undefined || !/^https?:$/.test(url.protocol))
    throw new Error('the endpoint of a bucket is an address such as https://s3.example.com')
  if (url.username !== '' || url.password !== '' || url.search !== '' || url.hash !== '')
    throw new Error('the endpoint of a bucket is a plain address, without keys and options')
  return url
}

/** The region that a provider's own endpoint names. */
function regionOf(endpoint: string | undefined): string | undefined {
  const host = endpoint !== undefined && URL.canParse(endpoint) ? new URL(endpoint).hostname : ''
  if (host.endsWith('.r2.cloudflarestorage.com')) return 'auto'
  return [/([a-z0-9-]+)\.digitaloceanspaces\.com$/, /^s3[.-](?:dualstack\.)?([a-z]+-[a-z0-9-]+)\.amazonaws\.com$/]
    .map((pattern) => pattern.exec(host)?.[1])
    .find((region) => region !== undefined)
}

/** The address of the object with this key, below the prefix. */
export function objectUrl({ endpoint, bucket, prefix, style }: S3Location, key: string): URL {
  const path = [...(style === 'path' ? [bucket] : []), ...(prefix === '' ? [] : [prefix]), key].join('/')
  const url = new URL(endpoint)
  if (style === 'virtual') url.hostname = `${bucket}.${url.hostname}`
  url.pathname = `${endpoint.pathname.replace(/\/+$/, '')}/${encodePath(path)}`
  return url
}
