import type { IncomingMessage, ServerResponse } from 'node:http'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { parseEvent } from '../../../src/hosts/engine-events.ts'
import type { EngineEvent } from '../../../tasks/ports.ts'
import { within } from '../../support/assertions.ts'
import { failureOf, onServer } from '../../support/ssh-server.ts'

const test = suite('src/hosts/engine')

type Answer = (request: IncomingMessage, response: ServerResponse, body: string) => void

/** Answers by `METHOD /path`, the query left out; anything else is a 404 as the Engine words it. */
function engine(answers: Readonly<Record<string, Answer>>) {
  return (request: IncomingMessage, response: ServerResponse) => {
    let body = ''
    request.on('data', (chunk: Buffer) => {
      body += chunk
    })
    request.on('end', () => {
      const answer = answers[`${request.method} ${request.url?.split('?')[0]}`]
      if (answer !== undefined) return answer(request, response, body)
      response.writeHead(404, { 'content-type': 'application/json' }).end('{"message":"No such container: x"}')
    })
  }
}
const status =
  (code: number, message?: string): Answer =>
  (_request, response) => {
    response.writeHead(code, { 'content-type': 'application/json' })
    response.end(message === undefined ? undefined : JSON.stringify({ message }))
  }
const json =
  (value: unknown): Answer =>
  (_request, response) =>
    void response.end(JSON.stringify(value))
const list = { 'GET /containers/json': json([]) }

test(
  'calls one after another share one channel',
  onServer(
    { engine: engine({ ...list, 'POST /containers/c/start': status(204), 'POST /containers/c/stop': status(204) }) },
    async (server) => {
      const host = server.host()
      await host.observe()
      for (let round = 0; round < 5; round++) {
        await host.engine.start('c')
        await host.engine.stop('c', 7)
      }
      assert.is(host.stats().engineChannels, 1)
      assert.is(host.stats().connections, 1)
      assert.equal(server.counts.engineRequests.slice(1, 3), ['POST /containers/c/start', 'POST /containers/c/stop?t=7'])
    },
  ),
)

test(
  'what is already so is done',
  onServer(
    {
      engine: engine({
        'POST /containers/c/start': status(304),
        'POST /containers/c/stop': status(304),
        'DELETE /containers/c': status(409, 'removal is already in progress'),
      }),
    },
    async (server) => {
      const { engine } = server.host()
      await engine.start('c')
      await engine.stop('c', 1)
      await engine.remove('c')
      await engine.remove('absent')
      assert.ok(
        server.counts.engineRequests.every((request) => !/v=(1|true)/.test(request)),
        'volumes stay',
      )
    },
  ),
)

test(
  "the engine's no is a failure with its words",
  onServer({ engine: engine({ 'POST /containers/c/start': status(500, 'driver failed: port is already allocated') }) }, async (server) => {
    const { engine } = server.host()
    const failure = await failureOf(engine.start('c'))
    assert.is(failure.reason, 'refused')
    assert.match(failure.message, /cannot start c on node-1 \(deploy@127\.0\.0\.1:\d+\): driver failed: port is already allocated/)
    assert.match((await failureOf(engine.inspect('x'))).message, /No such container/)
    assert.match((await failureOf(server.host().observe())).message, /cannot list containers on node-1/)
  }),
)

test(
  'a restart policy is sent as the API has it',
  onServer(
    {
      engine: engine({
        'POST /containers/c/update': (_request, response, body) => void response.end(JSON.stringify({ Warnings: [body] })),
      }),
    },
    async (server) => {
      await server.host().engine.setRestartPolicy('c', { name: 'on-failure', maximumRetryCount: 3 })
      assert.equal(server.counts.engineRequests, ['POST /containers/c/update'])
    },
  ),
)

test(
  'an inspection says what matters to a rollout',
  onServer(
    {
      engine: engine({
        'GET /containers/c/json': json({
          State: {
            Status: 'exited',
            ExitCode: 137,
            OOMKilled: true,
            Error: 'exec: "x": not found',
            Health: { Status: 'unhealthy', Log: [{ ExitCode: 1, Output: 'refused\n' }] },
          },
          RestartCount: 2,
          HostConfig: { RestartPolicy: { Name: '' } },
          Mounts: [
            { Type: 'volume', Name: 'a'.repeat(64), Destination: '/data' },
            { Type: 'volume', Name: 'shop_named', Destination: '/named' },
            { Type: 'bind', Destination: '/bound' },
          ],
        }),
      }),
    },
    async (server) => {
      assert.equal(await server.host().engine.inspect('c'), {
        state: 'exited',
        health: 'unhealthy',
        exitCode: 137,
        oomKilled: true,
        restartCount: 2,
        restartPolicy: 'no',
        anonymousVolumes: ['/data'],
        addresses: [],
        error: 'exec: "x": not found',
        healthLog: ['refused'],
      })
    },
  ),
)

