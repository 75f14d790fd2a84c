import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { HookParams } from '../../tasks/hook/params.ts'
import { hook } from '../../tasks/hook.ts'
import { rejects } from '../support/assertions.ts'
import { graphOf, id, kind, rig as runRig, task } from '../support/fake-run.ts'
import { HookRig, hookParamsOf, hookTask, inApi } from '../support/hook-rig.ts'
import { lockLost } from '../support/rollout-rig.ts'

const test = suite('tasks/hook')

const owed = hookParamsOf({ point: 'after_build:api', owedOn: 'node-1' })
const mark = 'hooks/after_build-api'
const observe = (params: HookParams, rig: HookRig) =>
  hook.observe?.(params, rig.context(), undefined) ?? Promise.reject(new Error('no observe'))

test('its parameters are checked strictly', () => {
  const accepts = (value: unknown) => hook.params.safeParse(value).success
  assert.ok(accepts(hookParamsOf()))
  assert.ok(accepts(hookParamsOf({ container: inApi, phase: null, after: null, owedOn: 'node-1', status: 'failed', onFailure: 'warn' })))
  for (const wrong of [{ command: [] }, { phase: 'deploy' }, { status: 'ended' }, { onFailure: 'ignore' }, { extra: 1 }, { after: 'x' }]) {
    assert.not.ok(accepts({ ...hookParamsOf(), ...wrong }), JSON.stringify(wrong))
  }
  assert.not.ok(accepts({ ...hookParamsOf(), container: { ...inApi, image: 'x' } }))
})

test('its title says where it runs; phase, secrets, lock and order are what its parameters say', () => {
  assert.is(hook.title(hookParamsOf()), 'hook after_rollout')
  assert.is(hook.title(hookParamsOf({ container: inApi })), 'hook after_rollout in api on node-1')
  assert.is(hook.phaseOf?.(hookParamsOf()), 'rollout')
  assert.is(hook.phaseOf?.(hookParamsOf({ phase: null })), undefined)
  assert.equal(hook.inputs?.(hookParamsOf({ secrets: ['TOKEN'] })), { secrets: ['TOKEN'] })
  assert.equal(hook.around?.(hookParamsOf()), { after: ['rollout:api@node-1'], exclusive: true })
  assert.equal(hook.around?.(hookParamsOf({ after: null, locked: false })), { exclusive: false })
})

test('it is marked on the host while it runs, and the mark goes when it ends well', async () => {
  const rig = new HookRig()
  rig.program = async () => {
    assert.is(rig.host.files.mode(mark), '640')
    return { code: 0 }
  }
  assert.equal(await hook.run(owed, rig.context()), { files: {}, values: {} })
  assert.is(rig.requests.length, 1)
  assert.not.ok(rig.host.files.has(mark))
})

test('one that failed is owed, until it ends well', async () => {
  const rig = new HookRig()
  assert.is((await observe(owed, rig)).fresh, true)
  rig.program = async () => ({ code: 1 })
  await rejects(hook.run(owed, rig.context()), /exited with code 1/)
  assert.equal(await observe(owed, rig), { fresh: false, because: { reason: 'drift', detail: 'it did not end well in an earlier deploy' } })
  assert.is((await observe({ ...owed, point: 'after_build:web' }, rig)).fresh, true)
  rig.program = async () => ({ code: 0 })
  await hook.run(owed, rig.context())
  assert.is((await observe(owed, rig)).fresh, true)
})

test('one that is forgiven is not owed', async () => {
  const rig = new HookRig()
  rig.program = async () => ({ code: 1 })
  await hook.run({ ...owed, onFailure: 'warn' }, rig.context())
  assert.is((await observe(owed, rig)).fresh, true)
})

test('one that nobody is to remember asks no host', async () => {
  const rig = new HookRig()
  rig.program = async () => ({ code: 1 })
  const params = hookParamsOf()
  await rejects(hook.run(params, rig.context()))
  assert.is((await observe(params, rig)).fresh, true)
  assert.equal(rig.host.calls, [])
})

test('with the lock lost nothing is marked', async () => {
  const rig = new HookRig()
  rig.guard = async () => {
    throw lockLost()
  }
  await rejects(hook.run(owed, rig.context()), /lost the lock/)
  assert.equal([rig.host.calls, rig.requests], [[], []])
})

for (const container of [null, inApi]) {
  test(`a failure comes with its last lines, ${container ? 'from the container' : 'from this machine'}`, async () => {
    const world = new HookRig()
    const lines = Array.from({ length: 30 }, (_, index) => `line ${index}`)
    world.program = async (_, onLine) => {
      for (const line of lines) onLine(line)
      return { code: 4 }
    }
    world.host.answer(/ docker compose .* run /, { code: 4, stdout: lines.join('\n') })
    const render = kind('render', { run: async () => world.rendered()['render:node-1'] })
    const run = runRig([hook, render], { ports: world.context().ports })
    const params = hookParamsOf({ after: ['render:node-1'], container })
    const outcome = (await run.run(graphOf(task('render:node-1'), hookTask(params, container ? ['render:node-1'] : [])))).get(id('hook:it'))
    if (outcome?.status !== 'failed') throw new Error(`it did not fail: ${JSON.stringify(outcome)}`)
    const { failure } = outcome
    assert.equal([failure.message, failure.output], ['`./smoke` exited with code 4', lines.slice(-20)])
  })
}

test.run()
