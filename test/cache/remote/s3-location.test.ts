import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { findS3Credentials, parseProfile } from '../../../cache/remote/s3-credentials.ts'
import { locateBucket, objectUrl } from '../../../cache/remote/s3-location.ts'
import { rejects } from '../../support/assertions.ts'

const test = suite('cache/remote/s3-location')

for (const [what, address, environment, region, url] of [
  ['at AWS', { prefix: 'p/q' }, {}, 'us-east-1', 'https://b-1.s3.us-east-1.amazonaws.com/p/q/k'],
  ['its region from a variable', {}, { AWS_REGION: 'eu-west-3' }, 'eu-west-3', 'https://b-1.s3.eu-west-3.amazonaws.com/k'],
  ['from another', {}, { AWS_REGION: '', AWS_DEFAULT_REGION: 'eu-west-2' }, 'eu-west-2', 'https://b-1.s3.eu-west-2.amazonaws.com/k'],
  ['its own region', { region: 'eu-north-1' }, { AWS_REGION: 'x-1' }, 'eu-north-1', 'https://b-1.s3.eu-north-1.amazonaws.com/k'],
  ['a dot in its name', { bucket: 'b.dotted' }, {}, 'us-east-1', 'https://s3.us-east-1.amazonaws.com/b.dotted/k'],
  [
    'at DigitalOcean',
    { prefix: 'p', endpoint: 'https://fra1.digitaloceanspaces.com' },
    {},
    'fra1',
    'https://fra1.digitaloceanspaces.com/b-1/p/k',
  ],
  ['at Cloudflare', { endpoint: 'https://x.r2.cloudflarestorage.com' }, {}, 'auto', 'https://x.r2.cloudflarestorage.com/b-1/k'],
  [
    'an endpoint of AWS',
    { endpoint: 'https://s3.eu-central-1.amazonaws.com' },
    {},
    'eu-central-1',
    'https://s3.eu-central-1.amazonaws.com/b-1/k',
  ],
  ['below a path', { endpoint: 'http://127.0.0.1:9000/below/' }, {}, 'us-east-1', 'http://127.0.0.1:9000/below/b-1/k'],
  [
    'named in the host',
    { endpoint: 'https://ams3.digitaloceanspaces.com', style: 'virtual' },
    {},
    'ams3',
    'https://b-1.ams3.digitaloceanspaces.com/k',
  ],
  ['a blank in its prefix', { prefix: 'a b' }, {}, 'us-east-1', 'https://b-1.s3.us-east-1.amazonaws.com/a%20b/k'],
] as const) {
  test(`a bucket: ${what}`, () => {
    const location = locateBucket({ bucket: 'b-1', prefix: '', ...address }, environment)
    assert.equal([location.region, objectUrl(location, 'k').href], [region, url])
  })
}

test('its name is the address without its options', () => {
  assert.is(locateBucket({ bucket: 'b-1', prefix: 'p', region: 'x-1' }, {}).name, 's3://b-1/p')
  assert.is(locateBucket({ bucket: 'b-1', prefix: '' }, {}).name, 's3://b-1')
})

for (const [address, expected] of [
  [{ region: 'EU planted' }, /a word such as/],
  [{ endpoint: 'ftp://planted' }, /an address such as/],
  [{ endpoint: 'planted' }, /an address such as/],
  [{ endpoint: 'https://AK:planted@x' }, /without keys/],
  [{ endpoint: 'https://x?key=planted' }, /without keys/],
] as const) {
  test(`no bucket is at ${JSON.stringify(address)}`, async () => {
    const error = await rejects((async () => locateBucket({ bucket: 'b-1', prefix: '', ...address }, {}))(), expected)
    assert.not(error.message.includes('planted'))
  })
}

// --- keys ---------------------------------------------------------------------------------------------------------

