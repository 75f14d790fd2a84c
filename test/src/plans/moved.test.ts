import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { movedSince } from '../../../src/plans/moved.ts'
import type { PlannedHost, PlannedTask, SavedPlan } from '../../../src/plans/saved-plan.ts'
import { savedPlan } from '../../support/saved-plan.ts'

const test = suite('src/plans/moved')

const plan = savedPlan()
const [build, rollout] = plan.tasks as unknown as readonly [PlannedTask, PlannedTask]
const node = plan.hosts['node-1'] as PlannedHost
const web = { service: 'web', name: 'web-1', id: 'aaaa', hash: 'h1', state: 'running' }

const onHost = (change: Partial<PlannedHost>): SavedPlan => ({ ...plan, hosts: { 'node-1': { ...node, ...change } } })
const withTasks = (...tasks: PlannedTask[]): SavedPlan => ({ ...plan, tasks })

test('of a plan that is made again, nothing moved', () => assert.equal(movedSince(plan, savedPlan()), { inputs: [], world: [] }))

const worlds: readonly [string, SavedPlan, string][] = [
  ['another release', onHost({ release: 'rel-2' }), 'node-1: rel-2 is live, and was rel-1'],
  ['a container that stopped', onHost({ containers: [{ ...web, state: 'exited' }] }), 'node-1: web-1 of web is exited, and was running'],
  ['a container that is gone', onHost({ containers: [] }), 'node-1: web-1 of web is gone, and was running'],
  ['a container that was replaced', onHost({ containers: [{ ...web, id: 'b' }] }), 'node-1: web-1 of web was replaced'],
  ['a new container', onHost({ containers: [web, { ...web, name: 'web-2' }] }), 'node-1: web-2 of web is new, running'],
  ['a route', onHost({ routes: { 'shop-prod-web': 'x' } }), 'node-1: the route shop-prod-web is new'],
  ['a service of a swarm', onHost({ swarm: { web: 'x' } }), "node-1: the swarm's web is new"],
  ['a bundle', onHost({ bundle: 'b2' }), 'node-1: another bundle is current'],
  ['a host less', { ...plan, hosts: {} }, 'node-1 was looked at, and is no host of this deploy any more'],
  ['a host more', { ...plan, hosts: { ...plan.hosts, 'node-2': node } }, 'node-2 was no host of the plan'],
  [
    'an effect that is done already',
    withTasks(build, { ...rollout, state: 'fresh', detail: '1 running and healthy' }),
    'rollout:web@node-1 was to run (web-1 is exited), and is up to date now (1 running and healthy)',
  ],
  [
    'an effect for another reason',
    withTasks(build, { ...rollout, detail: '0 of 1 replicas' }),
    'rollout:web@node-1: 0 of 1 replicas; it was: web-1 is exited',
  ],
  [
    'an effect of something else',
    withTasks(build, { ...rollout, fingerprint: 'f3' }),
    'rollout:web@node-1 would be made from something else',
  ],
]

for (const [name, now, sentence] of worlds) {
  test(`told: ${name}`, () => assert.equal(movedSince(plan, now), { inputs: [], world: [sentence] }))
}

const inputs: readonly [string, SavedPlan, string][] = [
  ['the version', { ...plan, version: 'v2' }, 'the plan is about version v1, and this checkout is v2'],
  ['a task less', withTasks(build), 'rollout:web@node-1 is in the plan, and no task any more'],
  ['a task more', withTasks(build, rollout, { ...rollout, id: 'rollout:api@node-1' }), 'rollout:api@node-1 is not in the plan'],
  ['a file', withTasks({ ...build, inputs: { ...build.inputs, files: { 'web/a': 'x' } } }, rollout), 'build:web: file web/a changed'],
  ['a file less', withTasks({ ...build, inputs: { ...build.inputs, files: {} } }, rollout), 'build:web: file web/a is gone'],
  ['a variable', withTasks({ ...build, inputs: { ...build.inputs, variables: { TAG: 'x' } } }, rollout), 'build:web: variable TAG is new'],
  ['a secret', withTasks({ ...build, inputs: { ...build.inputs, secrets: { KEY: 'x' } } }, rollout), 'build:web: secret KEY is new'],
  [
    'a definition',
    withTasks({ ...build, inputs: { ...build.inputs, definition: 'x' } }, rollout),
    'build:web: its definition in the manifest or the Compose file changed',
  ],
]

for (const [name, now, sentence] of inputs) {
  test(`told: ${name}`, () => assert.equal(movedSince(plan, now), { inputs: [sentence], world: [] }))
}

test('many files are counted', () => {
  const files = Object.fromEntries(Array.from({ length: 5 }, (_, n) => [`web/${n}`, 'x']))
  const { inputs: told } = movedSince(plan, withTasks({ ...build, inputs: { ...build.inputs, files } }, rollout))
  assert.equal(told.at(-1), 'build:web: and 3 more like that')
  assert.is(told.length, 4)
})

test('what is known of content since, and what waits for it, is nothing that moved', () => {
  const built = withTasks({ ...build, state: 'fresh', detail: 'unchanged (remote)' }, rollout)
  assert.equal(movedSince(plan, built), { inputs: [], world: [] })
  const { fingerprint: _, ...waiting } = rollout
  const later: PlannedTask = { ...waiting, state: 'may-run', detail: 'waits for build:web' }
  assert.equal(movedSince(withTasks(build, later), plan), { inputs: [], world: [] })
  assert.equal(movedSince(plan, withTasks(build, later)), { inputs: [], world: [] })
})

test.run()
