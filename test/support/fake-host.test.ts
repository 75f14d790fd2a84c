import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { EngineEvent } from '../../tasks/ports.ts'
import { rejects, within } from './assertions.ts'
import { FakeHost } from './fake-host.ts'

const test = suite('support/fake-host')

test('it looks once until it is told of a change', async () => {
  const host = new FakeHost()
  host.engine.add({ name: 'web-1', hash: 'a' })
  assert.equal(
    (await host.observe()).containers.map(({ service, state }) => [service, state]),
    [['web', 'running']],
  )
  host.engine.add({ name: 'web-2', hash: 'b', state: 'created' })
  host.files.put('bundles/abc/docker-compose.yml', '')
  host.files.link('current', 'bundles/abc')
  assert.is((await host.observe()).containers.length, 1)
  host.changed()
  const seen = await host.observe()
  assert.equal([seen.containers.length, seen.bundle], [2, 'abc'])
  assert.equal(host.calls, ['observe', 'changed', 'observe'])
  assert.equal(host.writes(), [])
})
test('containers do what the test says, with the events an engine sends', async () => {
  const host = new FakeHost()
  const events: EngineEvent[] = []
  const subscription = await host.engine.events((event) => events.push(event))
  for (const behaviour of ['healthy', 'dies', 'starting'] as const) {
    host.engine.add({ name: `${behaviour}-1`, state: 'created' })
    host.engine.behave(behaviour, behaviour)
    await host.engine.start(`${behaviour}-1`)
  }
  assert.is((await host.engine.inspect('id-starting-1')).health, 'starting')
  host.engine.become('starting-1', 'unhealthy')
  await host.engine.stop('healthy-1', 10)
  assert.equal(
    events.map(({ action, container }) => `${container} ${action}`),
    [
      'id-healthy-1 start',
      'id-healthy-1 health_status: healthy',
      'id-dies-1 start',
      'id-dies-1 die',
      'id-starting-1 start',
      'id-starting-1 health_status: unhealthy',
      'id-healthy-1 die',
    ],
  )
  subscription.close()
  assert.is(host.engine.subscriptions, 0)
  assert.is((await host.engine.inspect('dies-1')).exitCode, 1)
  assert.equal(host.engine.running(), ['starting-1'])
})
test('images, restart policies, logs and removal', async () => {
  const { engine } = new FakeHost()
  engine.add({ name: 'web-1' })
  engine.print('web-1', 'one', 'two', 'three')
  assert.equal(await engine.logs('web-1', 2), ['two', 'three'])
  await engine.setRestartPolicy('web-1', { name: 'always' })
  assert.is(engine.restartPolicyOf('web-1'), 'always')
  engine.unavailable.add('gone')
  await rejects(engine.pull('gone', undefined), /not found/)
  await engine.pull('there', undefined)
  assert.is(await engine.hasImage('there'), true)
  await engine.remove('id-web-1')
  await engine.remove('id-web-1')
  await rejects(engine.inspect('web-1'), /no such container/)
})
test('commands are answered, or held until the test ends them', async () => {
  const host = new FakeHost()
  await rejects(host.run({ argv: ['ls', '-l'] }), /does not answer: ls -l/)
  host.answer(/^ls/, ({ argv }) => ({ stdout: `${argv.length}\n` }))
  const lines: string[] = []
  assert.equal(await host.run({ argv: ['ls', '-l'] }, (line) => lines.push(line)), { code: 0, stdout: '2\n', stderr: '' })
  assert.equal(lines, ['2'])
  const held = host.hold(/^sleep/)
  const exit = host.run({ argv: ['sleep', '9'], stdin: 'x' })
  assert.is((await within(1000, held.asked)).stdin, 'x')
  held.finish({ code: 3 })
  assert.is((await within(1000, exit)).code, 3)
})
test('calls fail as told, and all of them once the connection is lost', async () => {
  const host = new FakeHost()
  host.failOn(/^makeDirectory/, { after: 1 })
  await host.files.makeDirectory('a')
  await rejects(host.files.makeDirectory('b'), /connection lost/)
  await host.files.makeDirectory('b')
  host.dieAfter(1)
  await host.observe()
  await rejects(host.files.list('a'), /connection lost before list a/)
  await rejects(host.engine.start('x'), /connection lost/)
  host.revive()
  assert.equal(await host.files.list('.'), ['a', 'b'])
})
test('files behave as files do', async () => {
  const { files } = new FakeHost()
  await rejects(files.write('no/such/folder', Buffer.from(''), 0o600), /no such folder/)
  await files.makeDirectory('a/b', 0o700)
  await files.write('a/b/c', Buffer.from('text'), 0o600)
  await files.point('link', 'a/b')
  assert.equal([files.text('link/c'), files.mode('link/c'), files.mode('a')], ['text', '600', '700'])
  await files.point('link', 'a')
  assert.is(files.target('link'), 'a')
  await rejects(files.point('a/b/c', 'x'), /not a link/)
  await files.rename('a/b', 'a/d')
  assert.equal(files.tree(), ['a/', 'a/d/', 'a/d/c', 'link -> a'])
  await files.makeDirectory('e')
  await rejects(files.rename('a', 'e'), /exists/)
  await rejects(files.rename('none', 'x'), /no such file/)
  assert.is(await files.read('none'), undefined)
  files.deny('a/d')
  await rejects(files.write('a/d/x', Buffer.from(''), 0o600), /Permission denied/)
  await files.remove('link')
  await files.remove('link')
  assert.is(await files.exists('link'), false)
  assert.is(await files.exists('a/d/c'), true)
})

test.run()
