import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { openHttpStore } from '../../../cache/remote/http.ts'
import type { RemoteStore } from '../../../cache/remote-store.ts'
import { digestOf } from '../../../graph/fingerprint.ts'
import { rejects, within } from '../../support/assertions.ts'
import { inDirectory } from '../../support/directory.ts'
import { behavesAsRemoteStore } from '../../support/remote-store-suite.ts'
import { keyOf } from '../stored.ts'

const test = suite('cache/remote/http')
const key = keyOf('api')
const digest = digestOf('bytes')
const signal = () => AbortSignal.timeout(5000)

type Answer = (...exchange: Parameters<RequestListener>) => unknown

let pauses: number[] = []
const pause = async (ms: number): Promise<void> => void pauses.push(ms)

/** A server that answers so, and what it was asked. */
async function served(answer: Answer, work: (store: RemoteStore, asked: string[], connections: () => number) => Promise<void>) {
  const asked: string[] = []
  pauses = []
  let connections = 0
  const server = createServer((request, response) => {
    asked.push(`${request.method} ${request.url} ${request.headers.authorization ?? '-'}`)
    void answer(request, response)
  }).on('connection', () => {
    connections += 1
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const { port } = server.address() as AddressInfo
  const store = openHttpStore({ url: new URL(`http://127.0.0.1:${port}/shop/`), authorization: 'Bearer t0ken', pause, patienceMs: 5000 })
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

test('a server that is busy is left alone for as long as it says, and asked again', () => {
  let times = 0
  return served(
    (_request, response) => {
      times += 1
      if (times === 1) return response.writeHead(429, { 'retry-after': '3' }).end()
      if (times === 2) return response.writeHead(503).end()
      return response.writeHead(200).end('entry')
    },
    async (store) => {
      assert.is(Buffer.from((await store.readAction(key, signal())) ?? []).toString(), 'entry')
      assert.equal(pauses, [3000, 500])
    },
  )
})

test('who wants to be left alone for longer than there is time is not waited for', () =>
  served(
    (_request, response) => void response.writeHead(503, { 'retry-after': '6' }).end(),
    async (store, asked) => {
      await rejects(store.readAction(key, signal()), /answered with 503; it asks to be left alone for 6 s$/)
      assert.equal([asked.length, pauses.length], [1, 0])
    },
  ))

test('an answer that is busy is no blob: nothing of it is in the file', () =>
  inDirectory(async (directory) => {
    let times = 0
    await served(
      (_request, response) => {
        times += 1
        return times === 1 ? response.writeHead(503).end('come back later') : response.writeHead(200).end('blob')
      },
      async (store) => {
        const path = join(directory, 'blob')
        assert.ok(await store.downloadBlob(digest, path, signal(), 4))
        assert.is(readFileSync(path, 'utf8'), 'blob')
      },
    )
  }))

test('more than was promised is not written into a file either', () =>
  inDirectory((directory) =>
    served(
      (_request, response) => void response.writeHead(200).end(Buffer.alloc(10_000_000)),
      async (store) => void (await rejects(store.downloadBlob(digest, join(directory, 'blob'), signal(), 5), /larger than/)),
    ),
  ))

test('an answer cut in the middle is asked for again, and at last is an error', () =>
  served(
    (_request, response) => {
      response.writeHead(200, { 'content-length': 100 }).write('half')
      setImmediate(() => response.destroy())
    },
    async (store, asked) => {
      await rejects(store.readAction(key, signal()), /GET .* failed/)
      assert.is(asked.length, 4)
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
      await within(3000, rejects(store.readAction(key, AbortSignal.timeout(300))))
      assert.is(asked.length, 1)
    },
  ))

test.run()
