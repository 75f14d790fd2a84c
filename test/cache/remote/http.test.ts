import { once } from 'node:events'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { openHttpStore } from '../../../cache/remote/http.ts'
import type { RemoteStore } from '../../../cache/remote-store.ts'
import { digestOf } from '../../../graph/fingerprint.ts'
import { rejects, within } from '../../support/assertions.ts'
import { behavesAsRemoteStore } from '../../support/remote-store-suite.ts'
import { keyOf } from '../stored.ts'

const test = suite('cache/remote/http')
const key = keyOf('api')
const digest = digestOf('bytes')
const signal = () => AbortSignal.timeout(5000)

type Answer = (...exchange: Parameters<RequestListener>) => unknown

/** A server that answers so, and what it was asked. */
async function served(answer: Answer, work: (store: RemoteStore, asked: string[], connections: () => number) => Promise<void>) {
  const asked: string[] = []
  let connections = 0
  const server = createServer((request, response) => {
    asked.push(`${request.method} ${request.url} ${request.headers.authorization ?? '-'}`)
    void answer(request, response)
  }).on('connection', () => {
    connections += 1
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const { port } = server.address() as AddressInfo
  const store = openHttpStore({ url: new URL(`http://127.0.0.1:${port}/shop/`), authorization: 'Bearer t0ken' })
  try {
    await work(store, asked, () => connections)
  } finally {
    await store.close?.()
    server.closeAllConnections()
    server.close()
  }
}

/** Keeps what is PUT, as nginx does. */
function keeper(): Answer {
  const kept = new Map<string, Buffer>()
  return async (request, response) => {
    const url = request.url ?? ''
    if (request.method === 'PUT') {
      const chunks: Buffer[] = []
      for await (const chunk of request) chunks.push(chunk as Buffer)
      kept.set(url, Buffer.concat(chunks))
      return response.writeHead(201).end()
    }
    const body = kept.get(url)
    return response.writeHead(body ? 200 : 404).end(request.method === 'HEAD' ? undefined : (body ?? 'nothing here'))
  }
}

const answer = keeper()
const server = createServer((request, response) => void answer(request, response))
const at = (port: number): RemoteStore => openHttpStore({ url: new URL(`http://127.0.0.1:${port}/shop`), authorization: 'Bearer t0ken' })
test.before(async () => void (await once(server.listen(0, '127.0.0.1'), 'listening')))
test.after(() => {
  server.closeAllConnections()
  server.close()
})
behavesAsRemoteStore(test, 'over HTTP', {
  open: async () => at((server.address() as AddressInfo).port),
  openAt: async (port) => at(port),
  secrets: () => ['t0ken'],
})

test('it asks as the protocol says, below its address, over kept connections', () =>
  served(keeper(), async (store, asked, connections) => {
    assert.is(await store.readAction(key, signal()), undefined)
    assert.not(await store.hasBlob(digest, signal()))
    await store.writeBlob(digest, Buffer.from('bytes'), signal())
    assert.ok(await store.hasBlob(digest, signal()))
    await store.writeAction(key, Buffer.from('entry'), signal())
    assert.is(Buffer.from((await store.readAction(key, signal())) ?? []).toString(), 'entry')
    assert.is(Buffer.from((await store.readBlob(digest, signal(), 5)) ?? []).toString(), 'bytes')
    assert.is(asked[0], `GET /shop/ac/${key} Bearer t0ken`)
    assert.is(asked[2], `PUT /shop/cas/${digest} Bearer t0ken`)
    assert.ok(connections() <= asked.length / 2, `${connections()} connections`)
  }))

for (const [status, expected] of [
  [401, /GET http:.*\/ac\/.* was answered with 401: it wants a token/],
  [403, /403: it does not allow that/],
  [500, /was answered with 500$/],
  [302, /302; it leads to http:\/\/elsewhere\/, and redirects are not followed/],
] as const)
  test(`${status} is an error that says so, and names no token`, () =>
    served(
      (_request, response) => void response.writeHead(status, { location: 'http://elsewhere/' }).end('x'),
      async (store, asked) => {
        assert.not.match((await rejects(store.readAction(key, signal()), expected)).message, 't0ken')
        await rejects(store.writeBlob(digest, Buffer.from('x'), signal()), new RegExp(`PUT .*${status}`))
        await rejects(store.hasBlob(digest, signal()), new RegExp(`HEAD .*${status}`))
        assert.is(asked.length, 3)
      },
    ))

test('a server without HEAD is sent the blob', () =>
  served(
    (_request, response) => void response.writeHead(405).end(),
    async (store) => assert.not(await store.hasBlob(digest, signal())),
  ))

test('an answer cut in the middle is asked for once more, and then is an error', () =>
  served(
    (_request, response) => {
      response.writeHead(200, { 'content-length': 100 }).write('half')
      setImmediate(() => response.destroy())
    },
    async (store, asked) => {
      await rejects(store.readAction(key, signal()), /GET .* failed/)
      assert.is(asked.length, 2)
    },
  ))

test('more than was promised is not read', () =>
  served(
    (_request, response) => void response.writeHead(200).end(Buffer.alloc(10_000_000)),
    async (store) => void (await rejects(store.readBlob(digest, signal(), 5), /larger than/)),
  ))

test('who never answers is left when the signal says so', () =>
  served(
    () => {},
    async (store, asked) => {
      await within(3000, rejects(store.readAction(key, AbortSignal.timeout(20))))
      assert.is(asked.length, 1)
    },
  ))

test.run()
