import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { HostPicture } from '../../../tasks/ports.ts'
import { rollout } from '../../../tasks/rollout.ts'
import { rejects, within } from '../../support/assertions.ts'
import { RolloutRig } from '../../support/rollout-rig.ts'

const test = suite('tasks/rolling/put-back')

async function pictureOf({ host }: RolloutRig, down: readonly string[] = []): Promise<HostPicture> {
  host.changed()
  const { containers } = await host.observe()
  const running = containers.filter(({ state }) => state === 'running').map(({ id, name, service, hash }) => ({ id, name, service, hash }))
  return { bundle: 'b'.repeat(64), containers: running, down }
}

async function putBack(r: RolloutRig, before: HostPicture): Promise<boolean> {
  r.watch()
  return within(5000, rollout.putBack?.(r.params, r.context(), before) ?? Promise.reject(new Error('a rollout can be put back')))
}

for (const order of ['start-first', 'stop-first'] as const) {
  test(`${order}: after two rollouts by runs that are gone, the first containers run again and all others went`, async () => {
    const r = new RolloutRig({ replicas: 2, order })
    r.old('web-1', 'web-2')
    const before = await pictureOf(r)
    await r.run()
    r.hash = 'newer'
    await r.run()
    assert.is(await putBack(r, before), true)
    assert.equal(r.state(), ['web-1 old running', 'web-2 old running'])
    assert.is(r.fewest, order === 'start-first' ? 2 : 0)
    assert.is(await putBack(r, before), false, 'what is so already is left alone')
  })
}

test('a service that was not there before goes, and one that was down is left alone', async () => {
  const r = new RolloutRig({ replicas: 2 })
  const nothing = await pictureOf(r)
  await r.run()
  assert.is(await putBack(r, { ...nothing, down: ['web'] }), false)
  assert.is(r.running().length, 2)
  assert.is(await putBack(r, nothing), true)
  assert.equal(r.state(), [])
})

test('as many as before: surplus goes, and what is missing of a definition that is kept is made again', async () => {
  const r = new RolloutRig({ replicas: 3 })
  r.hash = 'old'
  r.old('web-1', 'web-2')
  const two = await pictureOf(r)
  await r.run()
  const three = await pictureOf(r)
  assert.is(await putBack(r, two), true)
  assert.equal(r.running(), ['web-1', 'web-2'])
  assert.is(await putBack(r, three), true)
  assert.is(r.running('old').length, 3)
})

test('a container of a fixed name gets it back', async () => {
  const r = new RolloutRig()
  r.containerName = 'web'
  r.old('web')
  const before = await pictureOf(r)
  await r.run()
  await putBack(r, before)
  assert.equal(r.state(), ['web old running'])
})

test('when none of them is kept, nothing is touched and the refusal says so', async () => {
  const r = new RolloutRig()
  r.old('web-1')
  const before = await pictureOf(r)
  await r.run()
  await r.host.engine.remove(before.containers[0]?.id ?? '')
  const serving = r.state()
  await rejects(putBack(r, before), /containers that web had on node-1 before the run that was cut off are gone/)
  assert.equal(r.state(), serving)
})

test.run()
