/** Where a bucket is: `s3://bucket/prefix?endpoint=https://…&region=…&style=path`. Pure. */
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

const options = new Set(['endpoint', 'region', 'style'])

/**
 * Reads an address; `AWS_REGION` and the like fill in what it leaves out. Without an endpoint the bucket is at AWS.
 * @throws Error that says what is wrong with it, without repeating what may be a password.
 */
export function parseS3Location(text: string, environment: Readonly<Record<string, string | undefined>>): S3Location {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url?.protocol !== 's3:') throw new Error('the address of a bucket is s3://bucket/prefix')
  if (url.username !== '' || url.password !== '') throw new Error('the address of a bucket holds no keys: they come from the environment')
  const bucket = url.hostname
  if (!/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/.test(bucket) || url.port !== '') throw new Error(`\`${bucket}\` is no name of a bucket`)
  const unknown = [...url.searchParams.keys()].find((name) => !options.has(name))
  if (unknown !== undefined) throw new Error(`the address of a bucket has no option \`${unknown}\`: there are endpoint, region and style`)
  const prefix = decodeURIComponent(url.pathname).replace(/^\/+|\/+$/g, '')
  const given = url.searchParams.get('endpoint')
  const region =
    url.searchParams.get('region') ?? regionOf(given) ?? environment['AWS_REGION'] ?? environment['AWS_DEFAULT_REGION'] ?? 'us-east-1'
  if (!/^[a-z0-9-]+$/.test(region)) throw new Error('the region of a bucket is a word such as eu-west-1')
  const endpoint = parseEndpoint(given ?? `https://s3.${region}.amazonaws.com`)
  // A certificate for *.s3.region.amazonaws.com does not cover a bucket with a dot in its name.
  const style = url.searchParams.get('style') ?? (given === null && !bucket.includes('.') ? 'virtual' : 'path')
  if (style !== 'path' && style !== 'virtual') throw new Error('the style of a bucket is `path` or `virtual`')
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
function regionOf(endpoint: string | null): string | undefined {
  const host = endpoint !== null && URL.canParse(endpoint) ? new URL(endpoint).hostname : ''
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
