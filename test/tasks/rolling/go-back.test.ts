import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { RolloutParams } from '../../../tasks/rolling/params.ts'
import { rollout } from '../../../tasks/rollout.ts'
import { rejects, within } from '../../support/assertions.ts'
import { RolloutRig } from '../../support/rollout-rig.ts'

const test = suite('tasks/rolling/go-back')

async function rolledAndUndone(r: RolloutRig, between: () => void = () => {}): Promise<void> {
  const result = await rollout.run(r.params, r.context())
  between()
  r.watch()
  await within(5000, rollout.undo?.(r.params, r.context(), result) ?? Promise.reject(new Error('a rollout can be undone')))
}

for (const order of ['start-first', 'stop-first'] as const) {
  test(`${order}: the containers that were kept run again under the gate, and the new ones are gone`, async () => {
    const r = new RolloutRig({ replicas: 2, order })
    r.old('web-1', 'web-2')
    await rolledAndUndone(r)
    assert.equal(r.state(), ['web-1 old running', 'web-2 old running'])
    assert.is(r.fewest, order === 'start-first' ? 2 : 0)
    assert.is(r.host.engine.restartPolicyOf('web-1'), 'unless-stopped')
    assert.is(r.host.engine.subscriptions, 0)
  })
}

test('old ones that a run before stopped come back with them', async () => {
  const r = new RolloutRig({ replicas: 2 })
  r.old('web-1')
  r.host.engine.add({ name: 'web-2', service: 'web', hash: 'old', state: 'exited' })
  r.host.engine.add({ name: 'made-0', service: 'web', hash: 'new', restartPolicy: 'unless-stopped' })
  await rolledAndUndone(r)
  assert.equal(r.state(), ['web-1 old running', 'web-2 old running'])
})

test('a service that was not there before goes again', async () => {
  const r = new RolloutRig({ replicas: 2 })
  await rolledAndUndone(r)
  assert.equal(r.state(), [])
})

test('more of the same: only those that came are gone; fewer: as many as before are there', async () => {
  const same = (...names: string[]) => {
    const r = new RolloutRig({ replicas: 2 })
    for (const name of names) r.host.engine.add({ name, service: 'web', hash: 'new', restartPolicy: 'unless-stopped' })
    return r
  }
  const more = same('web-1')
  await rolledAndUndone(more)
  assert.equal(more.running(), ['web-1'])
  const fewer = same('web-1', 'web-2', 'web-3')
  await rolledAndUndone(fewer)
  assert.is(fewer.running('new').length, 3)
  assert.is(fewer.fewest, 2)
})

test('a forced rollout changed nothing that could be taken back', async () => {
  const r = new RolloutRig()
  r.host.engine.add({ name: 'web-1', service: 'web', hash: 'new', restartPolicy: 'unless-stopped' })
  await rolledAndUndone(r)
  assert.equal(r.state(), ['made-1 new running'])
})

for (const order of ['start-first', 'stop-first'] as const) {
  test(`${order}: an old one that is no longer well does not take the new one’s place`, async () => {
    const r = new RolloutRig({ order })
    r.old('web-1')
    const failure = await rejects(rolledAndUndone(r, () => r.host.engine.behave('web-1', 'dies')))
    assert.match((failure as Error).message, /exited with code 1/)
    assert.equal(r.running(), ['made-1'])
    if (order === 'start-first') assert.is(r.fewest, 1)
  })
}

test('interrupted, the new ones serve on', async () => {
  const r = new RolloutRig({ timeoutSeconds: 5 })
  r.old('web-1')
  const failure = await rejects(
    rolledAndUndone(r, () => {
      r.host.engine.behave('web-1', 'starting')
      r.host.engine.onChange = () => {
        if (r.running('old').length === 1) r.controller.abort()
      }
    }),
  )
  assert.match((failure as Error).message, /interrupted/)
  assert.equal(r.running(), ['made-1'])
})

test('old ones that somebody removed cannot come back, and that is said', async () => {
  const r = new RolloutRig()
  r.old('web-1')
  const failure = await rejects(rolledAndUndone(r, () => void r.host.engine.remove('web-1')))
  assert.match((failure as Error).message, /are gone: the new ones serve on/)
  assert.equal(r.running(), ['made-1'])
})

test('a driver that keeps nothing says so', async () => {
  const r = new RolloutRig()
  const params: RolloutParams = { ...r.params, driver: 'recreate' }
  const failure = await rejects(rollout.undo?.(params, r.context(), { files: {}, values: {} }) ?? Promise.resolve())
  assert.match((failure as Error).message, /driver recreate keeps no containers to go back to/)
})

test.run()
