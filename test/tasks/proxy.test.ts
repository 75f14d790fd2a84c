import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { parse } from 'yaml'
import { partsOf } from '../../tasks/edge/caddy-config.ts'
import { resolverName } from '../../tasks/edge/traefik-route.ts'
import { type TaskContext, TaskFailure } from '../../tasks/kind.ts'
import { type ProxyParams, proxy } from '../../tasks/proxy.ts'
import { rejects } from '../support/assertions.ts'
import { FakeEdge } from '../support/fake-edge.ts'
import { sampleRoute } from '../support/routes.ts'
import { taskContext } from './rendering/task-context.ts'

const test = suite('tasks/proxy')

const caddy: ProxyParams = {
  host: 'node-1',
  owner: 'shop.prod',
  provider: 'caddy',
  image: 'caddy:2.10',
  directory: '/opt/stagecraft/edge',
  innerPort: 8079,
  innerAddress: null,
  gateways: [],
  emailSecret: null,
  acmeServer: null,
  routes: [],
}
const traefik: ProxyParams = { ...caddy, provider: 'traefik', image: 'traefik:3.5', gateways: ['10.0.0.9'], emailSecret: 'ACME_EMAIL' }
const email = 'ops@shop.example'
const login = { username: 'robot', password: 'registry-password', serveraddress: 'docker.io' }
const composeLine = (words: string) =>
  `run env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/snap/bin docker compose --project-name stagecraft-edge --file /opt/stagecraft/edge/docker-compose.yml ${words}`

interface More {
  readonly guard?: () => Promise<void>
  readonly email?: string
  readonly logged?: string[]
}

function contextOf({ host }: FakeEdge, more: More = {}): TaskContext {
  const secrets = { ACME_EMAIL: more.email ?? ` ${email}\n` }
  const base = taskContext({ host, secrets, ...(more.guard && { guard: more.guard }) })
  const ports = Object.create(base.ports, { registry: { value: { credentials: async () => login } } }) as TaskContext['ports']
  return { ...base, ports, log: (line) => more.logged?.push(line) }
}
const run = (edge: FakeEdge, params: ProxyParams, more?: More) => Promise.resolve(proxy.run(params, contextOf(edge, more)))
function look(edge: FakeEdge, params: ProxyParams, more?: More) {
  edge.host.changed()
  return Promise.resolve(proxy.observe?.(params, contextOf(edge, more), undefined))
}
/** A machine on which the proxy runs already, and nothing is recorded yet. */
async function machineWith(params: ProxyParams): Promise<FakeEdge> {
  const edge = new FakeEdge()
  await run(edge, params)
  edge.host.calls.length = 0
  return edge
}
async function failure(promise: Promise<unknown>): Promise<TaskFailure['failure']> {
  const error = await rejects(promise)
  assert.instance(error, TaskFailure)
  return (error as TaskFailure).failure
}
const drift = (detail: string) => ({ fresh: false, because: { reason: 'drift', detail } })
const untold = drift('the proxy of node-1 was not told all that shop.prod needs')
const file = (edge: FakeEdge, path: string) => edge.host.edge.files.text(path)
const service = (edge: FakeEdge) => parse(file(edge, 'docker-compose.yml')).services.proxy

test('settings are whole, and nothing else is taken', () => {
  assert.equal(proxy.params.parse(traefik), traefik)
  const { gateways: _, ...without } = traefik
  for (const wrong of [without, { ...traefik, email }, { ...traefik, provider: 'nginx' }, { ...traefik, innerPort: 80.5 }])
    assert.not.ok(proxy.params.safeParse(wrong).success, JSON.stringify(wrong))
})

test('no proxy on the machine: absent, and looking writes nothing', async () => {
  const edge = new FakeEdge()
  assert.equal(await look(edge, caddy), { fresh: false, because: { reason: 'absent', detail: 'no proxy on node-1' } })
  edge.host.edgeState = undefined
  assert.equal(await look(edge, caddy), { fresh: false, because: { reason: 'absent', detail: 'no proxy on node-1' } })
  assert.equal(edge.host.writes(), [])
})

