import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { TaskFailure } from '../../tasks/kind.ts'
import { upload } from '../../tasks/upload.ts'
import { rejects } from '../support/assertions.ts'
import { FakeHost } from '../support/fake-host.ts'
import { type RenderCase, type RenderedCase, renderCase } from './rendering/render-case.ts'
import { taskContext } from './rendering/task-context.ts'

const test = suite('tasks/upload')
const params = { host: 'node-1', directory: '/opt/stagecraft/shop/prod', render: 'render:node-1' }

const shop: RenderCase = {
  params: { secretNames: ['PASSWORD', 'KEY'] },
  compose: {
    services: {
      web: {
        image: 'busybox',
        command: '$PASSWORD',
        env_file: 'conf/web.env',
        volumes: ['./site:/site'],
        secrets: ['pem', 'key'],
        configs: ['ini'],
      },
    },
    secrets: { pem: { file: 'tls.pem' }, key: { environment: 'KEY' } },
    configs: { ini: { content: 'password = $PASSWORD\nprice = $$5\n' } },
  },
  files: { 'site/index.html': 'hello', 'site/bin/run': '#!' },
  executable: ['site/bin/run'],
  secrets: { PASSWORD: "p$w'd", KEY: 'k', 'file:conf/web.env': 'A=1\n', 'file:tls.pem': '-----BEGIN-----\n' },
}
const version = (number: number): RenderCase => ({ compose: { services: { web: { image: `busybox:${number}` } } } })

function contextOf(host: FakeHost, { content, result }: RenderedCase, given: RenderCase, guard?: () => Promise<void>) {
  return taskContext({ host, content, secrets: given.secrets ?? {}, needs: { 'render:node-1': result }, ...(guard && { guard }) })
}
async function deploy(host: FakeHost, given: RenderCase): Promise<RenderedCase> {
  const rendered = await renderCase(given)
  await upload.run(params, contextOf(host, rendered, given))
  return rendered
}
const bundlesOn = (host: FakeHost) => host.files.tree().filter((path) => /^bundles\/[^/]+\/$/.test(path))

test('a whole bundle arrives, secrets readable by their owner only', async () => {
  const host = new FakeHost()
  const { values, text } = await deploy(host, shop)
  const file = (path: string) => `current/${path}`
  assert.is(host.files.text(file('docker-compose.yml')), text)
  assert.is(host.files.text(file('.env')), 'PASSWORD="p\\$w\'d"\n')
  assert.is(host.files.text(file('env/conf/web.env')), 'A=1\n')
  assert.equal(
    ['docker-compose.yml', '.env', 'env/conf/web.env', '.', 'env/conf'].map((path) => host.files.mode(file(path))),
    ['644', '600', '600', '750', '700'],
  )
  const mounted = (name: string) => text.match(new RegExp(`/opt/stagecraft/shop/prod/(files/[0-9a-f]{16}/${name})`))?.[1] ?? `no ${name}`
  assert.is(host.files.text(mounted('tls.pem')), '-----BEGIN-----\n')
  assert.is(host.files.text(mounted('key')), 'k')
  assert.is(host.files.text(mounted('ini')), "password = p$w'd\nprice = $5\n")
  assert.is(host.files.text(`${mounted('site')}/index.html`), 'hello')
  assert.equal(
    [
      mounted('tls.pem'),
      mounted('key'),
      mounted('ini'),
      `${mounted('site')}/index.html`,
      `${mounted('site')}/bin/run`,
      mounted('site'),
    ].map((path) => host.files.mode(path)),
    ['444', '444', '444', '644', '755', '755'],
  )
  assert.is(host.files.mode(mounted('tls.pem').replace('/tls.pem', '')), '700')
  assert.is(host.files.target('current'), `bundles/${values.bundle}`)
  assert.not.match(host.files.tree().join('\n'), 'incoming')
})
test('there is no .env when no secret is used', async () => {
  const host = new FakeHost()
  await deploy(host, version(1))
  assert.not.match(host.files.tree().join('\n'), '.env')
})
test('the result says where the bundle is', async () => {
  const host = new FakeHost()
  const rendered = await renderCase(version(1))
  const { bundle } = rendered.values
  assert.equal(await upload.run(params, contextOf(host, rendered, version(1))), {
    files: {},
    values: { bundle, directory: `/opt/stagecraft/shop/prod/bundles/${bundle}` },
  })
})

