/** What stands around the rollouts of a swarm: what they need, whether all is well, and what goes. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { ActionResult, JsonObject } from '../../../graph/types.ts'
import { nodeOf, serviceOf, taskOf } from '../../../src/hosts/swarm-rows.ts'
import { TaskFailure } from '../../../tasks/kind.ts'
import { progressOf } from '../../../tasks/swarm/decide.ts'
import { unhealthyInSwarm } from '../../../tasks/swarm/health.ts'
import { leftoverNames, removeLeftovers, swarmLeftovers } from '../../../tasks/swarm/leftovers.ts'
import { type SwarmParams, stackValues } from '../../../tasks/swarm/params.ts'
import { swarm } from '../../../tasks/swarm.ts'
import { rejects } from '../../support/assertions.ts'
import { FakeHost } from '../../support/fake-host.ts'
import { taskContext } from '../rendering/task-context.ts'

const test = suite('tasks/swarm/around')

const spec: JsonObject = {
  Name: 'shop-prod_web',
  Labels: { 'stagecraft.service': 'web', 'stagecraft.hash': 'h' },
  Mode: { Replicated: { Replicas: 1 } },
}
const web = { hash: 'h', image: 'i', replicas: 1, spec, environment: [] }
const stack: ActionResult = {
  files: {},
  values: {
    services: { web },
    configs: [{ name: 'kept', file: 'files/1' }],
    secrets: [],
    networks: [
      { name: 'shop-prod_default', definition: {} },
      { name: 'theirs', definition: { external: true } },
    ],
  },
}
const params: SwarmParams = {
  ...{ environment: 'prod', manager: 'node-1', stack: 'stack:prod', labelPrefix: 'stagecraft.shop.prod.' },
  nodes: [
    { name: 'node-1', addresses: ['10.0.0.1'], roles: ['app'] },
    { name: 'w1', addresses: ['w1.example.com'], roles: ['app', 'db'] },
  ],
}

function rig() {
  const host = new FakeHost()
  host.isManager = true
  const node = (id: string, hostname: string, address: string, labels: Readonly<Record<string, string>> = {}) =>
    host.swarm.nodesThere.push({ id, hostname, address, version: 1, labels, spec: {} })
  node('a', 'first', '10.0.0.1', { zone: 'east', 'stagecraft.shop.prod.old': 'true' })
  node('b', 'w1', '10.0.0.2', { 'stagecraft.shop.prod.app': 'true', 'stagecraft.shop.prod.db': 'true' })
  node('c', 'other', '10.0.0.3', { 'stagecraft.other.prod.db': 'true' })
  return { host, context: taskContext({ host, needs: { 'stack:prod': stack } }) }
}

async function messageOf(promise: Promise<unknown> | undefined): Promise<string> {
  const error = await rejects(promise ?? Promise.resolve())
  if (!(error instanceof TaskFailure)) throw error
  return error.failure.message
}

test('nodes get the roles of the manifest, and keep every label that is not ours', async () => {
  const { host, context } = rig()
  host.swarm.put('networks', 'theirs', false)
  const look = await swarm.observe?.(params, context, undefined)
  assert.is(look?.fresh === false && look.because.detail, 'roles of first are not as wanted')
  await swarm.run(params, context)
  assert.equal(host.writes(), ['label first stagecraft.shop.prod.app zone', 'make networks shop-prod_default'])
  assert.ok((await swarm.observe?.(params, context, undefined))?.fresh)
})

test('a network that is somebody else’s is missed by name', async () => {
  const { context } = rig()
  assert.match(await messageOf(swarm.run(params, context)), /has no network theirs/)
})

test('a machine that is no node is named, with the nodes there are', async () => {
  const { context } = rig()
  const wrong = { ...params, nodes: [{ name: 'w9', addresses: ['10.0.0.9'], roles: [] }] }
  assert.match(
    await messageOf(swarm.observe?.(wrong, context, undefined)),
    /w9 \(10\.0\.0\.9\) is no node of the swarm.*first \(10\.0\.0\.1\)/,
  )
})

test('beside containers of Compose nothing is begun', async () => {
  const { host, context } = rig()
  host.engine.add({ name: 'shop-prod-web-1' })
  assert.match(await messageOf(swarm.observe?.(params, context, undefined)), /as a swarm it would run twice/)
})

test('what the release does not know goes, services first; what is in use stays', async () => {
  const { host, context } = rig()
  await host.swarm.create({ ...spec, Name: 'shop-prod_gone', Labels: { 'stagecraft.service': 'gone' } }, undefined)
  await host.swarm.create(spec, undefined)
  for (const name of ['kept', 'old', 'busy']) host.swarm.put('configs', name)
  host.swarm.put('networks', 'theirs-too', false)
  host.swarm.used.add('configs-busy')
  host.changed()
  const left = await swarmLeftovers(host, stackValues.parse(stack.values))
  assert.equal(leftoverNames(left), ['shop-prod_gone', 'old', 'busy'])
  host.calls.length = 0
  await removeLeftovers(host, left, context)
  assert.equal(host.calls, ['remove service shop-prod_gone', 'discard configs-old', 'discard configs-busy', 'changed'])
  assert.equal(host.swarm.names('configs'), ['busy', 'kept'])
})

test('all is well when every service of the release runs as it says', async () => {
  const { host, context } = rig()
  const place = { manager: 'node-1', stack: 'stack:prod', services: ['web'] }
  assert.equal(await unhealthyInSwarm(place, context), ['web: not in the swarm yet'])
  await host.swarm.create(spec, undefined)
  host.changed()
  assert.equal(await unhealthyInSwarm(place, context), [])
})

const service = (state?: string) => serviceOf({ ID: 's', Spec: spec, ...(state && { UpdateStatus: { State: state, Message: 'm' } }) })
const copy = (state: string, desired = 'running', Err = '') =>
  taskOf({ ID: 't', NodeID: 'a', Slot: 1, DesiredState: desired, Status: { State: state, Err } }, new Map([['a', 'first']]))

for (const [what, update, copies, expected] of [
  [
    'an update under way',
    'updating',
    [copy('pending', 'running', 'no suitable node')],
    { state: 'under-way', detail: '0 of 1 run; no suitable node' },
  ],
  ['an update that is through', 'completed', [copy('running')], { state: 'done' }],
  ['an update whose copies are not there yet', 'completed', [copy('starting')], { state: 'under-way', detail: '0 of 1 run' }],
  ['one the engine took back', 'rollback_completed', [copy('running')], { state: 'went-back', why: 'm' }],
  ['one it could not take back', 'rollback_paused', [], { state: 'stuck', why: 'm' }],
  [
    'a copy of a new service that fails',
    undefined,
    [copy('rejected', 'shutdown', 'No such image')],
    { state: 'failed', why: 'a copy on first: No such image' },
  ],
  ['a new service that runs', undefined, [copy('running')], { state: 'done' }],
  ['copies that are to stop', undefined, [copy('running', 'shutdown')], { state: 'under-way', detail: '0 of 1 run' }],
] as const) {
  test(`${what} is ${expected.state}`, () => assert.equal(progressOf(1, service(update), copies), expected))
}

test('a manager that listens everywhere is known by where it is a manager', () => {
  const { address, hostname } = nodeOf({ ID: 'n', Status: { Addr: '0.0.0.0' }, ManagerStatus: { Addr: '10.0.0.7:2377' } })
  assert.equal([address, hostname], ['10.0.0.7', 'n'])
})

test.run()
