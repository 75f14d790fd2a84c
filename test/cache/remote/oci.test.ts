import { randomBytes } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { openOciStore } from '../../../cache/remote/oci.ts'
import type { RemoteStore } from '../../../cache/remote-store.ts'
import { digestOf } from '../../../graph/fingerprint.ts'
import type { Fingerprint } from '../../../graph/types.ts'
import { registryTransport } from '../../../src/hosts/registry-transport.ts'
import { rejects, within } from '../../support/assertions.ts'
import { type FakeRegistry, fakeRegistry } from '../../support/fake-registry.ts'
import { bodyOf, type LoopbackServer, serveHttp } from '../../support/loopback.ts'
import { behavesAsRemoteStore } from '../../support/remote-store-suite.ts'

const test = suite('cache/remote/oci')

const password = 'hunter2-planted'
const basic = `Basic ${Buffer.from(`anna:${password}`).toString('base64')}`
const secrets = [password, basic.slice(6), 'token-planted-1', 'token-planted-2']
const key = 'a'.repeat(64) as Fingerprint
const blob = Buffer.from('a blob')
const digest = digestOf(blob)

const opened: LoopbackServer[] = []
const stores: RemoteStore[] = []
const directories: string[] = []

/** Where the pauses went, instead of being waited for. */
let pauses: number[] = []
let registry: FakeRegistry

async function storeAt(address: string): Promise<RemoteStore> {
  const directory = await mkdtemp(join(tmpdir(), 'oci-'))
  directories.push(directory)
  await writeFile(join(directory, 'config.json'), JSON.stringify({ auths: { [address]: { auth: basic.slice(6) } } }))
  const transport = registryTransport(`${address}/shop/cache`, {
    environment: { DOCKER_CONFIG: directory },
    certificatesDirectory: '/none',
    pause: async (ms) => void pauses.push(ms),
  })
  const store = openOciStore({ name: `oci://${address}/shop/cache`, transport })
  stores.push(store)
  return store
}

test.before.each(async () => {
  pauses = []
  registry = await fakeRegistry('shop/cache')
  opened.push(registry)
})
test.after(async () => {
  await Promise.all(stores.map(async (store) => store.close?.()))
  await Promise.all(opened.map((server) => server.close()))
  await Promise.all(directories.map((directory) => rm(directory, { recursive: true, force: true })))
})

const signal = () => AbortSignal.timeout(10_000)
const soon = <T>(promise: Promise<T>) => within(10_000, promise)
const fails = async (promise: Promise<unknown>, expected: RegExp) => {
  const error = await soon(rejects(promise, expected))
  for (const secret of secrets) assert.not(`${error.message} ${error.stack}`.includes(secret), error.message)
}

behavesAsRemoteStore(test, 'a registry', {
  open: () => storeAt(registry.address),
  openAt: (port) => storeAt(`127.0.0.1:${port}`),
  secrets: () => secrets,
})

// --- what is stored -----------------------------------------------------------------------------------------------

test('an entry is a tagged manifest that names the entry and all its blobs, so that the registry keeps them', async () => {
  const store = await storeAt(registry.address)
  await store.writeBlob(digest, blob, signal())
  await store.writeAction(key, Buffer.from('{"entry":1}'), signal(), [{ digest, size: blob.length }])
  const manifest = JSON.parse(String(registry.manifests.get(`ac-${key}`))) as Record<string, unknown>
  assert.equal(manifest, {
    schemaVersion: 2,
    mediaType: 'application/vnd.oci.image.manifest.v1+json',
    artifactType: 'application/vnd.stagecraft.action.v1+json',
    config: {
      mediaType: 'application/vnd.oci.empty.v1+json',
      digest: 'sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a',
      size: 2,
    },
    layers: [
      {
        mediaType: 'application/vnd.stagecraft.action.v1+json',
        digest: `sha256:${digestOf('{"entry":1}')}`,
        size: 11,
        data: Buffer.from('{"entry":1}').toString('base64'),
      },
      { mediaType: 'application/octet-stream', digest: `sha256:${digest}`, size: blob.length },
    ],
  })
})

test('a small entry is read in one request, a large one in two', async () => {
  const store = await storeAt(registry.address)
  const large = randomBytes(70_000)
  for (const [bytes, count] of [
    [Buffer.from('small'), 1],
    [large, 2],
  ] as const) {
    await store.writeAction(key, bytes, signal())
    const before = registry.requests.length
    assert.ok(Buffer.compare((await store.readAction(key, signal())) ?? Buffer.alloc(0), bytes) === 0)
    assert.is(registry.requests.length - before, count)
  }
})