test('it is fresh exactly when the host has the bundle, and looking writes nothing', async () => {
  const host = new FakeHost()
  const [first, second] = [await renderCase(version(1)), await renderCase(version(2))]
  const look = (rendered: RenderedCase) => upload.observe?.(params, contextOf(host, rendered, version(1)), undefined)
  assert.equal(await look(first), { fresh: false, because: { reason: 'absent', detail: 'no bundle on node-1' } })
  assert.equal(host.writes(), [])
  await upload.run(params, contextOf(host, first, version(1)))
  assert.is((await look(first))?.fresh, true)
  const other = await look(second)
  assert.is(other?.fresh === false && other.because.reason, 'drift')
  await host.files.remove(`bundles/${first.values.bundle}`)
  host.changed()
  assert.is((await look(first))?.fresh, false)
})
test('A, B, A again: the third run points back without writing the bundle a second time', async () => {
  const host = new FakeHost()
  const first = await deploy(host, version(1))
  await deploy(host, version(2))
  host.calls.length = 0
  await deploy(host, version(1))
  assert.is(host.files.target('current'), `bundles/${first.values.bundle}`)
  assert.equal(
    host.calls.filter((call) => call.startsWith('write ')),
    ['write bundles/.history 644'],
  )
})
test('a file that is there already is not sent again', async () => {
  const host = new FakeHost()
  await deploy(host, shop)
  host.calls.length = 0
  await deploy(host, { ...shop, params: { ...shop.params, project: 'other' } })
  assert.equal(
    host.calls.filter((call) => call.startsWith('write files/')),
    [],
  )
})
test('the newest five bundles are kept, by use and not by name, and mounted files are left alone', async () => {
  const host = new FakeHost()
  await deploy(host, shop)
  const mounted = host.files.tree().filter((path) => path.startsWith('files/'))
  const hashes: string[] = []
  for (const number of [1, 2, 3, 4, 5, 1, 6]) hashes.push((await deploy(host, version(number))).values.bundle)
  const kept = [hashes[2], hashes[3], hashes[4], hashes[5], hashes[6]]
  assert.equal(bundlesOn(host), kept.map((hash) => `bundles/${hash}/`).sort())
  assert.equal(
    host.files.tree().filter((path) => path.startsWith('files/')),
    mounted,
  )
})
test('bundles nobody remembers go first, and other names stay', async () => {
  const host = new FakeHost()
  for (const digit of '0123456') host.files.put(`bundles/${digit.repeat(64)}/docker-compose.yml`, '')
  host.files.put('bundles/notes/readme', '')
  const { values } = await deploy(host, version(1))
  assert.is(bundlesOn(host).length, 6)
  assert.ok(host.files.has(`bundles/${values.bundle}`))
  assert.ok(host.files.has('bundles/notes/readme'))
})

test('a run cut off at any call leaves current old or new, and the next run finishes', async () => {
  const before = await renderCase(version(1))
  const after = await renderCase(shop)
  const whole = new FakeHost()
  await deploy(whole, version(1))
  const calls = whole.calls.length
  await upload.run(params, contextOf(whole, after, shop))
  for (let count = 0; count < whole.calls.length - calls; count++) {
    const host = new FakeHost()
    await upload.run(params, contextOf(host, before, version(1)))
    host.dieAfter(count)
    await upload.run(params, contextOf(host, after, shop)).catch(() => undefined)
    host.revive()
    const { bundle } = await host.observe()
    assert.ok(bundle === before.values.bundle || bundle === after.values.bundle, `current is neither after ${count} calls`)
    if (bundle === after.values.bundle) assert.is(host.files.text('current/docker-compose.yml'), after.text)
    await upload.run(params, contextOf(host, after, shop))
    assert.equal(host.files.tree(), whole.files.tree(), `not the same after being cut off at call ${count}`)
  }
})
test('nothing is written once the lock is lost', async () => {
  const rendered = await renderCase(shop)
  for (const allowed of [0, 1, 2]) {
    const host = new FakeHost()
    let left = allowed
    const guard = async () => {
      if (left-- <= 0) throw new TaskFailure({ reason: 'lock-lost', subject: 'prod', message: 'the lock was taken over' })
    }
    await rejects(upload.run(params, contextOf(host, rendered, shop, guard)), /taken over/)
    assert.is(host.files.target('current'), undefined)
    if (allowed === 0) assert.equal(host.writes(), [])
  }
})
test('the next task sees what was written, also after a failure', async () => {
  const host = new FakeHost()
  await host.observe()
  host.failOn(/^point/)
  const rendered = await renderCase(version(1))
  await rejects(upload.run(params, contextOf(host, rendered, version(1))), /connection lost/)
  assert.is(host.calls.at(-1), 'changed')
})

