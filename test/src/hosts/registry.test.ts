import { createHash } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http'
import type { AddressInfo, Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { retryAfterMs } from '../../../cache/remote/patience.ts'
import { parseReference } from '../../../src/hosts/image-reference.ts'
import { createRegistry, type RegistryOptions } from '../../../src/hosts/registry.ts'
import { parseChallenge, parseToken } from '../../../src/hosts/registry-auth.ts'
import { askRegistry } from '../../../src/hosts/registry-session.ts'
import { TaskFailure } from '../../../tasks/kind.ts'
import { rejects, within } from '../../support/assertions.ts'

const test = suite('src/hosts/registry')

const config = `sha256:${'c'.repeat(64)}`
const manifest = JSON.stringify({ schemaVersion: 2, config: { digest: config }, layers: [] })
const index = JSON.stringify({ schemaVersion: 2, manifests: [] })
const digestOf = (text: string) => `sha256:${createHash('sha256').update(text).digest('hex')}`

interface Loopback {
  readonly address: string
  readonly requests: string[]
}
type Answer = (request: IncomingMessage, response: ServerResponse, address: string) => void

const open: Server[] = []
const directories: string[] = []

/** A registry on this machine. `requests` are lines such as `GET /v2/api/manifests/v1 Basic …`. */
async function serve(answer: Answer): Promise<Loopback> {
  const requests: string[] = []
  let address = ''
  const listener: RequestListener = (request, response) => {
    requests.push([request.method, request.url, request.headers.authorization].filter(Boolean).join(' '))
    answer(request, response, address)
  }
  const server = createServer(listener)
  open.push(server)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  address = `127.0.0.1:${(server.address() as AddressInfo).port}`
  return { address, requests }
}

/** A Docker configuration that holds these entries of `auths`. */
async function environment(auths: Readonly<Record<string, object>> = {}): Promise<Readonly<Record<string, string>>> {
  const directory = await mkdtemp(join(tmpdir(), 'registry-'))
  directories.push(directory)
  await writeFile(join(directory, 'config.json'), JSON.stringify({ auths }))
  return { DOCKER_CONFIG: directory }
}

const noPause = async () => {}
async function client(options: RegistryOptions = {}) {
  return createRegistry({ environment: await environment(), certificatesDirectory: '/none', pause: noPause, ...options })
}

async function failureOf(promise: Promise<unknown>) {
  const error = await rejects(within(10_000, promise))
  assert.instance(error, TaskFailure)
  return (error as TaskFailure).failure
}

test.after(async () => {
  for (const server of open) server.close()
  await Promise.all(directories.map((directory) => rm(directory, { recursive: true, force: true })))
})

const give =
  (body: string): Answer =>
  (_, response) =>
    response.end(body)
const status =
  (code: number, headers: Record<string, string> = {}): Answer =>
  (_, response) =>
    response.writeHead(code, headers).end('{}')

test('a manifest has the digest of its bytes, and its image the id of its configuration', async () => {
  const { address, requests } = await serve(give(manifest))
  const registry = await client()
  assert.equal(await registry.manifest(`${address}/shop/api:v1`), { digest: digestOf(manifest), imageId: config })
  assert.equal(requests, ['GET /v2/shop/api/manifests/v1'])
})

test('every kind of manifest is asked for', async () => {
  let accept: string | undefined
  const { address } = await serve((request, response) => {
    accept = request.headers.accept
    response.end(manifest)
  })
  await (await client()).manifest(`${address}/api:v1`)
  for (const type of [
    'oci.image.manifest.v1',
    'oci.image.index.v1',
    'docker.distribution.manifest.v2',
    'docker.distribution.manifest.list.v2',
  ])
    assert.match(accept ?? '', `application/vnd.${type}+json`)
})

test('an index names several images: it has a digest and no image id', async () => {
  const { address } = await serve(give(index))
  assert.equal(await (await client()).manifest(`${address}/api:v1`), { digest: digestOf(index), platforms: {} })
})

test('what the registry does not have is undefined', async () => {
  const { address } = await serve(status(404))
  assert.is(await (await client()).manifest(`${address}/api:v1`), undefined)
})

test('a reference by digest is asked for by digest, and other content under it is refused', async () => {
  const { address, requests } = await serve(give(manifest))
  const registry = await client()
  assert.is((await registry.manifest(`${address}/api:v1@${digestOf(manifest)}`))?.imageId, config)
  assert.equal(requests, [`GET /v2/api/manifests/${digestOf(manifest)}`])
  const failure = await failureOf(registry.manifest(`${address}/api@${digestOf('other')}`))
  assert.match(failure.message, /holds other content/)
})

for (const body of ['not json', '{}', '"text"', 'null']) {
  test(`an answer of ${body} is no manifest`, async () => {
    const { address } = await serve(give(body))
    assert.match((await failureOf((await client()).manifest(`${address}/api:v1`))).message, /is no manifest/)
  })
}

test('an answer without end is not read to its end', async () => {
  const { address } = await serve((_, response) => {
    const more = () => {
      while (!response.destroyed && response.write('x'.repeat(65_536)));
    }
    response.on('drain', more)
    more()
  })
  assert.match((await failureOf((await client()).manifest(`${address}/api:v1`))).message, /larger than/)
})

test('the same question is asked once, even while it is under way, until it is forgotten', async () => {
  const { address, requests } = await serve(give(manifest))
  const registry = await client()
  const both = await Promise.all([registry.manifest(`${address}/api:v1`), registry.manifest(`${address}/api:v1`)])
  await registry.manifest(`${address}/api:v1`)
  assert.equal(both[0], both[1])
  assert.is(requests.length, 1)
  registry.forget(`${address}/api:v1`)
  await registry.manifest(`${address}/api:v1`)
  assert.is(requests.length, 2)
})

test('a failure is not remembered', async () => {
  let code = 500
  const { address } = await serve((_, response) => response.writeHead(code).end(manifest))
  const registry = await client()
  assert.match((await failureOf(registry.manifest(`${address}/api:v1`))).message, /HTTP status 500/)
  code = 200
  assert.is((await registry.manifest(`${address}/api:v1`))?.imageId, config)
})

test('connections are kept', async () => {
  const sockets = new Set<unknown>()
  const { address } = await serve((request, response) => {
    sockets.add(request.socket)
    response.end(manifest)
  })
  const registry = await client()
  for (const tag of ['v1', 'v2', 'v3']) await registry.manifest(`${address}/api:${tag}`)
  assert.is(sockets.size, 1)
})

// --- authorization ---------------------------------------------------------------------------------------------------------------

const anna = { auth: Buffer.from('anna:pw').toString('base64') }
const basic = `Basic ${anna.auth}`

const wantsBasic: Answer = (request, response) => {
  if (request.headers.authorization === basic) response.end(manifest)
  else response.writeHead(401, { 'www-authenticate': 'Basic realm="test"' }).end()
}

test('a name and a password are sent once they are asked for, and at once from then on', async () => {
  const { address, requests } = await serve(wantsBasic)
  const registry = await client({ environment: await environment({ [address]: anna }) })
  assert.is((await registry.manifest(`${address}/api:v1`))?.imageId, config)
  assert.is((await registry.manifest(`${address}/api:v2`))?.imageId, config)
  assert.equal(requests, ['GET /v2/api/manifests/v1', `GET /v2/api/manifests/v1 ${basic}`, `GET /v2/api/manifests/v2 ${basic}`])
  assert.is((await registry.credentials(`${address}/api`))?.username, 'anna')
})

test('a registry without credentials says where to log in', async () => {
  const { address } = await serve(wantsBasic)
  const failure = await failureOf((await client()).manifest(`${address}/api:v1`))
  assert.is(failure.reason, 'refused')
  assert.match(failure.message, /^registry without credentials: /)
  assert.is(failure.remedy, `docker login ${address}`)
})

test('credentials that the registry refuses are told apart from none, and never shown', async () => {
  const { address } = await serve(status(401, { 'www-authenticate': 'Basic realm="test"' }))
  const failure = await failureOf((await client({ environment: await environment({ [address]: anna }) })).manifest(`${address}/api:v1`))
  assert.match(failure.message, /refuses api to the login/)
  assert.not(/pw|YW5uYTpwdw/.test(JSON.stringify(failure)))
})

test('a denial without a challenge is a denial', async () => {
  const { address } = await serve(status(403))
  assert.is((await failureOf((await client()).manifest(`${address}/api:v1`))).remedy, `docker login ${address}`)
})

/** A registry with its own token server; `grants` says which scopes that gives to whom, `reads` which token may read. */
function tokenRegistry(options: {
  grants: (query: URLSearchParams, authorization: string | undefined) => string | number
  reads?: number
}) {
  return serve((request, response, address) => {
    const url = new URL(request.url ?? '', 'http://loopback')
    if (url.pathname === '/token') {
      let body = ''
      request.on('data', (chunk) => {
        body += chunk
      })
      request.on('end', () => {
        const granted = options.grants(
          request.method === 'POST' ? new URLSearchParams(body) : url.searchParams,
          request.headers.authorization,
        )
        if (typeof granted === 'number') response.writeHead(granted).end('{}')
        else response.end(JSON.stringify({ access_token: granted }))
      })
    } else if (request.headers.authorization === 'Bearer good') response.writeHead(options.reads ?? 200).end(manifest)
    else {
      const challenge = `Bearer realm="http://${address}/token",service="test",scope="repository:shop/api:pull"`
      response.writeHead(401, { 'www-authenticate': challenge }).end()
    }
  })
}

test('a token is fetched for what the registry asks, and used for the whole repository', async () => {
  const { address, requests } = await tokenRegistry({
    grants: (query, authorization) =>
      authorization === basic && query.get('service') === 'test' && query.get('scope') === 'repository:shop/api:pull' ? 'good' : 401,
  })
  const registry = await client({ environment: await environment({ [address]: anna }) })
  assert.is((await registry.manifest(`${address}/shop/api:v1`))?.imageId, config)
  assert.is((await registry.manifest(`${address}/shop/api:v2`))?.imageId, config)
  assert.equal(
    requests.map((line) => line.replace(/\?.*? /, ' ')),
    [
      'GET /v2/shop/api/manifests/v1',
      `GET /token ${basic}`,
      'GET /v2/shop/api/manifests/v1 Bearer good',
      'GET /v2/shop/api/manifests/v2 Bearer good',
    ],
  )
})

test('public repositories need a token and no credentials', async () => {
  const { address } = await tokenRegistry({ grants: (_, authorization) => (authorization === undefined ? 'good' : 401) })
  assert.is((await (await client()).manifest(`${address}/shop/api:v1`))?.imageId, config)
})

test('an identity token is exchanged by POST', async () => {
  const { address } = await tokenRegistry({
    grants: (query) => (query.get('grant_type') === 'refresh_token' && query.get('refresh_token') === 'tok' ? 'good' : 401),
  })
  const registry = await client({ environment: await environment({ [address]: { identitytoken: 'tok' } }) })
  assert.is((await registry.manifest(`${address}/shop/api:v1`))?.imageId, config)
})

test('a repository that only a push will create is not there yet', async () => {
  const { address } = await tokenRegistry({
    grants: (query) => (query.get('scope') === 'repository:shop/api:pull,push' ? 'good' : 'poor'),
    reads: 404,
  })
  const registry = await client({ environment: await environment({ [address]: anna }) })
  assert.is(await registry.manifest(`${address}/shop/api:v1`), undefined)
})

test('a token that is refused is fetched anew, once', async () => {
  let current = 'good'
  const { address, requests } = await serve((request, response, at) => {
    if (request.url?.startsWith('/token')) response.end(JSON.stringify({ token: current }))
    else if (request.headers.authorization === `Bearer ${current}`) response.end(manifest)
    else response.writeHead(401, { 'www-authenticate': `Bearer realm="http://${at}/token"` }).end()
  })
  const registry = await client()
  await registry.manifest(`${address}/api:v1`)
  current = 'newer'
  assert.is((await registry.manifest(`${address}/api:v2`))?.imageId, config)
  assert.is(requests.filter((line) => line.includes('/token')).length, 2)
})

test('a token server that gives no token is a failure', async () => {
  const { address } = await tokenRegistry({ grants: () => '' })
  assert.match((await failureOf((await client()).manifest(`${address}/shop/api:v1`))).message, /HTTP status 200/)
})

test('a token server that denies is a denial', async () => {
  const { address } = await tokenRegistry({ grants: () => 403 })
  assert.is((await failureOf((await client()).manifest(`${address}/shop/api:v1`))).remedy, `docker login ${address}`)
})

for (const [header, expected] of [
  ['Basic realm="x"', { scheme: 'basic' }],
  [
    'Bearer realm="https://a.test/t",service="s",scope="repository:x:pull,push"',
    { scheme: 'bearer', realm: 'https://a.test/t', service: 's', scope: 'repository:x:pull,push' },
  ],
  ['bearer realm=https://a.test/t', { scheme: 'bearer', realm: 'https://a.test/t' }],
  ['Basic realm="x", Bearer realm="https://a.test/t"', { scheme: 'bearer', realm: 'https://a.test/t' }],
  ['Bearer realm="not a url"', undefined],
  ['Negotiate', undefined],
  ['', undefined],
] as const) {
  test(`challenge: ${header || 'none'}`, () => assert.equal(parseChallenge(header), expected))
}

test('a token has two names', () => {
  assert.equal(['{"token":"a"}', '{"access_token":"b"}', '{"token":""}', '{}', '<html>'].map(parseToken), [
    'a',
    'b',
    undefined,
    undefined,
    undefined,
  ])
})

/** A session whose requests get these answers, in their order, and are recorded. */
function scripted(answers: readonly [number, Record<string, string>?, string?][], username?: string) {
  const urls: string[] = []
  const session = askRegistry({
    async send({ url }) {
      urls.push(url.href)
      const [code, headers = {}, body = ''] = answers[urls.length - 1] ?? [404]
      return { status: code, headers, body: Buffer.from(body) }
    },
    credentials: async () => (username === undefined ? undefined : { username, password: 'pw', serveraddress: 'x' }),
  })
  return { urls, get: (reference: string) => session(parseReference(reference), { method: 'GET', target: 'manifests/v1', headers: {} }) }
}

test('Docker Hub answers under another name than its own', async () => {
  const { urls, get } = scripted([
    [401, { 'www-authenticate': 'Bearer realm="https://auth.docker.io/token",service="registry.docker.io"' }],
    [200, {}, '{"token":"t"}'],
    [200],
  ])
  assert.is((await get('nginx:v1')).status, 200)
  assert.equal(urls, [
    'https://registry-1.docker.io/v2/library/nginx/manifests/v1',
    'https://auth.docker.io/token?service=registry.docker.io&scope=repository%3Alibrary%2Fnginx%3Apull',
    'https://registry-1.docker.io/v2/library/nginx/manifests/v1',
  ])
})

test('a password is not sent to a token server without TLS', async () => {
  const { urls, get } = scripted([[401, { 'www-authenticate': 'Bearer realm="http://auth.test/token"' }]], 'anna')
  assert.match((await failureOf(get('ghcr.io/acme/api'))).message, /without TLS/)
  assert.is(urls.length, 1)
})

// --- the network -------------------------------------------------------------------------------------------------------------------

test('a registry that limits its askers is asked again when it says so', async () => {
  let left = 2
  const pauses: number[] = []
  const { address } = await serve((_, response) => {
    left -= 1
    if (left < 0) response.end(manifest)
    else response.writeHead(429, { 'retry-after': '3' }).end()
  })
  const registry = await client({
    pause: async (ms) => {
      pauses.push(ms)
    },
  })
  assert.is((await registry.manifest(`${address}/api:v1`))?.imageId, config)
  assert.equal(pauses, [3000, 3000])
})

test('patience has a bound', async () => {
  const { address, requests } = await serve(status(429, { 'retry-after': '1' }))
  const failure = await failureOf((await client()).manifest(`${address}/api:v1`))
  assert.equal([failure.reason, failure.remedy], ['refused', 'try again after 1 s'])
  assert.is(requests.length, 4)
})

test('being interrupted while waiting ends the waiting', async () => {
  const controller = new AbortController()
  const { address, requests } = await serve(status(503))
  const pause = async () => controller.abort()
  const failure = await failureOf((await client({ signal: controller.signal, pause })).manifest(`${address}/api:v1`))
  assert.is(failure.reason, 'interrupted')
  assert.is(requests.length, 1)
})

const answered = (code: number, after?: string) => ({
  status: code,
  headers: after === undefined ? {} : { 'retry-after': after },
  body: Buffer.alloc(0),
})
const now = Date.parse('2026-01-01T00:00:00Z')
for (const [name, outcome, attempt, expected] of [
  ['a good answer', answered(200), 1, undefined],
  ['an error of the server', answered(500), 1, undefined],
  ['a gateway that is away', answered(503), 1, 250],
  ['a gateway that is still away', answered(502), 3, 1000],
  ['a limit with seconds', answered(429, '7'), 1, 7000],
  ['a limit with a date', answered(429, 'Thu, 01 Jan 2026 00:00:05 GMT'), 1, 5000],
  ['a limit with nonsense', answered(429, 'soon'), 1, 250],
  ['a limit of an hour', answered(429, '3600'), 1, undefined],
  ['a connection cut', Object.assign(new Error('cut'), { code: 'ECONNRESET' }), 2, 500],
  ['a refused connection', Object.assign(new Error('no'), { code: 'ECONNREFUSED' }), 1, undefined],
] as const) {
  test(`after ${name}, asking again waits ${expected ?? 'for nothing: it is not done'}`, () =>
    assert.is(retryAfterMs(outcome, attempt, now), expected))
}

test('a registry that is silent is given up', async () => {
  const { address } = await serve(() => {})
  const failure = await failureOf((await client({ timeoutMs: 100 })).manifest(`${address}/api:v1`))
  assert.equal([failure.reason, failure.message], ['timeout', `${address} did not answer within 0.1 s`])
})

test('a registry that stops in the middle of its answer is given up', async () => {
  const { address } = await serve((_, response) => response.writeHead(200, { 'content-length': '100' }).write('{'))
  assert.is((await failureOf((await client({ timeoutMs: 200 })).manifest(`${address}/api:v1`))).reason, 'timeout')
})

test('a registry that is not there cannot be reached', async () => {
  const { address } = await serve(() => {})
  const closed = open.pop()
  await new Promise((resolve) => closed?.close(resolve))
  const failure = await failureOf((await client()).manifest(`${address}/api:v1`))
  assert.is(failure.reason, 'unreachable')
  assert.match(failure.message, /cannot be reached: connect ECONNREFUSED/)
})

test('an interruption ends a request', async () => {
  const controller = new AbortController()
  const { address } = await serve(() => controller.abort())
  assert.is((await failureOf((await client({ signal: controller.signal })).manifest(`${address}/api:v1`))).reason, 'interrupted')
})

test.run()