test('an entry with more blobs than one manifest holds has several, and the one that is read comes last', async () => {
  const store = await storeAt(registry.address)
  const blobs = Array.from({ length: 10_001 }, (_, index) => Buffer.from(`blob ${index}`))
  for (const each of blobs) registry.blobs.set(`sha256:${digestOf(each)}`, each)
  const named = blobs.map((each) => ({ digest: digestOf(each), size: each.length }))
  await store.writeAction(key, Buffer.from('many'), signal(), named)
  assert.equal([...registry.manifests.keys()], [`ac-${key}.1`, `ac-${key}`])
  const layers = [...registry.manifests.values()].map((body) => (JSON.parse(String(body)) as { layers: unknown[] }).layers.length)
  assert.equal(layers, [1, 10_001])
  for (const body of registry.manifests.values()) assert.ok(body.length < 4 * 1024 * 1024)
})

test('what the manifests of all entries share is looked for once', async () => {
  const store = await storeAt(registry.address)
  await store.writeAction(key, blob, signal())
  await store.writeAction('b'.repeat(64) as Fingerprint, blob, signal())
  assert.is(registry.requests.filter((line) => line.startsWith('HEAD') && line.includes('44136fa3')).length, 1)
})

test('a manifest that names a blob which is not there is refused by the registry, and says so', async () => {
  const store = await storeAt(registry.address)
  await fails(
    store.writeAction(key, blob, signal(), [{ digest: digestOf('x'), size: 1 }]),
    /writing tag ac-a+: .* 400, MANIFEST_BLOB_UNKNOWN/,
  )
})

for (const [what, body] of [
  ['no JSON', 'text'],
  ['an image', JSON.stringify({ layers: [{ mediaType: 'application/vnd.oci.image.layer.v1.tar+gzip', digest: `sha256:${digest}` }] })],
  ['no layers', '{}'],
  ['a digest of another kind', JSON.stringify({ layers: [{ mediaType: 'application/vnd.stagecraft.action.v1+json', digest: 'md5:1' }] })],
] as const) {
  test(`a tag of ours on ${what} is no entry`, async () => {
    registry.manifests.set(`ac-${key}`, Buffer.from(body))
    await fails((await storeAt(registry.address)).readAction(key, signal()), /is no cache entry/)
  })
}

test('an entry whose document is gone, or is another, is a failure', async () => {
  const store = await storeAt(registry.address)
  const large = randomBytes(70_000)
  await store.writeAction(key, large, signal())
  registry.blobs.set(`sha256:${digestOf(large)}`, blob)
  await fails(store.readAction(key, signal()), /is other content/)
  registry.blobs.delete(`sha256:${digestOf(large)}`)
  await fails(store.readAction(key, signal()), /is missing/)
})

test('a registry that stores a blob under another digest is not believed', async () => {
  registry.intercept = (request, response) => {
    if (request.method !== 'PUT') return false
    request.resume().on('end', () => response.writeHead(201, { 'docker-content-digest': `sha256:${'0'.repeat(64)}` }).end())
    return true
  }
  await fails((await storeAt(registry.address)).writeBlob(digest, blob, signal()), /stored as sha256:000/)
})

test('a tag that cannot be written twice is fine if it has the same entry, and a failure if not', async () => {
  const store = await storeAt(registry.address)
  await store.writeAction(key, blob, signal())
  registry.intercept = (request, response) => {
    if (request.method !== 'PUT' || !request.url?.includes('/manifests/')) return false
    request
      .resume()
      .on('end', () => response.writeHead(412).end(JSON.stringify({ errors: [{ code: 'PRECONDITION', message: 'immutable' }] })))
    return true
  }
  await store.writeAction(key, blob, signal())
  await fails(store.writeAction(key, Buffer.from('other'), signal()), /does not let be replaced.* 412, PRECONDITION: immutable/)
})

// --- uploads ------------------------------------------------------------------------------------------------------

test('an upload that the registry forgot begins anew, once', async () => {
  let forgotten = 0
  registry.intercept = (request, response) => {
    if (request.method !== 'PUT' || forgotten === 1) return false
    forgotten += 1
    request.resume().on('end', () => response.writeHead(404).end())
    return true
  }
  await (await storeAt(registry.address)).writeBlob(digest, blob, signal())
  assert.equal(
    registry.requests.map((line) => line.split(' ')[0]),
    ['POST', 'PUT', 'POST', 'PUT'],
  )
})

