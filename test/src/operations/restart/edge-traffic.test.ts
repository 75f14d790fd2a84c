import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { Fleet } from '../../../../src/operations/fleet.ts'
import { edgeTraffic } from '../../../../src/operations/restart/edge-traffic.ts'
import { restartFailure } from '../../../../src/operations/restart/run-restart.ts'
import { TaskFailure } from '../../../../tasks/kind.ts'

const test = suite('src/operations/restart/edge-traffic')

const unhealthy = new TaskFailure({
  reason: 'unhealthy',
  subject: 'web on node-1',
  message: 'the new container of web on node-1 is unhealthy',
})
const refused = new TaskFailure({ reason: 'unreachable', subject: 'node-1', message: 'node-1 does not answer' })
const told = (error: unknown) => (error as TaskFailure).failure

test('a container that does not come back, and gets no requests any more, is told with what puts it back', () => {
  const { message, remedy = '' } = told(restartFailure(unhealthy, 'node-1/web-1', 'prod'))
  assert.match(message, /^node-1\/web-1, a container of web on node-1 is unhealthy after its restart/)
  assert.match(message, /the edge sends node-1\/web-1 no requests until the next deploy$/)
  assert.match(remedy, /`stagecraft deploy --env prod` puts it back/)
  assert.match(told(restartFailure(refused, 'node-1/web-1', 'prod')).message, /^node-1 does not answer; the edge sends/)
})

test('one that kept its place, or had none, is told as it is', () => {
  assert.not.match(told(restartFailure(unhealthy, 'node-1/web-1', undefined)).message, /the edge/)
  assert.is(restartFailure(refused, 'node-1/web-1', undefined), refused)
  const bug = new Error('bug')
  assert.is(restartFailure(bug, 'node-1/web-1', 'prod'), bug)
})

test('without a route nobody leaves, joins or is left out', async () => {
  const fleet = { deployment: { services: [] } } as unknown as Fleet
  const traffic = edgeTraffic(fleet, { guard: async () => {}, log: () => {} })
  const container = { id: 'a', name: 'web-1', service: 'web', hash: 'h', image: 'i', state: 'running', health: 'none', ports: [] } as const
  const replica = { host: 'node-1', container, number: 1 } as unknown as Parameters<typeof traffic.leave>[0]
  await traffic.leave(replica)
  await traffic.join(replica)
  assert.is(await traffic.abandon(replica), false)
})

test.run()