for (const params of [caddy, traefik]) {
  const { provider, image } = params
  test(`${provider}: what a run leaves is fresh to the next look`, async () => {
    const edge = await machineWith(params)
    assert.equal(await look(edge, params), {
      fresh: true,
      result: { files: {}, values: { provider, image } },
      detail: `${image} is running`,
    })
    assert.equal(edge.host.writes(), [])
  })
}

test('drift: another provider, stopped, another image, other settings', async () => {
  const edge = await machineWith(caddy)
  const made = edge.proxy
  if (!made) throw new Error('no proxy was made')
  assert.equal(await look(edge, traefik), drift('the proxy of node-1 is caddy, not traefik'))
  const other = drift('the proxy of node-1 was made from other settings')
  assert.equal(await look(edge, { ...caddy, image: 'caddy:2.11' }), other)
  assert.equal(await look(edge, { ...caddy, directory: '/srv/edge' }), other)
  assert.equal(await look(edge, { ...caddy, innerAddress: '10.0.0.1' }), untold)
  assert.equal(await look(edge, { ...caddy, innerPort: 9000 }), untold)
  edge.proxy = { ...made, isRunning: false }
  assert.equal(await look(edge, caddy), drift('the proxy of node-1 is stopped'))
  edge.proxy = { ...made, image: 'caddy:1', labels: { provider: 'caddy' } }
  assert.equal(await look(edge, caddy), drift('the proxy of node-1 is caddy:1, not caddy:2.10'))
})

test('drift of what Traefik reads when it starts: gateways, port, address for certificates', async () => {
  const edge = await machineWith(traefik)
  assert.equal(await look(edge, { ...traefik, gateways: ['10.0.0.8'] }), untold)
  assert.equal(await look(edge, { ...traefik, innerPort: 9000 }), untold)
  assert.equal(await look(edge, traefik, { email: 'new@shop.example' }), untold)
  assert.is((await look(edge, traefik, { email }))?.fresh, true)
})

test('caddy: files, image, container, networks, start, in this order and under the lock', async () => {
  const edge = new FakeEdge()
  const { host } = edge
  host.answer(/^docker network ls /, { stdout: 'shop-prod_edge\nblog-prod_edge\n' })
  const result = await run(edge, caddy)
  assert.equal(result, { files: {}, values: { provider: 'caddy', image: 'caddy:2.10' } })
  const recorded = host.edge.files.target('caddy.json.recorded')
  assert.match(recorded ?? '', /^[0-9a-f]{64}$/)
  assert.equal(
    host.writes().filter((call) => !/^edge point/.test(call)),
    [
      'lock',
      'run id',
      'run docker network ls --filter label=stagecraft.edge.network --format {{.Name}}',
      'edge write proxy.json 600',
      'edge makeDirectory services 750',
      'edge makeDirectory live 750',
      'edge makeDirectory maintenance 750',
      'edge makeDirectory data 750',
      'edge write caddy.json 600',
      'edge write docker-compose.yml 600',
      'pull caddy:2.10',
      composeLine('up --no-start proxy'),
      'joinNetwork shop-prod_edge id-stagecraft-edge-proxy-1',
      'joinNetwork blog-prod_edge id-stagecraft-edge-proxy-1',
      composeLine('start proxy'),
      'unlock',
      'connect 172.18.0.2:8079',
    ],
  )
  assert.equal(JSON.parse(file(edge, 'caddy.json')).apps.http.servers.inner.listen, [':8079'])
  const { image, user, command, ports, volumes } = service(edge)
  assert.equal(
    { image, user, command, ports, volumes },
    {
      image: 'caddy:2.10',
      user: '1001:1002',
      command: ['caddy', 'run', '--config', '/edge/caddy.json'],
      ports: ['80:80', '443:443'],
      volumes: ['/opt/stagecraft/edge:/edge:ro', '/opt/stagecraft/edge/data:/data'],
    },
  )
})

