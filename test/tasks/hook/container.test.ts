import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { runInContainer } from '../../../tasks/hook/container.ts'
import { runHook } from '../../../tasks/hook/run-hook.ts'
import { TaskFailure } from '../../../tasks/kind.ts'
import { rejects, within } from '../../support/assertions.ts'
import { bundle, HookRig, hookParamsOf, image, inApi } from '../../support/hook-rig.ts'

const test = suite('tasks/hook/container')

const params = hookParamsOf({ point: 'after_rollout:api', container: inApi })
const container = 'shop-prod-hook-after_rollout-api'
const run = (rig: HookRig, parts: Partial<typeof params> = {}) =>
  within(5_000, runInContainer({ ...params, ...parts }, inApi, { STAGECRAFT_ENV: 'prod' }, rig.context()))
const failureOf = (error: Error) => {
  assert.instance(error, TaskFailure)
  return (error as TaskFailure).failure
}

test('Compose runs the command in a container of the release, alone and with a clean environment', async () => {
  const rig = new HookRig()
  assert.equal(await run(rig, { command: ['./smoke', '--url', 'a b'] }), { code: 0 })
  const argv = rig.argv()
  assert.equal(argv.slice(0, 2), ['env', '-i'])
  assert.match(argv[2] ?? '', /^PATH=/)
  assert.equal(argv.slice(3), [
    ...['docker', 'compose', '--project-name', 'shop-prod'],
    ...['--file', `/opt/stagecraft/shop/prod/bundles/${bundle}/docker-compose.yml`, '--file', '-'],
    ...['run', '--rm', '--no-deps', '--no-TTY', '--interactive=false', '--name', container],
    ...['--label', 'stagecraft.project=hook of shop'],
    ...['api', './smoke', '--url', 'a b'],
  ])
  assert.is(rig.host.commands.at(-1)?.timeoutMs, 60_000)
})

test('variables it names are passed on, its own win over them, and all others are withheld', async () => {
  const rig = new HookRig({ SMOKE_URL: 'http://$x', SMOKE_MODE: 'a=b c', STAGECRAFT_ENV: 'planted', OTHER: 'withheld', PATH: '/bin' })
  await run(rig, { env: ['SMOKE_*', 'STAGECRAFT_ENV', 'UNSET'] })
  const { argv, stdin } = rig.host.commands.at(-1) ?? { argv: [] }
  const environment = { SMOKE_MODE: 'a=b c', SMOKE_URL: 'http://$$x', STAGECRAFT_ENV: 'prod' }
  assert.equal(JSON.parse(stdin ?? ''), { services: { api: { environment } } }, 'Compose reads it, so `$` stands twice')
  assert.not.match(argv.join(' '), /http|a=b/, 'arguments are there for everybody on the host to read')
})

test('a container that was not started is told as that, and not as what the command came to', async () => {
  for (const code of [1, 125]) {
    const rig = new HookRig()
    rig.host.answer(/ docker compose .* run /, {
      code,
      stderr: 'Network x  Created\nError response from daemon: exec: "./smoke": not found\n',
    })
    const failure = failureOf(await rejects(runHook(params, rig.context())))
    assert.is(failure.reason, 'refused')
    assert.is(failure.message, 'the container for `./smoke` did not start on node-1: exec: "./smoke": not found')
  }
  const rig = new HookRig()
  rig.host.answer(/ docker compose .* run /, { code: 125, stderr: 'cannot test this one\n' })
  assert.is(failureOf(await rejects(runHook(params, rig.context()))).message, '`./smoke` exited with code 125')
})

test('what a killed run left under its name is removed first; a good end leaves the rest to --rm', async () => {
  const rig = new HookRig()
  rig.host.engine.add({ name: container })
  rig.host.answer(/ docker compose .* run /, () => {
    assert.equal(rig.host.engine.containers(), [])
    return {}
  })
  await run(rig)
  assert.equal(rig.steps(), [`remove ${container}`, 'compose run'])
  assert.is(rig.host.calls.at(-1), 'changed')
})

