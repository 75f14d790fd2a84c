import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { liveHost } from '../../../tasks/edge/caddy-route.ts'
import { endTrial, publish, publishTrial } from '../../../tasks/edge/publish.ts'
import { shareFiles, shareFolder } from '../../../tasks/edge/shares.ts'
import { traefikText } from '../../../tasks/edge/traefik-route.ts'
import { TaskFailure } from '../../../tasks/kind.ts'
import { rejects } from '../../support/assertions.ts'
import { EdgeHost, hurried } from '../../support/fake-host-edge.ts'

const test = suite('tasks/edge/publish')
const blue = [{ name: 'shop-prod-web-1', port: 8080 }]
const green = [
  { name: 'shop-prod-web-2', port: 8080 },
  { name: 'shop-prod-web-3', port: 8080 },
]
const servers = (...urls: readonly string[]) => ({
  stdout: JSON.stringify({ status: 'enabled', loadBalancer: { servers: urls.map((url) => ({ url })) } }),
})

test('the link is turned to the new containers, Caddy confirms, and the old folder goes', async () => {
  const host = new EdgeHost()
  const { key } = host.route
  await publish(host.site(), blue)
  assert.equal(host.liveFiles(), shareFiles(blue))
  await publish(host.site(), green)
  assert.equal(host.liveFiles(), shareFiles(green))
  assert.is(host.edge.files.target(`live/${key}`), shareFolder(key, green))
  assert.not.ok(host.edge.files.has(`live/${shareFolder(key, blue)}`))
  assert.equal(host.asked, [liveHost(key), liveHost(key)])
  const turned = host.calls.indexOf(`edge point live/${key} ${shareFolder(key, green)}`)
  const lastShare = host.calls.findLastIndex((call) => call.startsWith('edge write live/'))
  const gone = host.calls.indexOf(`edge remove live/${shareFolder(key, blue)}`)
  assert.ok(lastShare < turned && turned < gone, 'shares are written, then the link is turned, then the old ones go')
})

test('what is served already is confirmed, not written again', async () => {
  const host = new EdgeHost()
  await publish(host.site(), blue)
  const before = host.edgeCalls().filter((call) => call.startsWith('edge')).length
  await publish(host.site(), blue)
  assert.is(host.edgeCalls().filter((call) => call.startsWith('edge')).length, before)
  assert.is(host.asked.length, 2)
})

test('a proxy outside the network joins it first', async () => {
  const host = new EdgeHost()
  if (host.proxy) host.proxy = { ...host.proxy, networks: [] }
  await publish(host.site(), blue)
  assert.is(host.edgeCalls()[0], `joinNetwork ${host.route.network} proxy`)
})

test('Caddy is asked until it sees them', async () => {
  const host = new EdgeHost()
  const answers = [undefined, '-@shop-prod-web-9:1']
  host.sees = () => (answers.length > 0 ? answers.shift() : host.liveFiles()[0])
  await publish(host.site(), blue)
  assert.is(host.asked.length, 3)
})

test('an unconfirmed swap is a failure that says what the proxy has', async () => {
  const host = new EdgeHost()
  host.sees = () => '-@shop-prod-web-9:1'
  const error = await rejects(
    hurried(4000, () => publish(host.site(), blue)),
    /did not take over the containers of shop\.prod\.web within 10 s \(it has -@shop-prod-web-9:1\)/,
  )
  assert.is((error as TaskFailure).failure.reason, 'timeout')
})

test('a proxy without an address, or out of reach, is said to be so', async () => {
  const host = new EdgeHost()
  host.failOn(/^connect /, { error: new Error('connection refused') })
  await rejects(
    hurried(6000, () => publish(host.site(), blue)),
    /it has connection refused/,
  )
  if (host.proxy) {
    const { address: _, ...rest } = host.proxy
    host.proxy = rest
  }
  host.changed()
  await rejects(
    hurried(6000, () => publish(host.site(), blue)),
    /it has the proxy has no address/,
  )
})

test('an interrupted swap says so', async () => {
  const host = new EdgeHost()
  host.controller.abort()
  const error = await rejects(publish(host.site(), blue), /was interrupted/)
  assert.instance(error, TaskFailure)
  assert.is((error as TaskFailure).failure.reason, 'interrupted')
})

test('without the lock what served stays', async () => {
  const host = new EdgeHost()
  await publish(host.site(), blue)
  const guard = async () => {
    throw new Error('lost the lock')
  }
  await rejects(publish(host.site({ guard }), green), /lost the lock/)
  assert.equal(host.liveFiles(), shareFiles(blue))
})

test('a share that cannot be written leaves what served', async () => {
  const host = new EdgeHost()
  await publish(host.site(), blue)
  host.edge.files.deny(`live/${shareFolder(host.route.key, green)}`)
  await rejects(publish(host.site(), green), /Permission denied/)
  assert.equal(host.liveFiles(), shareFiles(blue))
})

test('a trial has a live folder of its own, and leaves nothing', async () => {
  const host = new EdgeHost()
  const { key } = host.route
  await publish(host.site(), blue)
  const before = host.edge.files.tree()
  await publishTrial(host.site(), green)
  assert.equal(host.liveFiles(), shareFiles(blue))
  assert.equal(host.liveFiles(`${key}.trial`), shareFiles(green))
  await endTrial(host.site(), green)
  assert.equal(host.edge.files.tree(), before)
})

test('Traefik gets the service’s file, and says which servers it has loaded', async () => {
  const host = new EdgeHost({ provider: 'traefik' })
  const answers = [{ code: 1 }, servers('http://old:1'), servers('http://shop-prod-web-3:8080', 'http://shop-prod-web-2:8080')]
  host.engine.onExec = () => answers.shift() ?? {}
  await publish(host.site(), green)
  assert.is(host.edge.files.text('services/shop.prod.web.yml'), traefikText(host.site(), green))
  assert.is(answers.length, 0)
})

test('Traefik that does not load them is a failure', async () => {
  const host = new EdgeHost({ provider: 'traefik' })
  host.engine.onExec = () => servers('http://old:1')
  await rejects(
    hurried(6000, () => publish(host.site(), green)),
    /it has http:\/\/old:1/,
  )
})

test.run()