test('an upload goes to where the registry says, absolute or not, with its query to the letter', async () => {
  registry.intercept = (request, response) => {
    if (request.method !== 'POST') return false
    const upload = `http://${request.headers.host}/elsewhere?_state=a%2Bb%3D%3D&x=1`
    response.writeHead(202, { location: upload, 'oci-chunk-min-length': '5242880' }).end()
    return true
  }
  await fails((await storeAt(registry.address)).writeBlob(digest, blob, signal()), /HTTP status 404, NAME_UNKNOWN/)
  const [put] = registry.requests.filter((line) => line.startsWith('PUT'))
  assert.is(put?.split(' ')[1], `/elsewhere?_state=a%2Bb%3D%3D&x=1&digest=sha256%3A${digest}`)
})

test('an upload that is not accepted says why, in one line and without what was sent', async () => {
  registry.intercept = (request, response) => {
    if (request.method !== 'POST') return false
    const message = `over quota\n${password} ${request.headers.authorization}`
    if (request.headers.authorization !== basic) response.writeHead(401, { 'www-authenticate': 'Basic realm="x"' }).end()
    else response.writeHead(507).end(JSON.stringify({ errors: [{ code: 'DENIED', message }] }))
    return true
  }
  await fails((await storeAt(registry.address)).writeBlob(digest, blob, signal()), /status 507, DENIED: over quota \*\*\* Basic \*\*\*$/)
})

// --- authorization ------------------------------------------------------------------------------------------------

/** From now on the registry wants a token; each it gives is good for `uses` requests, and says that it is good for `seconds`. */
function wantTokens({ uses = Number.POSITIVE_INFINITY, seconds = 300 } = {}): { given: number; scopes: string[] } {
  const state = { given: 0, scopes: [] as string[] }
  let left = 0
  registry.intercept = (request, response) => {
    const url = new URL(request.url ?? '', 'http://loopback')
    if (url.pathname === '/token') {
      state.scopes.push(url.searchParams.get('scope') ?? '')
      if (request.headers.authorization !== basic) response.writeHead(401).end()
      else {
        state.given += 1
        left = uses
        response.end(JSON.stringify({ token: `token-planted-${state.given}`, expires_in: seconds }))
      }
      return true
    }
    if (request.headers.authorization === `Bearer token-planted-${state.given}` && left > 0) {
      left -= 1
      return false
    }
    const actions = request.method === 'GET' || request.method === 'HEAD' ? 'pull' : 'pull,push'
    const scope = `repository:shop/cache:${actions}`
    request.resume().on('end', () => {
      response.writeHead(401, { 'www-authenticate': `Bearer realm="http://${registry.address}/token",service="s",scope="${scope}"` }).end()
    })
    return true
  }
  return state
}

test('a token is asked for once, by many requests at once too, and for writing when something is written', async () => {
  const tokens = wantTokens()
  const store = await storeAt(registry.address)
  await Promise.all(Array.from({ length: 6 }, () => store.writeBlob(digest, blob, signal())))
  await store.readBlob(digest, signal())
  assert.equal(tokens, { given: 1, scopes: ['repository:shop/cache:pull,push'] })
})

test('a token that is refused is replaced, and the request made again', async () => {
  const tokens = wantTokens({ uses: 3 })
  const store = await storeAt(registry.address)
  for (let round = 0; round < 4; round += 1) await store.writeBlob(digest, blob, signal())
  assert.ok(tokens.given > 1)
  assert.equal(registry.blobs.get(`sha256:${digest}`), blob)
})

test('a registry that refuses every token is given up, and says what to do', async () => {
  wantTokens({ uses: 0 })
  const store = await storeAt(registry.address)
  await fails(store.writeBlob(digest, blob, signal()), /refuses shop\/cache to the login/)
  await fails(store.readAction(key, signal()), /refuses shop\/cache to the login/)
  assert.ok(registry.requests.length < 20, `${registry.requests.length} requests`)
})

test('a login that may only read is told apart from an outage', async () => {
  registry.intercept = (request, response) => {
    if (request.method !== 'POST') return false
    response.writeHead(403).end(JSON.stringify({ errors: [{ code: 'DENIED' }] }))
    return true
  }
  const store = await storeAt(registry.address)
  assert.is(await store.hasBlob(digest, signal()), false)
  await fails(store.writeBlob(digest, blob, signal()), /refuses shop\/cache/)
})

// --- the network --------------------------------------------------------------------------------------------------

