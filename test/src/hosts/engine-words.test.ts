import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { type EngineHost, pullFailure, refusedRequest, unavailableEngine } from '../../../src/hosts/engine-failure.ts'
import { logLines } from '../../../src/hosts/engine-logs.ts'
import { createPullProgress, pullParameters } from '../../../src/hosts/engine-pull.ts'

const test = suite('src/hosts/engine-words')

const host: EngineHost = { name: 'node-1', user: 'deploy', where: 'node-1 (deploy@203.0.113.7:22)' }

const unavailable: readonly [code: number, stderr: string, message: RegExp, remedy: RegExp][] = [
  [127, 'sh: 1: docker: not found', /Docker is not installed on node-1 \(deploy@203/, /install Docker Engine/],
  [
    1,
    'permission denied while trying to connect to the Docker daemon socket at unix:///var/run/docker.sock',
    /deploy may not use Docker/,
    /usermod -aG docker deploy/,
  ],
  [
    1,
    'Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?',
    /daemon does not run/,
    /systemctl enable --now docker/,
  ],
  [3, 'something new', /something new/, /docker version/],
  [3, '', /ended with code 3/, /docker version/],
]
for (const [code, stderr, message, remedy] of unavailable) {
  test(`\`docker version\` ending with ${code} ${stderr.slice(0, 30)} is explained`, () => {
    const failure = unavailableEngine(host, { code, stderr, stdout: '' })
    assert.match(failure.message, message)
    assert.match(failure.remedy ?? '', remedy)
  })
}

const pulls: readonly [said: string, remedy: RegExp][] = [
  ['manifest for reg.example/web@sha256:1 not found: manifest unknown', /push the image first/],
  ['(HTTP code 500) server error - unauthorized: authentication required ', /docker login reg\.example/],
  ['write /var/lib/docker/tmp/x: no space left on device', /docker system df/],
  ['tls: failed to verify certificate: x509: certificate signed by unknown authority', /certs\.d\/reg\.example/],
  ['http: server gave HTTP response to HTTPS client', /insecure-registries/],
  ['dial tcp: lookup reg.example: no such host', /DNS and firewall/],
  ['gremlins', /docker pull reg\.example\/web/],
]
for (const [said, remedy] of pulls) {
  test(`a pull that ends with "${said.slice(0, 40)}" says what to do`, () => {
    const failure = pullFailure(host, 'reg.example/web@sha256:1', said)
    assert.match(failure.remedy ?? '', remedy)
    assert.not.match(failure.message, /HTTP code/)
  })
}

test("a refused request keeps the engine's words", () => {
  const failure = refusedRequest(
    host,
    'start web-1',
    '(HTTP code 500) server error - driver failed: Bind for 0.0.0.0:80 failed: port is already allocated ',
  )
  assert.is(
    failure.message,
    'cannot start web-1 on node-1 (deploy@203.0.113.7:22): driver failed: Bind for 0.0.0.0:80 failed: port is already allocated',
  )
  assert.match(failure.remedy ?? '', /ss -ltnp/)
  assert.match(refusedRequest(host, 'x', 'No such container: y').remedy ?? '', /removed by someone else/)
  assert.is(refusedRequest(host, 'x', 'odd').remedy, undefined)
  assert.match(refusedRequest(host, 'x', 'mkdir: no space left on device').remedy ?? '', /df -h/)
})

const frame = (stream: number, text: string) => {
  const content = Buffer.from(text)
  const head = Buffer.alloc(8)
  head.writeUInt8(stream)
  head.writeUInt32BE(content.length, 4)
  return Buffer.concat([head, content])
}

test('frames of both streams become lines, also when a line comes in parts', () => {
  const bytes = Buffer.concat([frame(1, 'one\ntw'), frame(2, 'error\n'), frame(1, 'o\n'), frame(1, 'last')])
  assert.equal(logLines(bytes), ['one', 'error', 'two', 'last'])
})

test('a letter cut in two frames is whole again', () => {
  const letter = Buffer.from('é\n')
  const cut = (part: Buffer) => Buffer.concat([Buffer.of(1, 0, 0, 0, 0, 0, 0, part.length), part])
  assert.equal(logLines(Buffer.concat([cut(letter.subarray(0, 1)), cut(letter.subarray(1))])), ['é'])
})

test('a terminal has no frames', () => {
  assert.equal(logLines(Buffer.from('one\r\n{"a":1}\r\n')), ['one', '{"a":1}'])
  assert.equal(logLines(Buffer.alloc(0)), [])
})

const references: readonly [reference: string, fromImage: string, tag: string][] = [
  ['web', 'web', 'latest'],
  ['web:1', 'web', '1'],
  ['reg.example:5000/a/web', 'reg.example:5000/a/web', 'latest'],
  ['reg.example:5000/a/web:1.2', 'reg.example:5000/a/web', '1.2'],
  ['reg.example:5000/web@sha256:ab', 'reg.example:5000/web', 'sha256:ab'],
  ['web:1@sha256:ab', 'web', 'sha256:ab'],
]
for (const [reference, fromImage, tag] of references) {
  test(`${reference} is pulled as one image`, () => assert.equal(pullParameters(reference), { fromImage, tag }))
}

test('a pull shows a few lines, whatever way the bytes come', () => {
  const messages = [
    { status: 'Pulling from web', id: '1' },
    { status: 'Pulling fs layer', id: 'a' },
    { status: 'Already exists', id: 'b' },
    { status: 'Downloading', id: 'a', progressDetail: { current: 1 } },
    { status: 'Pull complete', id: 'a' },
    { status: 'Pull complete', id: 'a' },
    { status: 'Digest: sha256:1' },
    { status: 'Status: Downloaded newer image for web' },
  ]
  const progress = createPullProgress()
  const bytes = Buffer.from(messages.map((message) => `${JSON.stringify(message)}\r\n`).join(''))
  const lines = Array.from(bytes, (_, index) => progress.take(bytes.subarray(index, index + 1))).flat()
  assert.equal(lines, ['2 of 2 layers', 'Digest: sha256:1', 'Status: Downloaded newer image for web'])
  assert.ok(progress.isComplete)
  assert.is(progress.error, undefined)
})

test('an error in the stream of a pull is kept', () => {
  const progress = createPullProgress()
  progress.take(Buffer.from('{"errorDetail":{"message":"no space left on device"},"error":"short"}\n{"error":"later"}\n'))
  assert.is(progress.error, 'no space left on device')
  const proxy = createPullProgress()
  proxy.take(Buffer.from('<html>bad gateway</html>\n'))
  assert.is(proxy.error, '<html>bad gateway</html>')
})

test.run()