test('without permission the failure names host, folder and the command that prepares it', async () => {
  const host = new FakeHost()
  host.files.deny('.')
  const rendered = await renderCase(version(1))
  const error = await rejects(upload.run(params, contextOf(host, rendered, version(1))))
  assert.instance(error, TaskFailure)
  const { subject, message, remedy = '' } = (error as TaskFailure).failure
  assert.is(subject, 'node-1')
  assert.match(message, '/opt/stagecraft/shop/prod on node-1')
  assert.match(remedy, 'sudo install -d -o "$(id -un)" -g "$(id -gn)" -m 0750 /opt/stagecraft/shop/prod')
})
test('any other failure is passed on as it is', async () => {
  const host = new FakeHost()
  host.failOn(/^rename/)
  const rendered = await renderCase(version(1))
  await rejects(upload.run(params, contextOf(host, rendered, version(1))), /^node-1: connection lost$/)
})
test('a secret that is not text is refused before it is written', async () => {
  const host = new FakeHost()
  const given = { ...shop, secrets: { ...shop.secrets, 'file:tls.pem': 'a\ufffdb' } }
  const rendered = await renderCase(given)
  await rejects(upload.run(params, contextOf(host, rendered, given)), /tls\.pem is not UTF-8 text/)
  assert.is(host.files.target('current'), undefined)
})

test('its parameters are a host, a folder and a render, and nothing else', () => {
  assert.ok(upload.params.safeParse(params).success)
  assert.not.ok(upload.params.safeParse({ ...params, more: 1 }).success)
  assert.not.ok(upload.params.safeParse({ host: 'node-1', directory: '/x' }).success)
})

test('taken back, the bundle before it is current again, whole', async () => {
  const host = new FakeHost()
  const first = await deploy(host, version(1))
  const before = host.files.target('current')
  const second = await renderCase(version(2))
  const context = contextOf(host, second, version(2))
  const result = await upload.run(params, context)
  assert.is.not(host.files.target('current'), before)
  await upload.undo?.(params, context, result)
  assert.is(host.files.target('current'), before)
  assert.is((await upload.observe?.(params, contextOf(host, first, version(1)), undefined))?.fresh, true)
  assert.is((await upload.observe?.(params, context, undefined))?.fresh, false)
})

test('the first bundle of a host has none before it to go back to', async () => {
  const host = new FakeHost()
  const rendered = await renderCase(version(1))
  const context = contextOf(host, rendered, version(1))
  const result = await upload.run(params, context)
  const [calls, current] = [host.calls.length, host.files.target('current')]
  await upload.undo?.(params, context, result)
  assert.equal([host.calls.length, host.files.target('current')], [calls, current])
})

test('with the lock lost nothing is taken back', async () => {
  const host = new FakeHost()
  await deploy(host, version(1))
  const second = await renderCase(version(2))
  const result = await upload.run(params, contextOf(host, second, version(2)))
  const current = host.files.target('current')
  const lost = contextOf(host, second, version(2), async () => {
    throw new TaskFailure({ reason: 'lock-lost', subject: 'node-1', message: 'lost the lock' })
  })
  await rejects(Promise.resolve(upload.undo?.(params, lost, result)), /lost the lock/)
  assert.is(host.files.target('current'), current)
})

test.run()
