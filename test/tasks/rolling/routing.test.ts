import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { trialHost } from '../../../tasks/edge/caddy-route.ts'
import { shareFiles } from '../../../tasks/edge/shares.ts'
import type { TaskFailure } from '../../../tasks/kind.ts'
import type { Container } from '../../../tasks/ports.ts'
import type { Rolling } from '../../../tasks/rolling/params.ts'
import { carryOut } from '../../../tasks/rolling/replace.ts'
import { type Routing, routingOf } from '../../../tasks/rolling/routing.ts'
import { rejects } from '../../support/assertions.ts'
import { EdgeHost } from '../../support/fake-host-edge.ts'
import { RolloutRig } from '../../support/rollout-rig.ts'
import { taskContext } from '../rendering/task-context.ts'

const test = suite('tasks/rolling/routing')

function rollingOn(host: EdgeHost): Rolling {
  const context = { ...taskContext({ host }), log: (line: string) => void host.lines.push(line) }
  const params = { ...new RolloutRig().params, route: host.route }
  const wanted = { service: 'web', hash: 'new', replicas: 1 }
  return { host, params, context, wanted, image: 'image', bundle: 'b' }
}

function routed(host: EdgeHost): Routing {
  const routing = routingOf(rollingOn(host))
  if (!routing) throw new Error('no routing for a service with a route')
  return routing
}
const container = (host: EdgeHost, name: string): Container => host.engine.add({ name, routePort: 8080 })
const served = (name: string) => shareFiles([{ name, port: 8080 }])

test('a service without a route has none', () => {
  const { params, host } = new RolloutRig()
  const rolling = { host, params, wanted: { service: 'web', hash: 'new', replicas: 1 }, image: 'image', bundle: 'b' }
  assert.is(routingOf({ ...rolling, context: taskContext({ host }) }), undefined)
})

test('the first time the proxy is configured; a fresh container is tried before users meet it', async () => {
  const host = new EdgeHost()
  const one = container(host, 'web-1')
  await routed(host).serve([one], [one])
  assert.equal(host.asked.slice(0, 3), Array(3).fill(trialHost(host.route.key)))
  const tried = host.calls.indexOf(`edge remove live/${host.route.key}.trial`)
  const turned = host.calls.findIndex((call) => call.startsWith(`edge point live/${host.route.key} `))
  assert.ok(tried >= 0 && tried < turned)
  assert.equal(host.liveFiles(), served('web-1'))
  assert.is(host.lines.at(-1), 'requests go to web-1')
  const two = container(host, 'web-2')
  await routed(host).serve([two])
  assert.equal(host.liveFiles(), served('web-2'))
  assert.is(host.calls.filter((call) => call.includes('caddy reload')).length, 1)
})

test('no request goes to a container from the moment it is to be drained', async () => {
  const host = new EdgeHost({ drainSeconds: 0 })
  const old = container(host, 'web-1')
  const fresh = host.engine.add({ name: 'web-2', hash: 'new', routePort: 8080, state: 'created' })
  await routed(host).serve([old], [old])
  const whenStopped: (readonly string[])[] = []
  const { stop } = host.engine
  host.engine.stop = (...given) => {
    whenStopped.push(host.liveFiles())
    return stop.apply(host.engine, given)
  }
  await carryOut(rollingOn(host), { remove: [], adopt: [fresh], create: 0, surplus: [], replace: [old] }, [])
  assert.equal(whenStopped, [served('web-2')])
})

