import { createServer } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { TaskFailure } from '../../../tasks/kind.ts'
import { type GateOptions, startAndAwait } from '../../../tasks/rolling/gate.ts'
import { rejects, within } from '../../support/assertions.ts'
import { FakeHost } from '../../support/fake-host.ts'

const test = suite('tasks/rolling/gate')

function hostWith(behaviour?: Parameters<FakeHost['engine']['behave']>[1], state: 'created' | 'running' = 'created'): FakeHost {
  const host = new FakeHost()
  host.engine.add({
    name: 'web-1',
    state,
    address: '127.0.0.1',
    health: state === 'running' && behaviour === 'starting' ? 'starting' : 'none',
  })
  if (behaviour) host.engine.behave('web', behaviour)
  return host
}
const options = (more: Partial<GateOptions> = {}): GateOptions => ({
  service: 'web',
  timeoutMs: 200,
  minReadyMs: 10,
  signal: new AbortController().signal,
  ...more,
})
const through = (host: FakeHost, more: Partial<GateOptions> = {}) => within(3000, startAndAwait(host, 'id-web-1', options(more)))
const told = async (host: FakeHost, more: Partial<GateOptions> = {}) => {
  const error = await rejects(through(host, more))
  assert.instance(error, TaskFailure)
  assert.is(host.engine.subscriptions, 0, 'no subscription is left')
  return error.message.replace('the new container of web on node-1 ', '')
}
async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setImmediate(resolve))
}

for (const behaviour of ['healthy', 'runs'] as const) {
  test(`a container that ${behaviour === 'runs' ? 'stays up, without a healthcheck,' : 'turns healthy'} is ready`, async () => {
    const host = hostWith(behaviour)
    await through(host)
    assert.is(host.engine.subscriptions, 0)
  })
}

for (const [title, behaviour, expected] of [
  ['one that exits', 'dies', 'exited with code 1'],
  ['one that turns unhealthy', 'unhealthy', 'is unhealthy'],
  ['one whose healthcheck is silent', 'starting', 'was not ready within 0.2 s'],
] as const) {
  test(`${title} is not ready`, async () => assert.is(await told(hostWith(behaviour)), expected))
}

test('one that runs out of memory says so, not just that it exited', async () => {
  const host = hostWith('starting')
  const verdict = told(host, { timeoutMs: 2000 })
  await until(() => host.calls.includes('inspect id-web-1'))
  host.engine.become('web-1', 'out-of-memory')
  assert.is(await verdict, 'ran out of memory')
})

test('an adopted one that turned healthy before anyone listened is ready at once', async () => {
  const host = new FakeHost()
  host.engine.add({ name: 'web-1', health: 'healthy' })
  await through(host)
})

test('an adopted one that is unhealthy already is not waited for', async () => {
  const host = new FakeHost()
  host.engine.add({ name: 'web-1', health: 'unhealthy' })
  assert.is(await told(host, { timeoutMs: 60_000 }), 'is unhealthy')
})

test('staying up is counted from the start: one that dies while it is counted is not ready', async () => {
  const host = hostWith('runs')
  const verdict = told(host, { minReadyMs: 60_000, timeoutMs: 120_000 })
  await until(() => host.calls.includes('inspect id-web-1'))
  host.engine.become('web-1', 'dead')
  assert.is(await verdict, 'exited with code 1')
})

test('events that stop coming are not taken for silence: a death nobody told of is seen', async () => {
  const host = hostWith('runs')
  const verdict = told(host, { minReadyMs: 60_000, timeoutMs: 120_000 })
  await until(() => host.calls.includes('inspect id-web-1'))
  host.engine.disconnect(() => {
    host.engine.behave('web', 'dies')
    host.engine.become('web-1', 'dead')
  })
  assert.is(await verdict, 'exited with code 1')
})