test(
  'output that happens to be JSON is still text',
  onServer(
    { engine: engine({ 'GET /containers/c/logs': (_request, response) => void response.end('{"level":"info"}') }) },
    async (server) => {
      assert.equal(await server.host().engine.logs('c', 20), ['{"level":"info"}'])
      assert.equal(server.counts.engineRequests, ['GET /containers/c/logs?stdout=true&stderr=true&tail=20'])
    },
  ),
)

test(
  'an image is there or not',
  onServer({ engine: engine({ 'GET /images/web@sha256:1/json': json({ Id: 'x' }) }) }, async (server) => {
    const { engine } = server.host()
    assert.is(await engine.hasImage('web@sha256:1'), true)
    assert.is(await engine.hasImage('other'), false)
  }),
)

test(
  'a pull sends credentials in a header, follows to the end and says little',
  onServer(
    {
      engine: engine({
        'POST /images/create': (request, response) => {
          const sent = JSON.parse(Buffer.from(String(request.headers['x-registry-auth']), 'base64url').toString()) as { password?: string }
          if (sent.password !== 'secret') return status(500, 'unauthorized')(request, response, '')
          response.write('{"status":"Pulling fs layer","id":"a"}\n{"status":"Pull complete","id":"a"}\n')
          response.end('{"status":"Status: Downloaded newer image for reg.example/web"}\n')
        },
      }),
    },
    async (server) => {
      const lines: string[] = []
      const { engine } = server.host()
      await engine.pull('reg.example/web@sha256:1', { username: 'u', password: 'secret', serveraddress: 'reg.example' }, (line) =>
        lines.push(line),
      )
      assert.equal(lines, ['1 of 1 layers', 'Status: Downloaded newer image for reg.example/web'])
      assert.equal(server.counts.engineRequests, ['POST /images/create?fromImage=reg.example%2Fweb&tag=sha256%3A1'])
      const failure = await failureOf(engine.pull('reg.example/web@sha256:1', undefined))
      assert.match(failure.remedy ?? '', /docker login reg\.example/)
    },
  ),
)

const badPulls: readonly [name: string, Answer, RegExp][] = [
  [
    'an error in the stream',
    (_request, response) => void response.end('{"errorDetail":{"message":"no space left on device"}}\n'),
    /no space left/,
  ],
  [
    'a stream that just ends',
    (_request, response) => void response.end('{"status":"Pulling fs layer","id":"a"}\n'),
    /stopped before the image was there/,
  ],
  ['a refusal', status(404, 'manifest unknown'), /manifest unknown/],
]
for (const [name, answer, message] of badPulls) {
  test(
    `a pull that ends with ${name} is a failure`,
    onServer({ engine: engine({ 'POST /images/create': answer }) }, async (server) => {
      const failure = await within(5_000, failureOf(server.host().engine.pull('reg.example/web@sha256:1', undefined)))
      assert.match(failure.message, message)
      assert.match(failure.message, /cannot pull reg\.example\/web@sha256:1 on node-1/)
    }),
  )
}

test('events are live once subscribed to, shared, and their end is told', async () => {
  let stream: ServerResponse | undefined
  const events = (_request: IncomingMessage, response: ServerResponse) => {
    stream = response
    response.flushHeaders()
  }
  await onServer({ engine: engine({ 'GET /events': events }) }, async (server) => {
    const host = server.host()
    const seen: string[] = []
    let heard: (() => void) | undefined
    const next = () =>
      new Promise<void>((resolve) => {
        heard = resolve
      })
    const listener = (event: EngineEvent) => {
      seen.push(`${event.action} ${event.container} ${event.exitCode ?? ''}`)
      heard?.()
    }
    const first = await within(5_000, host.engine.events(listener))
    const second = await within(
      5_000,
      host.engine.events(() => undefined),
    )
    assert.is(server.counts.engineRequests.length, 1)
    assert.match(decodeURIComponent(server.counts.engineRequests[0] ?? ''), /"label":\["stagecraft\.project=shop","stagecraft\.env=prod"\]/)
    let told = next()
    stream?.write('{"Type":"container","Action":"die","Actor":{"ID":"c","Attributes":{"exitCode":"137"}}}\n{"Type":"container"')
    await within(5_000, told)
    told = next()
    stream?.write(',"Action":"health_status: healthy","Actor":{"ID":"d"}}\n')
    await within(5_000, told)
    second.close()
    told = next()
    server.cut()
    await within(5_000, told)
    assert.equal(seen, ['die c 137', 'health_status: healthy d ', 'disconnected  '])
    first.close()
    const again = await within(5_000, host.engine.events(listener))
    const closed = new Promise<void>((resolve) => stream?.once('close', resolve))
    again.close()
    await within(5_000, closed)
  })()
})

