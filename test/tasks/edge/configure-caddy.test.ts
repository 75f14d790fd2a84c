import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { caddyConfig, fragmentText, innerPortsOf, partsOf } from '../../../tasks/edge/caddy-config.ts'
import { type CaddyFragment, caddyRoute } from '../../../tasks/edge/caddy-route.ts'
import { caddyText, configureCaddy, forgetInCaddy, prepareCaddy } from '../../../tasks/edge/configure-caddy.ts'
import { forgetRoutes } from '../../../tasks/edge/forget.ts'
import { TaskFailure } from '../../../tasks/kind.ts'
import { rejects } from '../../support/assertions.ts'
import { EdgeHost } from '../../support/fake-host-edge.ts'
import { sampleRoute } from '../../support/routes.ts'

const test = suite('tasks/edge/configure-caddy')
const otherKey = 'blog.prod.web'
const other = caddyRoute(sampleRoute({ key: otherKey, domains: ['blog.example.com'] }), { accounts: [] })
const reload = 'exec proxy caddy reload --config /edge/caddy.next.json'

/** A machine on which another project has its part already. */
function shared(more: ConstructorParameters<typeof EdgeHost>[0] = {}): EdgeHost {
  const host = new EdgeHost(more)
  host.edge.files.put('caddy.json', caddyConfig(new Map([[otherKey, other]]), [8079]))
  host.edge.files.put(`services/${otherKey}.json`, fragmentText(other))
  return host
}
function parts(host: EdgeHost): ReadonlyMap<string, CaddyFragment> {
  const found = partsOf(host.edge.files.text('caddy.json'))
  if (!found) throw new Error('caddy.json cannot be read back')
  return found
}

test('a part is loaded before it is kept, and those of other projects stay', async () => {
  const host = shared()
  let loaded = ''
  host.engine.onExec = () => {
    loaded = host.edge.files.text('caddy.next.json')
    assert.not.ok(parts(host).has(host.route.key), 'kept before Caddy had accepted it')
    return {}
  }
  await configureCaddy(host.site())
  assert.is(host.edge.files.text('caddy.json'), loaded)
  assert.equal([...parts(host).keys()].sort(), [otherKey, host.route.key])
  assert.equal(parts(host).get(otherKey), other)
  assert.is(host.edge.files.text(`services/${host.route.key}.json`), caddyText(host.site()))
  assert.is(host.edge.files.mode('caddy.json'), '600')
  assert.not.ok(host.edge.files.has('caddy.next.json'))
  const { edge } = await host.observe()
  assert.is(edge?.assembled, edge?.recorded)
  assert.equal(host.lines, ['loading the configuration of the proxy on node-1: WebSockets through it are cut, and open again'])
})

test('a refused configuration is a failure that shows the end of the output, and leaves all as it was', async () => {
  const host = shared()
  const before = host.edge.files.text('caddy.json')
  host.engine.onExec = () => ({ code: 1, stdout: 'a\nb\n', stderr: 'c\n\nd\ne\nf\n' })
  const error = await rejects(configureCaddy(host.site()), /refused its configuration, and goes on with what it had/)
  assert.instance(error, TaskFailure)
  const { failure } = error as TaskFailure
  assert.is(failure.reason, 'refused')
  assert.equal(failure.output, ['b', 'c', 'd', 'e', 'f'])
  assert.is(host.edge.files.text('caddy.json'), before)
  assert.equal(host.edge.files.tree(), ['caddy.json', 'services/', `services/${otherKey}.json`])
})

test('nothing is written once the lock is lost, or without a proxy that runs', async () => {
  const host = shared()
  const guard = async () => {
    throw new Error('lost the lock')
  }
  await rejects(configureCaddy(host.site({ guard })), /lost the lock/)
  host.proxy = undefined
  host.changed()
  await rejects(configureCaddy(host.site()), /the proxy of node-1 is not there/)
  assert.equal(
    host.edgeCalls().filter((call) => call !== 'changed'),
    [],
  )
})

test('an assembled file somebody broke is made anew from the services’ own files', async () => {
  const host = shared()
  host.edge.files.put('caddy.json', '{ broken')
  host.edge.files.put('services/notes.txt', 'not a part')
  host.edge.files.put('services/bad.prod.web.json', '{')
  await configureCaddy(host.site())
  assert.equal([...parts(host).keys()].sort(), [otherKey, host.route.key])
})

test('certificates are there, for the owner alone, before the configuration that names them is loaded', async () => {
  const host = shared({ tls: { mode: 'files', certificateSecret: 'CERT', keySecret: 'KEY' } })
  await configureCaddy(host.site({ secrets: { CERT: 'a chain', KEY: 'a key' } }))
  const [folder = ''] = host.edge.files.tree().filter((path) => /^certificates\/.+\/$/.test(path))
  assert.is(host.edge.files.text(`${folder}certificate.pem`), 'a chain')
  assert.is(host.edge.files.text(`${folder}key.pem`), 'a key')
  assert.is(host.edge.files.mode(folder), '700')
  assert.is(host.edge.files.mode(`${folder}key.pem`), '600')
  assert.ok(host.calls.indexOf(`edge write ${folder}key.pem 600`) < host.calls.indexOf(reload))
  assert.match(host.edge.files.text('caddy.json'), `/edge/${folder}key.pem`)
})