test('a blob that is kept elsewhere is fetched from there, without the password', async () => {
  const seen: (string | undefined)[] = []
  const storage = await serveHttp((request, response) => {
    seen.push(request.headers.authorization)
    response.end(request.url === '/object?signature=token-planted-1' ? blob : 'wrong')
  })
  opened.push(storage)
  registry.intercept = (request, response) => {
    if (request.headers.authorization !== basic) response.writeHead(401, { 'www-authenticate': 'Basic realm="x"' }).end()
    else response.writeHead(307, { location: `http://${storage.address}/object?signature=token-planted-1` }).end()
    return true
  }
  const store = await storeAt(registry.address)
  assert.equal(await store.readBlob(digest, signal()), blob)
  assert.is(await store.hasBlob(digest, signal()), true)
  assert.equal(seen, [undefined, undefined])
})

test('being sent on within the registry keeps the password; for ever, it ends', async () => {
  registry.intercept = (request, response) => {
    if (request.headers.authorization !== basic) response.writeHead(401, { 'www-authenticate': 'Basic realm="x"' }).end()
    else if (request.url === '/other') response.end(blob)
    else response.writeHead(302, { location: request.url?.includes(digest) ? '/other' : (request.url ?? '') }).end()
    return true
  }
  const store = await storeAt(registry.address)
  assert.equal(await store.readBlob(digest, signal()), blob)
  await fails(store.readBlob(digestOf('x'), signal()), /HTTP status 302/)
})

test('a registry that limits its askers is waited for as long as it says, and not for ever', async () => {
  let refusals = 2
  registry.intercept = (request, response) => {
    if (request.method !== 'POST' || refusals === 0) return false
    refusals -= 1
    response.writeHead(429, { 'retry-after': '3' }).end()
    return true
  }
  const store = await storeAt(registry.address)
  await store.writeBlob(digest, blob, signal())
  assert.equal(pauses, [3000, 3000])
  refusals = 100
  await fails(store.writeBlob(digest, blob, signal()), /HTTP status 429/)
})

test('a transfer that is cut is made again', async () => {
  let cuts = 2
  registry.blobs.set(`sha256:${digest}`, blob)
  registry.intercept = (request, response) => {
    if (cuts === 0) return false
    cuts -= 1
    response.writeHead(200, { 'content-length': String(blob.length) }).write(blob.subarray(0, 2), () => request.socket.destroy())
    return true
  }
  assert.equal(await (await storeAt(registry.address)).readBlob(digest, signal()), blob)
  cuts = 100
  await fails((await storeAt(registry.address)).readBlob(digest, signal()), /cannot be reached/)
})

test('a write that is cut is made again', async () => {
  let cuts = 1
  registry.intercept = (request) => {
    if (request.method !== 'PUT' || cuts === 0) return false
    cuts -= 1
    request.socket.destroy()
    return true
  }
  const large = randomBytes(3_000_000)
  await (await storeAt(registry.address)).writeBlob(digestOf(large), large, signal())
  assert.ok(registry.blobs.get(`sha256:${digestOf(large)}`)?.equals(large))
})

test('an answer is read although the server did not want the rest of the body', async () => {
  registry.intercept = (request, response) => {
    if (request.method !== 'PUT') return false
    response.writeHead(413, { connection: 'close' }).end(JSON.stringify({ errors: [{ code: 'SIZE_INVALID' }] }))
    return true
  }
  const large = randomBytes(3_000_000)
  await fails((await storeAt(registry.address)).writeBlob(digestOf(large), large, signal()), /413, SIZE_INVALID|cannot be reached/)
})

test('connections are few, kept, and gone when the store is closed', async () => {
  const store = await storeAt(registry.address)
  await Promise.all(Array.from({ length: 40 }, (_, index) => store.writeBlob(digestOf(`${index}`), Buffer.from(`${index}`), signal())))
  // Before the first answer each request may have tried TLS, as on any loopback registry.
  const plain = registry.connections()
  await store.readBlob(digest, signal())
  assert.is(registry.connections(), plain)
  await store.close?.()
  await soon(registry.close())
})

test('an interruption ends a transfer under way', async () => {
  const controller = new AbortController()
  registry.intercept = (_, response) => {
    response.writeHead(200, { 'content-length': '1000000' }).write('x', () => controller.abort())
    return true
  }
  await within(2_000, rejects((await storeAt(registry.address)).readBlob(digest, controller.signal), /interrupted/))
})

test('a body goes out whole, in slices', async () => {
  let received: Buffer | undefined
  registry.intercept = (request, response) => {
    if (request.method !== 'PUT') return false
    void bodyOf(request).then((body) => {
      received = body
      response.writeHead(201).end()
    })
    return true
  }
  const large = randomBytes(5 * 1024 * 1024 + 3)
  await (await storeAt(registry.address)).writeBlob(digestOf(large), large, signal())
  assert.ok(received?.equals(large))
})

test.run()