test('traefik: its own files, and the secret address only in the one that only its owner reads', async () => {
  const edge = new FakeEdge()
  const logged: string[] = []
  const result = await run(edge, traefik, { logged })
  const { files } = edge.host.edge
  assert.equal(
    files.tree().filter((path) => !path.endsWith('/')),
    ['docker-compose.yml', 'proxy.json', 'services/stagecraft-api.yml', 'traefik.yml'],
  )
  assert.equal(
    ['docker-compose.yml', 'services/stagecraft-api.yml', 'traefik.yml', 'services', 'data'].map((path) => files.mode(path)),
    ['600', '600', '600', '750', '750'],
  )
  const started = parse(file(edge, 'traefik.yml'))
  assert.is(started.certificatesResolvers[resolverName(email)].acme.email, email)
  assert.match(file(edge, 'traefik.yml'), '10.0.0.9')
  assert.equal(service(edge).command, ['traefik', '--configFile=/edge/traefik.yml'])
  assert.equal(result, { files: {}, values: { provider: 'traefik', image: 'traefik:3.5' } })
  assert.equal(edge.host.engine.credentials, [login])
  const seen = JSON.stringify([result, logged, edge.host.calls, edge.host.commands, edge.proxy, file(edge, 'docker-compose.yml')])
  assert.not.match(seen, email)
  assert.not.match(seen, login.password)
})

test('only Traefik is started with the address, so only its secret enters', () => {
  const users = { ...caddy, routes: [sampleRoute({ basicAuth: 'USERS' })] }
  assert.equal(proxy.inputs?.(users)?.secrets, ['USERS'])
  const secretsOf = (params: ProxyParams) => proxy.inputs?.(params)?.secrets
  assert.equal(secretsOf(traefik), ['ACME_EMAIL'])
  assert.equal(secretsOf({ ...traefik, emailSecret: null }), [])
  assert.equal(secretsOf({ ...caddy, emailSecret: 'ACME_EMAIL' }), [])
  assert.is(proxy.title(traefik), 'run traefik on node-1')
})

test('an image that is there is not pulled', async () => {
  const edge = new FakeEdge()
  edge.host.engine.images.add(caddy.image)
  await run(edge, caddy)
  assert.not.match(edge.host.calls.join('\n'), /^pull/m)
})

for (const [program, answer, what] of [
  ['id', { code: 127, stderr: 'id: not found\n' }, 'which user it is'],
  ['id', { stdout: 'nonsense\n' }, 'which user it is'],
  ['docker network ls', { code: 1, stderr: 'permission denied\n' }, 'which networks its proxy belongs in'],
] as const) {
  test(`a machine whose \`${program}\` does not answer well (${JSON.stringify(answer)}) fails, and nothing is replaced`, async () => {
    const edge = new FakeEdge()
    edge.host.answer(new RegExp(`^${program}`), answer)
    const { reason, message, output, remedy } = await failure(run(edge, caddy))
    const code = 'code' in answer ? answer.code : 0
    assert.equal([reason, message], ['exit', `node-1 cannot tell ${what}: \`${program}\` ended with code ${code}`])
    assert.equal(output, [('stderr' in answer ? answer.stderr : answer.stdout).trim()])
    assert.is(remedy, `run it by hand on node-1: ${program}`)
    assert.not.match(edge.host.calls.join('\n'), 'compose')
  })
}

test('two environments with other inner ports and addresses share the proxy: both are kept, and neither finds a difference', async () => {
  const shop = { ...caddy, innerAddress: '10.0.0.1' }
  const blog = { ...caddy, owner: 'blog.prod', innerPort: 9000, innerAddress: 'fd00::1' }
  const edge = await machineWith(shop)
  assert.equal(service(edge).ports, ['80:80', '443:443', '10.0.0.1:8079:8079'])
  assert.is((await look(edge, { ...caddy, owner: 'wiki.prod' }))?.fresh, true, 'an environment that needs nothing more')
  await run(edge, blog)
  assert.equal(service(edge).ports, ['80:80', '443:443', '10.0.0.1:8079:8079', '[fd00::1]:9000:9000'])
  assert.equal(JSON.parse(file(edge, 'caddy.json')).apps.http.servers.inner.listen, [':8079', ':9000'])
  assert.is((await look(edge, shop))?.fresh, true)
  assert.is((await look(edge, blog))?.fresh, true)
  await run(edge, { ...shop, image: 'caddy:2.11' })
  assert.equal(service(edge).ports, ['80:80', '443:443', '10.0.0.1:8079:8079', '[fd00::1]:9000:9000'])
})