test('a machine whose users do not come here gets no certificates', async () => {
  const host = shared({ tls: { mode: 'files', certificateSecret: 'CERT', keySecret: 'KEY' }, open: null })
  await configureCaddy(host.site({ secrets: { CERT: 'a chain', KEY: 'a key' } }))
  assert.not.ok(host.edge.files.tree().some((path) => path.startsWith('certificates')))
})

test('another certificate is another folder, and the one before it goes once its successor is loaded', async () => {
  const host = shared({ tls: { mode: 'files', certificateSecret: 'CERT', keySecret: 'KEY' } })
  host.edge.files.put('certificates/shop.prod.web-2-0123456789abcdef/key.pem', 'of another service')
  await configureCaddy(host.site({ secrets: { CERT: 'a chain', KEY: 'a key' } }))
  const isServed = (folder: string) => host.edge.files.has(`${folder}key.pem`)
  const folders = () => host.edge.files.tree().filter((path) => /^certificates\/[^/]+\/$/.test(path))
  const [before = ''] = folders()
  host.engine.onExec = () => {
    assert.ok(isServed(before), 'gone before its successor was loaded')
    return {}
  }
  await configureCaddy(host.site({ secrets: { CERT: 'b chain', KEY: 'b key' } }))
  host.engine.onExec = () => ({})
  assert.is(folders().length, 2)
  assert.not.ok(folders().includes(before))
  assert.ok(folders().includes('certificates/shop.prod.web-2-0123456789abcdef/'))
  await forgetRoutes(host, [host.route.key], () => {})
  assert.equal(folders(), ['certificates/shop.prod.web-2-0123456789abcdef/'])
})

test('a route with a port of its own adds it to those the proxy listens on for others', async () => {
  const host = shared({ innerPort: 9000 })
  await configureCaddy(host.site())
  assert.equal(innerPortsOf(host.edge.files.text('caddy.json')), [8079, 9000])
  await forgetInCaddy(host, [host.route.key], () => {})
  assert.equal(innerPortsOf(host.edge.files.text('caddy.json')), [8079, 9000])
})

test('the last route of an environment takes its needs along, and no other environment’s', async () => {
  const host = shared()
  const needs = { ports: [8079], published: [], gateways: [], accounts: [] }
  host.edge.files.put('proxy.json', JSON.stringify({ 'shop.prod': needs, 'blog.prod': needs }))
  host.edge.files.put('services/shop.prod.api.json', fragmentText(other))
  await configureCaddy(host.site())
  await forgetRoutes(host, [host.route.key], () => {})
  assert.equal(Object.keys(JSON.parse(host.edge.files.text('proxy.json'))), ['shop.prod', 'blog.prod'])
  await forgetRoutes(host, ['shop.prod.api'], () => {})
  assert.equal(Object.keys(JSON.parse(host.edge.files.text('proxy.json'))), ['blog.prod'])
})

test('a forgotten part goes from the proxy and from its folder, no other does', async () => {
  const host = shared()
  await configureCaddy(host.site())
  await forgetInCaddy(host, [host.route.key], () => {})
  assert.equal([...parts(host).keys()], [otherKey])
  assert.not.ok(host.edge.files.has(`services/${host.route.key}.json`))
  assert.ok(host.edge.files.has(`services/${otherKey}.json`))
  assert.is(host.calls.filter((call) => call === reload).length, 2)
})

test('several are forgotten in one load', async () => {
  const host = shared()
  await configureCaddy(host.site())
  await forgetRoutes(host, [host.route.key, otherKey, 'shop.prod.never'], () => {})
  assert.is(host.calls.filter((call) => call === reload).length, 2)
  assert.equal([...parts(host).keys()], [])
})

test('what Caddy never had is forgotten without loading anything', async () => {
  const host = shared()
  await forgetInCaddy(host, [host.route.key], () => {})
  assert.not.ok(host.calls.includes(reload))
  assert.equal([...parts(host).keys()], [otherKey])
})

test('a proxy that starts for the first time gets an empty configuration; one that is there stays', async () => {
  const host = new EdgeHost()
  await prepareCaddy(host, [8079])
  assert.is(host.edge.files.text('caddy.json'), caddyConfig(new Map(), [8079]))
  const before = host.writes().length
  await prepareCaddy(host, [8079])
  assert.is(host.writes().length, before)
  const used = shared()
  await prepareCaddy(used, [9000])
  assert.is(used.edge.files.text('caddy.json'), caddyConfig(new Map([[otherKey, other]]), [9000]))
})

test.run()
