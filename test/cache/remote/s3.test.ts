import { randomBytes } from 'node:crypto'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { openS3Store, type S3StoreOptions } from '../../../cache/remote/s3.ts'
import { type BucketAddress, locateBucket } from '../../../cache/remote/s3-location.ts'
import type { S3Credentials } from '../../../cache/remote/s3-signature.ts'
import type { RemoteStore } from '../../../cache/remote-store.ts'
import { digestOf } from '../../../graph/fingerprint.ts'
import type { Fingerprint } from '../../../graph/types.ts'
import { rejects, within } from '../../support/assertions.ts'
import type { LoopbackServer } from '../../support/loopback.ts'
import { behavesAsRemoteStore } from '../../support/remote-store-suite.ts'
import { type S3Server, s3Server } from '../../support/s3-server.ts'

const test = suite('cache/remote/s3')

const keys = { accessKeyId: 'AKPLANTED', secretAccessKey: 'planted/secret+key', sessionToken: 'planted-session-token' }
const secrets = Object.values(keys)
const region = 'fra1'
const blob = Buffer.from('a blob')
const digest = digestOf(blob)
const key = 'a'.repeat(64) as Fingerprint

const opened: LoopbackServer[] = []
const stores: RemoteStore[] = []
let server: S3Server
let pauses: number[] = []

interface Wanted extends Partial<S3StoreOptions> {
  readonly address?: Partial<BucketAddress>
  readonly keys?: S3Credentials | undefined
}

function storeAt(endpoint: string, wanted: Wanted = {}): RemoteStore {
  const { address, ...more } = wanted
  const known = 'keys' in wanted ? wanted.keys : keys
  const store = openS3Store({
    location: locateBucket({ bucket: 'shop-cache', prefix: 'some/prefix', endpoint, region, ...address }, {}),
    credentials: async () => known,
    pause: async (ms) => void pauses.push(ms),
    ...more,
  })
  stores.push(store)
  return store
}
const open = (wanted?: Wanted) => storeAt(`http://${server.address}`, wanted)

test.before.each(async () => {
  pauses = []
  server = await s3Server({ bucket: 'shop-cache', region, ...keys })
  opened.push(server)
})
test.after(async () => {
  await Promise.all(stores.map(async (store) => store.close?.()))
  await Promise.all(opened.map((each) => each.close()))
})

const signal = () => AbortSignal.timeout(10_000)
const fails = async (promise: Promise<unknown>, expected: RegExp) => {
  const error = await within(10_000, rejects(promise, expected))
  for (const secret of secrets) assert.not(`${error.message} ${error.stack}`.includes(secret), error.message)
}

behavesAsRemoteStore(test, 'a bucket', {
  open: async () => open(),
  openAt: async (port) => storeAt(`http://127.0.0.1:${port}`),
  secrets: () => secrets,
})

behavesAsRemoteStore(test, 'a bucket named in the host, with an awkward prefix', {
  open: async () =>
    storeAt(`http://s3.localhost:${server.port}`, {
      address: { prefix: "it's+(a) prefix/ü", style: 'virtual' },
      lookup: (_, { all }, found) => (all ? found(null, [{ address: '127.0.0.1', family: 4 }]) : found(null, '127.0.0.1', 4)),
    }),
  secrets: () => secrets,
})

test('objects are where the documentation says', async () => {
  const store = open()
  await store.writeBlob(digest, blob, signal())
  await store.writeAction(key, blob, signal())
  assert.equal([...server.objects.keys()], [`some/prefix/cas/${digest.slice(0, 2)}/${digest}`, `some/prefix/ac/aa/${key}`])
  assert.equal(
    server.requests,
    [...server.objects.keys()].map((path) => `PUT /shop-cache/${path}`),
  )
  assert.is(store.name, 's3://shop-cache/some/prefix')
})

test('without a prefix, keys begin with what they hold', async () => {
  await open({ address: { prefix: '' } }).writeAction(key, blob, signal())
  assert.equal([...server.objects.keys()], [`ac/aa/${key}`])
})

test('other bytes than the name says are refused by the server, since the name is signed', async () => {
  await fails(open().writeBlob(digestOf('other'), blob, signal()), /403, XAmzContentSHA256Mismatch: no$/)
})

test('what is public is read without keys; what is not says that there are none', async () => {
  server.intercept = (request, response) => {
    if (request.headers.authorization !== undefined) return false
    if (request.method === 'PUT') request.resume().on('end', () => response.writeHead(403).end())
    else response.end(blob)
    return true
  }
  const store = open({ keys: undefined })
  assert.equal(await store.readBlob(digest, signal()), blob)
  await fails(store.writeBlob(digest, blob, signal()), /status 403, no keys were found: set AWS_ACCESS_KEY_ID/)
})

// --- refusals -----------------------------------------------------------------------------------------------------

test('a wrong secret key, a wrong access key and an ended token are told apart', async () => {
  await fails(
    open({ keys: { ...keys, secretAccessKey: 'wrong' } }).readBlob(digest, signal()),
    /SignatureDoesNotMatch: no; the secret key does not/,
  )
  await fails(open({ keys: { ...keys, accessKeyId: 'wrong' } }).readBlob(digest, signal()), /InvalidAccessKeyId: no$/)
  await fails(
    open({ keys: { ...keys, sessionToken: 'yesterday' } }).readBlob(digest, signal()),
    /InvalidToken: no; the session token has ended/,
  )
})

test('a bucket that is not there is no miss', async () => {
  const store = open({ address: { bucket: 'other-cache' } })
  await fails(store.readBlob(digest, signal()), /NoSuchBucket: no; there is no bucket other-cache at 127/)
  await fails(store.writeBlob(digest, blob, signal()), /NoSuchBucket/)
})