test('places of new services: in the file a new proxy starts with; later all in one load, and the plan says what that costs', async () => {
  const routes = (...keys: string[]) => keys.map((key) => sampleRoute({ key, domains: [`${key}.example.com`] }))
  const two = { ...caddy, routes: routes('shop.prod.web', 'shop.prod.api') }
  const five = { ...caddy, routes: [...two.routes, ...routes('shop.prod.a', 'shop.prod.b', 'shop.prod.c')] }
  const edge = await machineWith(two)
  const reloads = () => edge.host.calls.filter((call) => call.includes('caddy reload')).length
  assert.is(reloads(), 0)
  assert.equal([...(partsOf(file(edge, 'caddy.json'))?.keys() ?? [])].sort(), ['shop.prod.api', 'shop.prod.web'])
  edge.routes = { 'shop.prod.web': { config: 'a', isPaused: false }, 'shop.prod.api': { config: 'b', isPaused: false } }
  assert.is((await look(edge, two))?.fresh, true)
  assert.equal(await look(edge, five), {
    fresh: false,
    because: {
      reason: 'absent',
      detail: 'node-1 has no route for shop.prod.a, shop.prod.b, shop.prod.c yet: WebSockets through its proxy will be cut, and open again',
    },
  })
  await run(edge, five)
  assert.is(reloads(), 1)
  assert.is(partsOf(file(edge, 'caddy.json'))?.size, 5)
  assert.not.match(edge.host.calls.join('\n'), 'compose')
})

test('an environment that changes its inner port leaves none behind', async () => {
  const edge = await machineWith(caddy)
  await run(edge, { ...caddy, innerPort: 9000 })
  assert.equal(JSON.parse(file(edge, 'caddy.json')).apps.http.servers.inner.listen, [':9000'])
})

test('when nobody wrote down who needs what, what the running proxy has stays', async () => {
  const edge = await machineWith({ ...caddy, innerAddress: '10.0.0.1' })
  edge.host.edge.files.put('proxy.json', '{ broken')
  await run(edge, { ...caddy, owner: 'blog.prod', innerPort: 9000 })
  assert.equal(service(edge).ports, ['80:80', '443:443', '10.0.0.1:8079:8079'])
  assert.equal(JSON.parse(file(edge, 'caddy.json')).apps.http.servers.inner.listen, [':8079', ':9000'])
})

test('Traefik asks for certificates under the address of each environment, and believes the gateways of all', async () => {
  const edge = await machineWith(traefik)
  const blog = { ...traefik, owner: 'blog.prod', gateways: ['10.0.0.8'] }
  await run(edge, blog, { email: 'blog@example.com' })
  const started = parse(file(edge, 'traefik.yml'))
  const emails = Object.values(started.certificatesResolvers as Record<string, { acme: { email?: string } }>).map(({ acme }) => acme.email)
  assert.equal(emails.sort(), ['blog@example.com', email, undefined])
  assert.equal(started.entryPoints['inner-8079'].forwardedHeaders.trustedIPs, ['10.0.0.8', '10.0.0.9'])
  assert.is((await look(edge, traefik))?.fresh, true)
  assert.is((await look(edge, blog, { email: 'blog@example.com' }))?.fresh, true)
})

for (const [from, to, ending] of [
  [traefik, caddy, 'yml'],
  [caddy, traefik, 'json'],
] as const) {
  test(`${to.provider} does not take over from ${from.provider} while that serves somebody`, async () => {
    const edge = await machineWith(from)
    edge.host.edge.files.put(`services/blog.prod.web.${ending}`, '{}')
    const { reason, message, remedy } = await failure(run(edge, to))
    assert.is(reason, 'refused')
    assert.is(message, `the proxy of node-1 is ${from.provider}, and still serves blog.prod.web`)
    assert.match(remedy ?? '', `edge: {provider: ${from.provider}}`)
    assert.equal(edge.host.writes(), ['lock', 'unlock'])
    await edge.host.edge.files.remove(`services/blog.prod.web.${ending}`)
    await run(edge, to)
    assert.is(edge.proxy?.labels['provider'], to.provider)
  })
}

