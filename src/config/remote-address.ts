/** Where a remote cache is, and in which protocol it speaks, from one line. Pure. */
import { type BucketAddress, locateBucket } from '../../cache/remote/s3-location.ts'

/** How it may be used: the manifest's and the variable's words. */
export const remoteModes = ['read', 'read-write'] as const
export type RemoteMode = (typeof remoteModes)[number]

/** Plain data: it can be kept beside a compiled graph. Holds no secret. */
export type RemoteAddress =
  | { readonly kind: 'http'; readonly url: string }
  /** `reference` is that of a repository: a registry and a path, without a tag. */
  | { readonly kind: 'oci'; readonly url: string; readonly reference: string }
  /** `url` is without options. */
  | { readonly kind: 's3'; readonly url: string; readonly bucket: BucketAddress }

/** What stood in an address that must not be shown. */
export interface AddressCredentials {
  readonly user: string
  readonly password: string
}

export type ParsedAddress =
  | { readonly ok: true; readonly address: RemoteAddress; readonly credentials?: AddressCredentials }
  /** Completes "the remote cache's address …". Shows nothing of the address. */
  | { readonly ok: false; readonly problem: string }

const forms = '`https://…`, `http://…`, `oci://registry/repository` or `s3://bucket/prefix`'
const repository = /^[a-z0-9]+(?:(?:\.|_{1,2}|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:\.|_{1,2}|-+)[a-z0-9]+)*)*$/

/** @param registry of the project: what `oci` alone stands for is `<registry>/stagecraft-cache`. */
export function parseRemoteAddress(text: string, registry: string | undefined): ParsedAddress {
  if (text === 'oci') {
    if (registry === undefined) return wrong('is `oci`, which stands for the registry of the project, and `project.registry` is not set')
    return parseRemoteAddress(`oci://${registry}/stagecraft-cache`, registry)
  }
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (!url || !text.includes('://')) return wrong(`is no URL: expected ${forms}`)
  if (url.hash !== '') return wrong('has a fragment (`#…`), which means nothing here')
  switch (url.protocol) {
    case 'http:':
    case 'https:':
      return httpAddress(url)
    case 'oci:':
      return ociAddress(url)
    case 's3:':
      return bucketAddress(url)
    default:
      return wrong(`begins with \`${url.protocol}//\`: expected ${forms}`)
  }
}

function httpAddress(url: URL): ParsedAddress {
  if (url.search !== '') return wrong('has a query (`?…`), which the protocol has no place for')
  const address = { kind: 'http', url: `${url.origin}${url.pathname.replace(/\/+$/, '')}` } as const
  if (url.username === '' && url.password === '') return { ok: true, address }
  const decoded = [url.username, url.password].map(decodedText)
  const [user = '', password = ''] = decoded
  return { ok: true, address, credentials: { user, password } }
}

function ociAddress(url: URL): ParsedAddress {
  if (url.username !== '' || url.password !== '') return wrong('holds a password: a registry is logged in to with `docker login`')
  const path = url.pathname.replace(/^\//, '').replace(/\/+$/, '')
  if (url.search !== '' || !repository.test(path)) return wrong('names no repository: expected `oci://registry/repository`, without a tag')
  const reference = `${url.host}/${path}`
  return { ok: true, address: { kind: 'oci', url: `oci://${reference}`, reference } }
}

const bucketOptions = ['endpoint', 'region', 'style'] as const

function bucketAddress(url: URL): ParsedAddress {
  if (url.username !== '' || url.password !== '') return wrong('holds a password: keys come from `AWS_ACCESS_KEY_ID` and its like')
  const unknown = [...url.searchParams.keys()].find((key) => !bucketOptions.some((option) => option === key))
  if (unknown !== undefined) return wrong(`has an option that is not known: \`${unknown}\`, expected ${bucketOptions.join(', ')}`)
  if (!/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/.test(url.host)) return wrong('names no bucket: expected `s3://bucket/prefix`')
  const [endpoint, region, style] = bucketOptions.map((option) => url.searchParams.get(option) ?? undefined)
  if (style !== undefined && style !== 'path' && style !== 'virtual') return wrong('has a `style` that is neither path nor virtual')
  const bucket: BucketAddress = {
    bucket: url.host,
    prefix: decodedText(url.pathname).replace(/^\/+|\/+$/g, ''),
    ...(endpoint !== undefined && { endpoint }),
    ...(region !== undefined && { region }),
    ...(style !== undefined && { style }),
  }
  try {
    return { ok: true, address: { kind: 's3', url: locateBucket(bucket, {}).name, bucket } }
  } catch (error) {
    return wrong(`is not that of a bucket: ${error instanceof Error ? error.message : String(error)}`)
  }
}

/** Percent signs that stand for themselves stay. */
function decodedText(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

function wrong(problem: string): ParsedAddress {
  return { ok: false, problem }
}