const aws = { AWS_ACCESS_KEY_ID: 'aws', AWS_SECRET_ACCESS_KEY: 'aws-secret' }
const spaces = { SPACES_KEY: 'spaces', SPACES_SECRET: 'spaces-secret' }
const amazon = new URL('https://s3.us-east-1.amazonaws.com')
const ocean = new URL('https://fra1.digitaloceanspaces.com')

for (const [what, environment, endpoint, id] of [
  ['the usual variables', aws, amazon, 'aws'],
  ['those of Spaces', spaces, amazon, 'spaces'],
  ['both, at AWS', { ...aws, ...spaces }, amazon, 'aws'],
  ['both, at DigitalOcean', { ...aws, ...spaces }, ocean, 'spaces'],
  ['the usual variables, at DigitalOcean', aws, ocean, 'aws'],
  ['empty ones', { AWS_ACCESS_KEY_ID: '', AWS_SECRET_ACCESS_KEY: '' }, amazon, undefined],
] as const) {
  test(`keys from ${what}`, async () => {
    assert.is((await findS3Credentials({ HOME: '/none', ...environment }, endpoint))?.accessKeyId, id)
  })
}

test('a token belongs to the keys beside it', async () => {
  const found = await findS3Credentials({ HOME: '/none', ...aws, ...spaces, AWS_SESSION_TOKEN: 'token' }, amazon)
  assert.equal(found, { accessKeyId: 'aws', secretAccessKey: 'aws-secret', sessionToken: 'token' })
  const other = await findS3Credentials({ HOME: '/none', ...aws, ...spaces, AWS_SESSION_TOKEN: 'token' }, ocean)
  assert.equal(other, { accessKeyId: 'spaces', secretAccessKey: 'spaces-secret' })
})

test('half of a pair is a mistake, not an absence', async () => {
  await rejects(findS3Credentials({ AWS_ACCESS_KEY_ID: 'planted' }, amazon), /^AWS_ACCESS_KEY_ID is set, and AWS_SECRET_ACCESS_KEY is not$/)
  await rejects(findS3Credentials({ SPACES_SECRET: 'planted' }, ocean), /^SPACES_SECRET is set, and SPACES_KEY is not$/)
})

const file = `# comment
[default]
aws_access_key_id = one
aws_secret_access_key=one-secret

[ work ]
AWS_ACCESS_KEY_ID = two
aws_secret_access_key = two=secret
aws_session_token = two-token
s3 =
  max_concurrent_requests = 3
[roles]
role_arn = arn:aws:iam::1:role/x
`

test('profiles of the credentials file', async () => {
  const directory = await mkdtemp(join(tmpdir(), 's3-'))
  const path = join(directory, 'credentials')
  await writeFile(path, file)
  const find = (more: Record<string, string>) => findS3Credentials({ AWS_SHARED_CREDENTIALS_FILE: path, ...more }, amazon)
  assert.equal(await find({}), { accessKeyId: 'one', secretAccessKey: 'one-secret' })
  assert.equal(await find({ AWS_PROFILE: 'work' }), { accessKeyId: 'two', secretAccessKey: 'two=secret', sessionToken: 'two-token' })
  await rejects(find({ AWS_PROFILE: 'other' }), /has no profile `other`/)
  await rejects(find({ AWS_PROFILE: 'roles' }), /has no keys; roles and single sign-on/)
  await rejects(find({ AWS_PROFILE: 'work', AWS_SHARED_CREDENTIALS_FILE: '/none' }), /\/none cannot be read for profile `work`: ENOENT/)
  await rejects(find({ AWS_SHARED_CREDENTIALS_FILE: directory }), /cannot be read: EISDIR/)
  await rm(directory, { recursive: true })
})

test('a file without the profile, and one without any', () => {
  assert.is(parseProfile('', 'default'), undefined)
  assert.is(parseProfile('key = before any section', 'default'), undefined)
  assert.equal(parseProfile('[profile x]\r\na = b \r\n', 'x'), { a: 'b' })
})

test.run()