test('a clock that is wrong is said to be, even where the server does not say so', async () => {
  const now = () => new Date(Date.now() + 30 * 60_000)
  await fails(
    open({ now }).readBlob(digest, signal()),
    /RequestTimeTooSkewed: no; this machine's clock is 30 minutes ahead of the server's/,
  )
  await fails(open({ now }).hasBlob(digest, signal()), /looking for cas\/.* 403, this machine's clock is 30 minutes ahead/)
  const slow = () => new Date(Date.now() - 60 * 60_000)
  await fails(open({ now: slow }).hasBlob(digest, signal()), /60 minutes behind/)
})

const malformed = '<Error><Code>AuthorizationHeaderMalformed</Code><Message>wrong</Message><Region>eu-west-1</Region></Error>'
for (const [what, status, headers, body, expected] of [
  [
    'another region, by its body',
    400,
    {},
    malformed,
    /Malformed: wrong; bucket shop-cache is in eu-west-1, not in fra1: write region=eu-west-1/,
  ],
  ['another region, by its headers', 301, { 'x-amz-bucket-region': 'eu-west-1' }, '', /status 301, bucket shop-cache is in eu-west-1/],
  ['another address', 301, {}, '<Error><Code>PermanentRedirect</Code></Error>', /PermanentRedirect; bucket shop-cache is not in fra1/],
  ['a denial', 403, {}, '<Error><Code>AccessDenied</Code></Error>', /AccessDenied; the keys may not do this; .* \(s3:ListBucket\)/],
  ['something else', 500, {}, '<html>secret: planted/secret+key\nAKPLANTED</html>', /HTTP status 500$/],
  [
    'its own words, with what it was sent',
    400,
    {},
    '<Error><Message>a planted/secret+key\n b</Message></Error>',
    /status 400, a \*\*\* b$/,
  ],
] as const) {
  test(`an answer that means ${what}`, async () => {
    server.intercept = (request, response) => {
      request.resume().on('end', () => response.writeHead(status, headers).end(body))
      return true
    }
    await fails(open().readAction(key, signal()), expected)
    await fails(open().writeAction(key, blob, signal()), expected)
  })
}

test('the time that a server does not tell is not made up', async () => {
  server.intercept = (_, response) => {
    response.sendDate = false
    response.writeHead(403).end('<Error><Code>RequestTimeTooSkewed</Code></Error>')
    return true
  }
  await fails(open().readAction(key, signal()), /clock is not the server's: set it/)
})

test('keys that cannot be had are a failure of every request', async () => {
  const store = open({ credentials: () => Promise.reject(new Error('AWS_ACCESS_KEY_ID is set, and AWS_SECRET_ACCESS_KEY is not')) })
  await fails(store.readAction(key, signal()), /is set, and/)
  await fails(store.hasBlob(digest, signal()), /is set, and/)
  assert.equal(server.requests, [])
})

// --- the network --------------------------------------------------------------------------------------------------

test('a server that wants less is waited for, and not for ever', async () => {
  let refusals = 2
  server.intercept = (request, response) => {
    if (refusals === 0) return false
    refusals -= 1
    request.resume().on('end', () => response.writeHead(503).end('<Error><Code>SlowDown</Code><Message>less</Message></Error>'))
    return true
  }
  await open().writeBlob(digest, blob, signal())
  assert.equal(pauses, [250, 500])
  refusals = 100
  await fails(open().writeBlob(digest, blob, signal()), /503, SlowDown: less/)
  assert.is(refusals, 96)
})

test('a transfer that is cut is made again', async () => {
  let cuts = 2
  const store = open()
  const large = randomBytes(2_000_000)
  server.intercept = (request) => {
    if (cuts === 0) return false
    cuts -= 1
    request.socket.destroy()
    return true
  }
  await store.writeBlob(digestOf(large), large, signal())
  cuts = 2
  assert.ok(Buffer.from((await store.readBlob(digestOf(large), signal())) ?? []).equals(large))
  cuts = 100
  await fails(store.readBlob(digest, signal()), /reading cas\/.*: 127\.0\.0\.1:\d+ broke the connection off/)
})

test('an answer that ends early is not taken for the whole', async () => {
  server.intercept = (request, response) => {
    response.writeHead(200, { 'content-length': '1000' }).write('part', () => request.socket.destroy())
    return true
  }
  await fails(open().readBlob(digest, signal()), /broke the connection off/)
})

test('an answer without an announced length is read, and one without end is not', async () => {
  server.intercept = (_, response) => {
    response.write('in ')
    response.end('parts')
    return true
  }
  assert.is(String(Buffer.from((await open().readBlob(digest, signal())) ?? [])), 'in parts')
  server.intercept = (_, response) => {
    response.writeHead(200, { 'content-length': String(2 ** 40) }).write('x')
    return true
  }
  await fails(open().readBlob(digest, signal()), /larger than 536870912 bytes/)
})

test('time that runs out and an interruption are told apart', async () => {
  server.intercept = () => true
  await fails(open().readBlob(digest, AbortSignal.timeout(30)), /did not answer in the time it had/)
  const controller = new AbortController()
  const reading = open().readBlob(digest, controller.signal)
  controller.abort()
  await fails(reading, /interrupted/)
})

test('connections are few, kept, and gone when the store is closed', async () => {
  const store = open()
  await Promise.all(Array.from({ length: 100 }, (_, index) => store.writeBlob(digestOf(`${index}`), Buffer.from(`${index}`), signal())))
  assert.ok(server.connections() <= 48, `${server.connections()} connections`)
  await store.close?.()
  await open().close?.()
})

test.run()