test('without the environment’s lock nothing is written, and the edge’s is given back', async () => {
  const edge = new FakeEdge()
  await rejects(run(edge, caddy, { guard: () => Promise.reject(new Error('lost')) }), /lost/)
  assert.equal(edge.host.writes(), ['lock', 'unlock'])
})

test('a lock lost while the image was pulled: the proxy is not replaced', async () => {
  const edge = await machineWith(caddy)
  let asked = 0
  const guard = async () => {
    asked++
    if (asked === 2) throw new Error('lost')
  }
  await rejects(run(edge, { ...caddy, image: 'caddy:2.11' }, { guard }), /lost/)
  assert.ok(edge.host.calls.includes('pull caddy:2.11'))
  assert.not.match(edge.host.calls.join('\n'), 'docker compose')
  assert.is(edge.isLocked, false)
})

for (const stderr of ['Bind for 0.0.0.0:80 failed: port is already allocated', 'listen tcp4 0.0.0.0:443: bind: address already in use']) {
  test(`a taken port is told as that: ${stderr}`, async () => {
    const edge = new FakeEdge()
    edge.exits.start = { code: 1, stderr }
    const { reason, subject, message, output, remedy } = await failure(run(edge, caddy))
    assert.equal([reason, subject, message, output], ['exit', 'node-1', 'port 80 or 443 of node-1 is taken', [stderr]])
    assert.match(remedy ?? '', 'ss -ltnp')
  })
}

test('Compose failed: its code, its last lines, how to go on; nothing is started, the lock is given back, the next look is new', async () => {
  const edge = new FakeEdge()
  const lines = Array.from({ length: 12 }, (_, index) => `line ${index}`)
  edge.exits.up = { code: 17, stderr: `${lines.join('\n\n')}\n` }
  const { message, output, remedy } = await failure(run(edge, caddy))
  assert.is(message, 'docker compose up of the proxy on node-1 ended with code 17')
  assert.equal(output, lines.slice(2))
  assert.is(remedy, 'run it by hand on node-1: docker compose -f /opt/stagecraft/edge/docker-compose.yml up')
  assert.equal(edge.host.calls.slice(-3), [composeLine('up --no-start proxy'), 'unlock', 'changed'])
  assert.is(edge.isLocked, false)
  assert.equal(await look(edge, caddy), { fresh: false, because: { reason: 'absent', detail: 'no proxy on node-1' } })
})

test('a proxy that does not listen yet is asked again', async () => {
  const edge = new FakeEdge()
  edge.host.failOn(/^connect/)
  await run(edge, caddy)
  assert.is(edge.host.calls.filter((call) => call === 'connect 172.18.0.2:8079').length, 2)
})

for (const { name, prepare, output } of [
  { name: 'with what it printed', prepare: () => {}, output: ['bad configuration'] },
  { name: 'also when its output cannot be read', prepare: (edge: FakeEdge) => edge.host.failOn(/^logs/), output: [] },
]) {
  test(`a proxy that does not stay up is told, ${name}`, async () => {
    const edge = new FakeEdge()
    edge.staysUp = false
    prepare(edge)
    const { now } = Date
    edge.onLook = () => {
      if (!edge.host.calls.includes(composeLine('start proxy'))) return
      edge.host.engine.print('stagecraft-edge-proxy-1', 'bad configuration')
      Date.now = () => now() + 30_000
    }
    try {
      const told = await failure(run(edge, caddy))
      assert.equal(
        [told.reason, told.message, told.output, told.remedy],
        [
          'unhealthy',
          'the proxy on node-1 did not listen within 20 s',
          output,
          'look at it on node-1: docker logs stagecraft-edge-proxy-1',
        ],
      )
    } finally {
      Date.now = now
    }
    assert.not.match(edge.host.calls.join('\n'), /^connect/m)
  })
}

test.run()