test(
  'a subscription the engine refuses is a failure, and can be tried again',
  onServer({ engine: engine({ 'GET /events': status(500, 'gremlins') }) }, async (server) => {
    const { engine } = server.host()
    for (let round = 0; round < 2; round++) assert.match((await failureOf(engine.events(() => undefined))).message, /gremlins/)
  }),
)

test('a message without a container is passed over', () => {
  assert.is(parseEvent('{"Type":"container"}'), undefined)
})

test(
  'where sockets may not be forwarded, the docker program does it',
  onServer({ forwardSockets: false, engine: engine({ ...list, 'POST /containers/c/start': status(204) }) }, async (server) => {
    const host = server.host()
    await host.observe()
    await host.engine.start('c')
    await host.engine.start('c')
    assert.equal(server.execs, ["exec 'docker' 'version' '--format' '{{.Server.APIVersion}}' </dev/null", 'exec docker system dial-stdio'])
    assert.is(server.counts.engineChannels, 1)
  }),
)

test(
  'a host whose engine cannot be used says why',
  onServer(
    { forwardSockets: false, dockerProgram: { code: 1, stderr: 'permission denied while trying to connect to the docker API' } },
    async (server) => {
      const host = server.host()
      const failure = await within(5_000, failureOf(host.observe()))
      assert.is(failure.reason, 'refused')
      assert.match(failure.message, /deploy may not use Docker on node-1/)
      assert.match((await within(5_000, failureOf(host.engine.start('c')))).remedy ?? '', /usermod -aG docker deploy/)
    },
  ),
)

test(
  'an engine that goes away in the middle of an answer is a failure',
  onServer(
    {
      engine: engine({
        'GET /containers/json': (_request, response) => {
          response.writeHead(200, { 'content-length': '1000' }).write('[')
          setImmediate(() => response.destroy())
        },
      }),
    },
    async (server) => {
      assert.match((await within(5_000, failureOf(server.host().observe()))).message, /cannot list containers on node-1/)
    },
  ),
)

test('after a cut, channels that no call was using are not used again', async () => {
  await onServer({ engine: engine(list) }, async (server) => {
    const host = server.host()
    const began = new Promise<void>((resolve) => {
      server.intercept = (operation) => {
        if (operation === 'OPENDIR') resolve()
        return undefined
      }
    })
    await host.observe()
    const running = failureOf(host.run({ argv: ['sleep', '60'] }))
    await host.files.list('')
    await began
    server.cut()
    assert.is((await within(5_000, running)).reason, 'unreachable')
    host.changed()
    assert.equal((await within(5_000, host.observe())).containers, [])
  })()
})

test('a cut connection ends a call under way', async () => {
  let asked = () => {}
  const start = () => asked()
  await onServer({ engine: engine({ 'POST /containers/c/start': start, ...list }) }, async (server) => {
    const host = server.host()
    await host.observe()
    const isAsked = new Promise<void>((resolve) => {
      asked = resolve
    })
    const starting = failureOf(host.engine.start('c'))
    await within(5_000, isAsked)
    server.cut()
    assert.is((await within(5_000, starting)).reason, 'unreachable')
    host.changed()
    assert.equal((await within(5_000, host.observe())).containers, [])
  })()
})

test(
  'a container gets another name',
  onServer({ engine: engine({ 'POST /containers/c/rename': status(204) }) }, async (server) => {
    await server.host().engine.rename('c', 'web 1')
    assert.equal(server.counts.engineRequests, ['POST /containers/c/rename?name=web%201'])
  }),
)

test.run()