test('events that stop coming are listened for anew', async () => {
  const host = hostWith('starting')
  const ready = through(host, { timeoutMs: 2000 })
  await until(() => host.calls.includes('inspect id-web-1'))
  host.engine.disconnect()
  await until(() => host.calls.filter((call) => call === 'inspect id-web-1').length === 2)
  host.engine.become('web-1', 'healthy')
  await ready
})

test('when only time speaks for it, it is looked at once more', async () => {
  const host = hostWith('runs')
  const verdict = told(host, { minReadyMs: 30 })
  await until(() => host.calls.includes('inspect id-web-1'))
  // As if the event had been lost.
  const { inspect } = host.engine
  host.engine.inspect = async (id) => ({ ...(await inspect.call(host.engine, id)), state: 'exited', exitCode: 137, oomKilled: true })
  assert.is(await verdict, 'ran out of memory')
})

test('an engine that refuses to start it is quoted', async () => {
  const host = hostWith()
  host.failOn(/^start/, { error: new TaskFailure({ reason: 'refused', subject: 'node-1', message: 'port is already allocated' }) })
  assert.is(await told(host), 'port is already allocated')
})

test('an engine that starts it and notes an error is quoted too', async () => {
  const host = hostWith('dies')
  const { inspect } = host.engine
  host.engine.behave('web', 'runs')
  host.engine.inspect = async (id) => ({ ...(await inspect.call(host.engine, id)), state: 'created', error: 'no such file: /bin/app' })
  assert.is(await told(host), 'did not start: no such file: /bin/app')
})

test('a host that no longer answers does not hide what went wrong', async () => {
  const host = hostWith('starting')
  const verdict = told(host, { timeoutMs: 2000 })
  await until(() => host.calls.includes('inspect id-web-1'))
  host.dieAfter(0)
  host.engine.become('web-1', 'unhealthy')
  assert.is(await verdict, 'is unhealthy')
})

test('the last health check is told with the output', async () => {
  const host = hostWith('unhealthy')
  host.engine.print('web-1', 'listening')
  const { inspect } = host.engine
  host.engine.inspect = async (id) => ({ ...(await inspect.call(host.engine, id)), healthLog: ['first', ' connection refused\n'] })
  const error = (await rejects(through(host))) as TaskFailure
  assert.equal(error.failure.output, ['listening', 'last health check: connection refused'])
})

test('an interrupt ends the wait, also one that came before it', async () => {
  const controller = new AbortController()
  controller.abort()
  assert.is(await told(hostWith('starting'), { signal: controller.signal, timeoutMs: 60_000 }), 'was interrupted')
})

// --- the probe --------------------------------------------------------------------------------------------------------

