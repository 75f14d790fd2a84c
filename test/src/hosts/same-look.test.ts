import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { isSameLook } from '../../../src/hosts/same-look.ts'
import type { Container, HostState } from '../../../tasks/ports.ts'

const test = suite('src/hosts/same-look')

const container = (parts: Partial<Container>): Container => ({
  ...{ id: 'a', name: 'web-1', service: 'web', hash: 'h1', image: 'nginx', state: 'running', health: 'healthy', ports: [] },
  ...parts,
})
const host: HostState = { containers: [container({})], bundle: 'b1', release: 'rel-1 f1', edge: { routes: { web: { isPaused: false } } } }

const same: readonly [string, HostState][] = [
  ['a container that restarts', { ...host, containers: [container({ state: 'restarting', health: 'starting' })] }],
  ['a lock', { ...host, lock: { owner: 'x', fence: 1, description: 'anna' } }],
]
const others: readonly [string, HostState][] = [
  ['another container', { ...host, containers: [container({ id: 'b' })] }],
  ['a container less', { ...host, containers: [] }],
  ['another bundle', { ...host, bundle: 'b2' }],
  ['another release', { ...host, release: 'rel-2 f1' }],
  ['another route', { ...host, edge: { routes: { web: { isPaused: true } } } }],
]

for (const [name, look] of same) test(`${name} is nobody's work`, () => assert.ok(isSameLook(host, look)))
for (const [name, look] of others) test(`${name} is somebody's work`, () => assert.not.ok(isSameLook(host, look)))

test.run()