test('an image the host has not is pulled with the credentials of its registry', async () => {
  const rig = new HookRig()
  rig.host.engine.images.clear()
  rig.credentials = { username: 'ci', password: 'secret' } as NonNullable<HookRig['credentials']>
  await run(rig)
  assert.equal(rig.steps(), [`pull ${image}`, `remove ${container}`, 'compose run'])
  assert.equal(rig.host.engine.credentials, [rig.credentials])
  assert.equal(rig.lines, [`pulling ${image}`, `pulled ${image}`])
})

test('an image that cannot be had: nothing is started', async () => {
  const rig = new HookRig()
  rig.host.engine.images.clear()
  rig.host.engine.unavailable.add(image)
  assert.is(failureOf(await rejects(run(rig), /not found/)).reason, 'refused')
  assert.equal(rig.host.commands, [])
})

test('what it prints is shown, and a code other than 0 fails the hook with the command as typed', async () => {
  const rig = new HookRig()
  rig.host.answer(/ docker compose .* run /, { code: 3, stdout: 'one\ntwo\n', stderr: 'sorry\n' })
  const failure = failureOf(await rejects(runHook(params, rig.context())))
  assert.equal([failure.reason, failure.subject, failure.message], ['exit', 'hook after_rollout:api', '`./smoke` exited with code 3'])
  assert.equal(rig.lines, ['one', 'two', 'sorry'])
})

test('with on_failure: warn a code other than 0 is a line of its output', async () => {
  const rig = new HookRig()
  rig.host.answer(/ docker compose .* run /, { code: 3 })
  await runHook({ ...params, onFailure: 'warn' }, rig.context())
  assert.equal(rig.lines, ['warning: `./smoke` exited with code 3; on_failure is warn, so the deploy goes on'])
})

test('one that took too long, or lost its host, is removed, and the first failure is the one that counts', async () => {
  const rig = new HookRig()
  const error = new TaskFailure({ reason: 'timeout', subject: 'node-1', message: 'took longer than 60 s' })
  rig.host.answer(/ docker compose .* run /, () => {
    rig.host.engine.add({ name: container })
    rig.host.failOn(/^remove/, { error: new Error('and it is gone') })
    throw error
  })
  assert.is(await rejects(run(rig)), error)
  const second = new HookRig()
  second.host.answer(/ docker compose .* run /, () => {
    second.host.engine.add({ name: container })
    throw error
  })
  assert.is(await rejects(run(second)), error)
  assert.equal(second.host.engine.containers(), [])
  assert.is(second.host.calls.at(-1), 'changed')
})

test('an interrupt removes the container at once; however the command then ends, it was interrupted, and warn does not forgive it', async () => {
  for (const code of [0, 137]) {
    const rig = new HookRig()
    const held = rig.host.hold(/ docker compose .* run /)
    const ended = rejects(within(5_000, runHook({ ...params, onFailure: 'warn' }, rig.context())))
    await held.asked
    rig.host.engine.add({ name: container })
    rig.controller.abort()
    assert.equal(rig.host.engine.containers(), [])
    held.finish({ code })
    const failure = failureOf(await ended)
    assert.equal([failure.reason, failure.subject], ['interrupted', 'hook after_rollout:api'])
    assert.equal(rig.lines, [])
  }
})

test('an abort after its end touches nothing', async () => {
  const rig = new HookRig()
  await run(rig)
  const before = [...rig.host.calls]
  rig.controller.abort()
  assert.equal(rig.host.calls, before)
})

test('two hooks of one host do not run Compose at the same time', async () => {
  const rig = new HookRig()
  const held = rig.host.hold(/ --name shop-prod-hook-a /)
  const first = run(rig, { point: 'a' })
  await held.asked
  const second = run(rig, { point: 'b' })
  await new Promise((resolve) => setImmediate(resolve))
  assert.is(rig.host.commands.length, 1)
  held.finish()
  await Promise.all([first, second])
  assert.is(rig.host.commands.length, 2)
})

test('a service that is not in the result of the render is a bug of ours, and nothing is touched', async () => {
  const rig = new HookRig()
  const wrong = runInContainer(params, { ...inApi, service: 'web' }, {}, rig.context())
  assert.not.instance(await rejects(wrong, /^hook:it has no service web in the result of render:node-1$/), TaskFailure)
  await rejects(runInContainer(params, inApi, {}, rig.context({})), /no service api/)
  assert.equal(rig.host.calls, [])
})

test.run()