async function answering<T>(statuses: readonly number[], work: (port: number, asked: () => number) => Promise<T>): Promise<T> {
  let asked = 0
  const server = createServer((_request, response) => {
    response.statusCode = statuses[Math.min(asked, statuses.length - 1)] ?? 200
    asked += 1
    response.end('ok')
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  try {
    return await work((server.address() as AddressInfo).port, () => asked)
  } finally {
    server.closeAllConnections()
    server.close()
  }
}

/** Its connections are real, to this machine. */
function probedHost(): FakeHost {
  const host = hostWith('healthy')
  host.connect = async (address, port) => {
    const socket = connect(port, address)
    await new Promise((resolve, reject) => socket.once('connect', resolve).once('error', reject))
    return socket
  }
  return host
}

test('with a probe it is ready once the wanted status is answered', async () => {
  await answering([503, 204], async (port, asked) => {
    await through(probedHost(), { probe: { port, path: '/up', expectedStatus: 204 }, timeoutMs: 3000 })
    assert.is(asked(), 2)
  })
})

test('a probe that never gets the wanted status says the last it got', async () => {
  await answering([500], async (port) => {
    const message = await told(probedHost(), { probe: { port, path: '/up', expectedStatus: 200 }, timeoutMs: 50 })
    assert.is(message, `did not answer http://web:${port}/up with 200 within 0.05 s (last: 500)`)
  })
})

test('nothing that listens, and no address, are answers too', async () => {
  const refused = await told(probedHost(), { probe: { port: 1, path: '/', expectedStatus: 200 }, timeoutMs: 50 })
  assert.match(refused, /\(last: connect ECONNREFUSED 127\.0\.0\.1:1\)$/)
  const host = new FakeHost()
  host.engine.add({ name: 'web-1', health: 'healthy' })
  assert.match(await told(host, { probe: { port: 1, path: '/', expectedStatus: 200 }, timeoutMs: 50 }), 'last: it has no address')
})

test('a container that exits while it is probed is not waited for', async () => {
  const host = probedHost()
  const { observe } = host
  host.observe = async () => {
    if (host.engine.running().length > 0) host.engine.become('web-1', 'dead')
    return observe.call(host)
  }
  assert.is(await told(host, { probe: { port: 1, path: '/', expectedStatus: 200 }, timeoutMs: 60_000 }), 'exited while it was probed')
})

test('an interrupt ends the probing', async () => {
  const controller = new AbortController()
  const host = probedHost()
  host.connect = async () => {
    controller.abort()
    throw new Error('no')
  }
  const probe = { port: 1, path: '/', expectedStatus: 200 }
  assert.is(await told(host, { probe, timeoutMs: 60_000, signal: controller.signal }), 'was interrupted')
})

test('one that is healthy must stay so for as long as is wanted', async () => {
  await through(hostWith('healthy'), { steadyMs: 20 })
  for (const [change, expected] of [
    ['dead', 'was healthy, then exited with code 1'],
    ['unhealthy', 'was healthy, then turned unhealthy'],
  ] as const) {
    const host = hostWith('healthy')
    const verdict = told(host, { steadyMs: 60_000 })
    await until(() => host.calls.includes('inspect id-web-1'))
    await new Promise((resolve) => setImmediate(resolve))
    host.engine.become('web-1', change)
    assert.is(await verdict, expected)
  }
  const interrupted = new AbortController()
  const host = hostWith('healthy')
  const verdict = told(host, { steadyMs: 60_000, signal: interrupted.signal })
  await until(() => host.calls.includes('inspect id-web-1'))
  await new Promise((resolve) => setImmediate(resolve))
  interrupted.abort()
  assert.is(await verdict, 'was interrupted')
})

for (const [error, expected, remedy] of [
  [
    'failed to create task: runc create failed: unable to start container process: exec: "serve": executable file not found in $PATH: unknown',
    'did not start: exec: "serve": executable file not found in $PATH',
    /its image does not have that program/,
  ],
  ['driver failed: Bind for 0.0.0.0:80 failed: port is already allocated', /^did not start: .*port is already allocated$/, /has the port/],
  ['unable to find user nobody', 'did not start: unable to find user nobody', /mend the image/],
] as const) {
  test(`one that the engine refuses to start is told in its words: ${error.slice(-40)}`, async () => {
    const host = hostWith()
    const { engine } = host
    const inspect = engine.inspect.bind(engine)
    engine.inspect = async (id) => ({ ...(await inspect(id)), error })
    engine.start = async () => {
      throw new TaskFailure({ reason: 'refused', subject: 'node-1', message: `cannot start: ${error}` })
    }
    const failure = (await rejects(through(host))) as TaskFailure
    const message = failure.message.replace('the new container of web on node-1 ', '')
    if (typeof expected === 'string') assert.is(message, expected)
    else assert.match(message, expected)
    assert.match(failure.failure.remedy ?? '', remedy)
  })
}

test('a start that failed for another reason, such as a lost connection, is told as it is', async () => {
  for (const reason of ['unreachable', 'refused'] as const) {
    const host = hostWith()
    host.engine.start = async () => {
      throw new TaskFailure({ reason, subject: 'node-1', message: 'no answer' })
    }
    assert.is((await rejects(through(host))).message, 'no answer')
  }
})

test.run()
