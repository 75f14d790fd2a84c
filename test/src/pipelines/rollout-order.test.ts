import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { taskGraph } from '../../../graph/task-graph.ts'
import type { Task, TaskId } from '../../../graph/types.ts'
import type { FleetPolicy, Service } from '../../../src/contracts.ts'
import { batchesOf } from '../../../src/pipelines/batches.ts'
import { isBatchBefore, rolloutId, rolloutOrder } from '../../../src/pipelines/rollout-order.ts'
import { tiersOf } from '../../../src/pipelines/tiers.ts'

const test = suite('pipelines/rollout-order')

const policy = (parts: Partial<FleetPolicy> = {}): FleetPolicy => ({ onFailure: 'rollback', ...parts })
const service = (name: string, hosts: readonly string[], parts: Partial<Service> = {}) =>
  ({ name, hosts, dependsOn: [], ...parts }) as unknown as Service

for (const [parts, expected] of [
  [{}, [['a'], ['b', 'c', 'd']]],
  [{ canary: false }, [['a', 'b', 'c', 'd']]],
  [{ canary: 'c' }, [['c'], ['a', 'b', 'd']]],
  [{ canary: 'elsewhere' }, [['a'], ['b', 'c', 'd']]],
  [{ batch: 2 }, [['a'], ['b', 'c'], ['d']]],
  [{ batch: '50%' }, [['a'], ['b', 'c'], ['d']]],
  [{ batch: '1%' }, [['a'], ['b'], ['c'], ['d']]],
  [{ batch: 9, canary: false }, [['a', 'b', 'c', 'd']]],
] as const) {
  test(`four hosts under ${JSON.stringify(parts)}`, () => {
    assert.equal(batchesOf(['d', 'b', 'a', 'c'], policy(parts)), expected)
  })
}

const hostNames = ['h1', 'h2', 'h3', 'h4', 'h5', 'h6']
const policies = fc.record(
  {
    onFailure: fc.constantFrom('rollback', 'hold', 'continue'),
    canary: fc.constantFrom<(string | false)[]>(false, ...hostNames),
    batch: fc.oneof(
      fc.integer({ min: 1, max: 8 }),
      fc.integer({ min: 1, max: 100 }).map((share) => `${share}%`),
    ),
  },
  { requiredKeys: ['onFailure'] },
) as fc.Arbitrary<FleetPolicy>

test('every host is in exactly one batch, the canary is alone in the first, and no batch is larger than asked', () => {
  fc.assert(
    fc.property(fc.subarray(hostNames), policies, (hosts, given) => {
      const batches = batchesOf(hosts, given)
      assert.equal(batches.flat().sort(), [...hosts].sort())
      assert.ok(batches.every((batch) => batch.length > 0))
      if (given.canary !== false && hosts.length > 0) assert.is(batches[0]?.length, 1)
      const size = typeof given.batch === 'number' ? given.batch : hosts.length
      assert.ok(batches.every((batch) => batch.length <= size))
    }),
  )
})

/** Services that depend only on ones before them, so that `depends_on` itself has no circle; roles as they fall. */
const fleets = fc
  .array(
    fc.record({
      hosts: fc.subarray(hostNames),
      role: fc.constantFrom(undefined, 'db', 'cache', 'infra', 'app', 'gateway', 'other'),
      picks: fc.array(fc.nat(), { maxLength: 3 }),
    }),
    { minLength: 1, maxLength: 7 },
  )
  .map((parts) =>
    parts.map(({ hosts, role, picks }, index) => {
      const dependsOn = index === 0 ? [] : [...new Set(picks.map((pick) => `s${pick % index}`))].sort()
      return service(`s${index}`, [...hosts].sort(), { dependsOn, ...(role === undefined ? {} : { role }) })
    }),
  )

test('tiers, batches, dependencies and migrations never go in circles, and keep their word', () => {
  fc.assert(
    fc.property(fleets, policies, fc.nat(), (services, fleet, pick) => {
      const early = closure(services, pick % 2 === 0 ? undefined : services[pick % services.length]?.name)
      const order = rolloutOrder({ services, fleet }, early)
      const graph = taskGraph([...tasksOf(order, early)])
      assert.ok(graph.ok, 'no circle')
      const before = ancestors(graph.ok ? graph.value.order.map((id) => [id, graph.value.dependencies(id)] as const) : [])
      const tiers = tiersOf(services)
      for (const one of services) {
        const batches = batchesOf(one.hosts, fleet)
        for (const [index, batch] of batches.entries())
          for (const host of batch) {
            const id = rolloutId({ service: one.name, host })
            assert.ok(order.has(id), 'every host exactly once')
            for (const other of batches[index - 1] ?? []) assert.ok(before(id).has(rolloutId({ service: one.name, host: other })))
            for (const other of services) {
              const isTierBefore =
                !early.has(one.name) && !early.has(other.name) && (tiers.get(other.name) ?? 0) < (tiers.get(one.name) ?? 0)
              if (isTierBefore)
                for (const elsewhere of other.hosts) assert.ok(before(id).has(rolloutId({ service: other.name, host: elsewhere })))
            }
            for (const name of one.dependsOn) {
              const needed = services.find((other) => other.name === name)
              for (const at of needed?.hosts.includes(host) ? [host] : (needed?.hosts ?? []))
                assert.ok(before(id).has(rolloutId({ service: name, host: at })))
            }
          }
      }
    }),
    { numRuns: 150 },
  )
})

test('what depends_on says is stronger than a role: a store that needs an app waits for it', () => {
  const tiers = tiersOf([service('db', ['h1'], { role: 'db', dependsOn: ['vault'] }), service('vault', ['h1'], { role: 'gateway' })])
  assert.is(tiers.get('vault'), tiers.get('db'))
})

test('a batch is told from other reasons to wait', () => {
  assert.ok(isBatchBefore('rollout:web@h2' as TaskId, 'rollout:web@h1' as TaskId))
  assert.not.ok(isBatchBefore('rollout:web@h2' as TaskId, 'rollout:api@h2' as TaskId))
  assert.not.ok(isBatchBefore('health:prod' as TaskId, 'rollout:api@h2' as TaskId))
})

function closure(services: readonly Service[], name: string | undefined, found = new Set<string>()): ReadonlySet<string> {
  if (name === undefined || found.has(name)) return found
  found.add(name)
  for (const dependency of services.find((one) => one.name === name)?.dependsOn ?? []) closure(services, dependency, found)
  return found
}

/** The rollouts, and one migration between the early ones and all others, as in a deploy. */
function tasksOf(order: ReadonlyMap<TaskId, readonly TaskId[]>, early: ReadonlySet<string>): Task[] {
  const isEarly = (id: TaskId) => early.has(/^rollout:([^@]*)@/.exec(id)?.[1] ?? '')
  const migration = 'migrate_pre:main' as TaskId
  const ids = [...order.keys()]
  const task = (id: TaskId, after: readonly TaskId[]): Task => ({ id, kind: 'rollout', params: null, needs: [], after })
  return [
    task(migration, ids.filter(isEarly)),
    ...ids.map((id) => task(id, [...(order.get(id) ?? []), ...(early.size === 0 || isEarly(id) ? [] : [migration])])),
  ]
}

function ancestors(edges: readonly (readonly [TaskId, readonly TaskId[]])[]): (id: TaskId) => ReadonlySet<TaskId> {
  const found = new Map<TaskId, Set<TaskId>>()
  for (const [id, dependencies] of edges) found.set(id, new Set(dependencies.flatMap((one) => [one, ...(found.get(one) ?? [])])))
  return (id) => found.get(id) ?? new Set()
}

test.run()
