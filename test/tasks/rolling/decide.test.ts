import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { Container } from '../../../tasks/ports.ts'
import { drift, rolloutPlan, serviceState } from '../../../tasks/rolling/decide.ts'

const test = suite('tasks/rolling/decide')
const wanted = { service: 'web', hash: 'new', replicas: 2 }

function container(name: string, partial: Partial<Container> = {}): Container {
  return { id: `id-${name}`, name, service: 'web', hash: 'new', image: 'i', state: 'running', health: 'healthy', ports: [], ...partial }
}
const drifts = (...containers: Container[]) => drift(wanted, serviceState(wanted, containers))

for (const [title, containers, expected] of [
  ['two healthy ones of the wanted hash are as wanted', [container('a'), container('b')], undefined],
  ['a container without a healthcheck counts when it runs', [container('a', { health: 'none' }), container('b')], undefined],
  ['nothing there', [], 'not on the host yet'],
  ['too few', [container('a')], '1 of 2 replicas'],
  ['too many', [container('a'), container('b'), container('c')], '3 of 2 replicas'],
  ['an old one still runs', [container('a'), container('b'), container('o', { hash: 'old' })], 'o runs another definition'],
  ['a stopped old one does not matter', [container('a'), container('b'), container('o', { hash: 'old', state: 'exited' })], undefined],
  ['one exited', [container('a'), container('b', { state: 'exited' })], 'b is exited'],
  ['one unhealthy', [container('a'), container('b', { health: 'unhealthy' })], 'b is unhealthy'],
  ['one made but not started', [container('a'), container('b', { state: 'created', health: 'none' })], 'b is not ready yet'],
  ['another service is not ours to judge', [container('a'), container('b'), container('x', { service: 'api', hash: 'old' })], undefined],
] as const) {
  test(title, () => assert.is(drifts(...containers), expected))
}

test('a cut-off run is continued: what it made is adopted, only the rest is created', () => {
  const state = serviceState(wanted, [container('half', { state: 'created', health: 'none' }), container('o', { hash: 'old' })])
  const plan = rolloutPlan(wanted, state)
  assert.equal(
    plan.adopt.map(({ name }) => name),
    ['half'],
  )
  assert.is(plan.create, 1)
  assert.equal(
    plan.replace.map(({ name }) => name),
    ['o'],
  )
})

test('the number of replicas comes from the manifest, whatever runs', () => {
  const state = fc.constantFrom<Container['state']>('created', 'running', 'exited', 'paused', 'restarting', 'dead')
  const health = fc.constantFrom<Container['health']>('none', 'starting', 'healthy', 'unhealthy')
  const any = fc.array(fc.record({ hash: fc.constantFrom('new', 'old', 'older'), state, health }), { maxLength: 8 })
  fc.assert(
    fc.property(any, fc.nat(5), (parts, replicas) => {
      const containers = parts.map((part, index) => container(`c${index}`, part))
      const goal = { ...wanted, replicas }
      const seen = serviceState(goal, containers)
      const plan = rolloutPlan(goal, seen)
      const after = seen.ready.length - plan.surplus.length + plan.adopt.length + plan.create
      assert.is(after, replicas)
      const touched = [...plan.remove, ...plan.adopt, ...plan.surplus, ...plan.replace].map(({ id }) => id)
      assert.is(new Set(touched).size, touched.length, 'each container has one fate')
      const isServed = seen.ready.length + seen.outdated.length > 0
      if (isServed) for (const { hash } of plan.replace) assert.is.not(hash, 'new')
      else
        assert.ok(
          plan.remove.every((gone) => gone.state !== 'running' || gone.health === 'starting'),
          'what limps is kept meanwhile',
        )
    }),
  )
})

test.run()