test('requests go back to the old container before anybody looks into why the new one fell', async () => {
  const host = new EdgeHost({ drainSeconds: 20 })
  const { engine } = host
  const old = container(host, 'web-1')
  const fresh = engine.add({ name: 'web-2', hash: 'new', routePort: 8080, state: 'created' })
  await routed(host).serve([old], [old])
  const { exec, logs } = engine
  engine.exec = (id, argv) => {
    if (argv.includes('/proc/net/tcp')) engine.become('web-2', 'dead')
    return exec.call(engine, id, argv)
  }
  const whenLookedInto: (readonly string[])[] = []
  engine.logs = (id, count) => {
    whenLookedInto.push(host.liveFiles())
    return logs.call(engine, id, count)
  }
  const plan = { remove: [], adopt: [fresh], create: 0, surplus: [], replace: [old] }
  await rejects(carryOut(rollingOn(host), plan, []), /was ready, then exited with code 1/)
  assert.ok(whenLookedInto.length > 0)
  for (const files of whenLookedInto) assert.equal(files, served('web-1'))
})

test('a fresh container that fails its trial gets no user, and what served stays', async () => {
  const host = new EdgeHost()
  await routed(host).serve([container(host, 'web-1')])
  const before = host.edge.files.tree()
  host.status = 502
  const two = container(host, 'web-2')
  host.engine.print('web-2', 'listening on 9090')
  const failure = (await rejects(routed(host).serve([two], [two]), /answered 502/)) as TaskFailure
  assert.match(failure.message, /^the new container of web on node-1 does not answer: through the proxy/)
  assert.equal(failure.failure.output, ['listening on 9090'])
  assert.equal(host.liveFiles(), served('web-1'))
  assert.equal(host.edge.files.tree(), before)
})

test('what served before is put back without asking it; without a route there is nothing to put back', async () => {
  const host = new EdgeHost()
  const one = container(host, 'web-1')
  await routed(host).restore([one])
  assert.equal(host.edge.files.tree(), [])
  await routed(host).serve([container(host, 'web-2')])
  host.status = 502
  await routed(host).restore([one])
  assert.equal(host.liveFiles(), served('web-1'))
})

test('Traefik cannot try out: the service is asked under its own name once it serves', async () => {
  const host = new EdgeHost({ provider: 'traefik' })
  host.engine.onExec = () => ({ stdout: '{"status":"enabled","loadBalancer":{"servers":[{"url":"http://web-1:8080"}]}}' })
  const one = container(host, 'web-1')
  await routed(host).serve([one], [one])
  assert.equal(host.asked, Array(3).fill('shop.example.com'))
  host.status = 502
  await rejects(routed(host).serve([one]), /answered 502/)
})

test('files of an outgoing container are kept where the route says so', async () => {
  const host = new EdgeHost({ assets: { path: '/assets', directory: '/app/assets', keepMinutes: 60 } })
  host.answer(/^docker cp /)
  await routed(host).prepare([container(host, 'web-1')])
  const [copy = ''] = host.calls.filter((call) => call.startsWith('run docker cp'))
  assert.match(copy, /docker cp id-web-1:\/app\/assets\/\. \/opt\/stagecraft\/edge\/assets\/shop\.prod\.web\/\d+-[0-9a-f]{16}\/assets$/)
})

for (const [title, tables, expected] of [
  ['ends when its last connection does', ['01', '06'], []],
  ['is given up on after the route’s time', ['01', '01'], ['web-1 still has 1 open connections after 0.1 s']],
  ['is waited for without a word by a proxy that cannot tell', [undefined, undefined], []],
] as const) {
  test(`a container without requests ${title}`, async () => {
    const host = new EdgeHost({ drainSeconds: 0.1 })
    const one = container(host, 'web-1')
    const { engine } = host
    const inspect = engine.inspect.bind(engine)
    engine.inspect = async (id) => ({ ...(await inspect(id)), addresses: ['172.18.0.2'] })
    let looks = 0
    engine.onExec = () => {
      const state = tables[looks++]
      return { stdout: state ? `  sl  local_address rem_address   st\n   0: 030012AC:A1B2 020012AC:1F90 ${state} 00000000\n` : '' }
    }
    await routed(host).retire(one, new AbortController().signal)
    assert.is(looks, 2)
    assert.equal(host.lines, expected)
  })
}

test.run()
