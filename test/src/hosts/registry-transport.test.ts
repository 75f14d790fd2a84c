import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { HttpRequest } from '../../../cache/remote/exchange.ts'
import { parseReference } from '../../../src/hosts/image-reference.ts'
import { tokenLifetimeMs } from '../../../src/hosts/registry-auth.ts'
import { askRegistry, type RepositoryRequest } from '../../../src/hosts/registry-session.ts'
import { rejects } from '../../support/assertions.ts'

const test = suite('hosts/registry-transport')

type Answers = (request: HttpRequest) => readonly [status: number, headers?: Record<string, string>, body?: string]

/** Asks a registry with TLS, whose every answer `answers` gives; returns what was sent to it as `GET url authorization`. */
async function asking(answers: Answers, request: Partial<RepositoryRequest>): Promise<{ lines: string[]; status: number }> {
  const lines: string[] = []
  const ask = askRegistry({
    async send(sent) {
      lines.push([sent.method, sent.url.href, sent.headers['authorization']].filter(Boolean).join(' '))
      const [status, headers = {}, body = ''] = answers(sent)
      return { status, headers, body: Buffer.from(body) }
    },
    credentials: async () => ({ username: 'anna', password: 'pw', serveraddress: 'x' }),
  })
  const answer = await ask(parseReference('ghcr.io/acme/cache'), { method: 'GET', target: 'blobs/sha256:1', headers: {}, ...request })
  return { lines, status: answer.status }
}

const anna = `Basic ${Buffer.from('anna:pw').toString('base64')}`
const wantsBasic = (request: HttpRequest) =>
  request.headers['authorization'] === anna ? undefined : ([401, { 'www-authenticate': 'Basic realm="x"' }] as const)

test('a registry that calls itself http behind its proxy is asked with TLS all the same', async () => {
  const { lines } = await asking(() => [201], { method: 'PUT', target: 'http://ghcr.io/v2/acme/cache/blobs/uploads/1?digest=d' })
  assert.equal(lines, ['PUT https://ghcr.io/v2/acme/cache/blobs/uploads/1?digest=d'])
})

test('nothing goes to another host without TLS, nor the password to any other host', async () => {
  const to = (location: string): Answers => {
    return (request) => (request.url.host === 'ghcr.io' ? (wantsBasic(request) ?? [307, { location }]) : [200])
  }
  const { lines, status } = await asking(to('https://storage.test/blob?X-Signature=1'), {})
  assert.is(status, 200)
  assert.is(lines.at(-1), 'GET https://storage.test/blob?X-Signature=1')
  const error = await rejects(asking(to('http://storage.test/blob?X-Signature=1'), {}), /sends us on to storage\.test, without TLS/)
  assert.not(error.message.includes('Signature'))
  await rejects(
    asking(() => [201], { method: 'PUT', target: 'http://storage.test/upload' }),
    /without TLS/,
  )
})

test('only reads are followed', async () => {
  const { status } = await asking(() => [307, { location: 'https://storage.test/' }], { method: 'PUT' })
  assert.is(status, 307)
})

test('the registry knows its password on the way through its own addresses', async () => {
  const { lines } = await asking(
    (request) => wantsBasic(request) ?? (request.url.pathname === '/b' ? [200] : [302, { location: '/b' }]),
    {},
  )
  assert.is(lines.at(-1), `GET https://ghcr.io/b ${anna}`)
})

test('a token is used until shortly before it ends', () => {
  assert.equal(
    ['{"expires_in":300}', '{}', '{"expires_in":"x"}', '{"expires_in":-1}'].map(tokenLifetimeMs),
    [270_000, 54_000, 54_000, 54_000],
  )
})

test('a token that has ended is not sent again', async () => {
  const lines: string[] = []
  const ask = askRegistry({
    async send({ url, headers }) {
      lines.push([url.pathname, headers['authorization']].filter(Boolean).join(' '))
      const isToken = url.pathname === '/token'
      const body = Buffer.from(isToken ? JSON.stringify({ token: 't', expires_in: 1e-9 }) : '')
      const challenge = { 'www-authenticate': 'Bearer realm="https://ghcr.io/token"' }
      return isToken || headers['authorization'] ? { status: 200, headers: {}, body } : { status: 401, headers: challenge, body }
    },
    credentials: async () => undefined,
  })
  const once = () => ask(parseReference('ghcr.io/acme/cache'), { method: 'GET', target: 'x', headers: {} })
  await once()
  await once()
  assert.equal(
    lines,
    [...Array(2)].flatMap(() => ['/v2/acme/cache/x', '/token', '/v2/acme/cache/x Bearer t']),
  )
})

test.run()
