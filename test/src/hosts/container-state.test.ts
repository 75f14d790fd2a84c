import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { type ContainerRow, containerState, containersOf, environmentFilter } from '../../../src/hosts/container-state.ts'
import type { Container } from '../../../tasks/ports.ts'

const test = suite('src/hosts/container-state')

const one = (row: Partial<ContainerRow>) => {
  const [container] = containersOf([{ Id: 'id', ...row }])
  if (container === undefined) throw new Error('no container')
  return container
}

test('a row becomes a container', () => {
  const row = {
    Id: 'abc',
    Names: ['/other/link', '/shop-prod-web-1'],
    Image: 'reg/web@sha256:1',
    State: 'running',
    Status: 'Up 5 minutes (healthy)',
    Labels: { 'stagecraft.service': 'web', 'stagecraft.hash': 'h1', 'com.docker.compose.project': 'shop-prod' },
    Ports: [
      { PrivatePort: 443, PublicPort: 8443 },
      { PrivatePort: 80, PublicPort: 8080 },
      { PrivatePort: 80, PublicPort: 8080 },
      { PrivatePort: 9000 },
    ],
    NetworkSettings: { Networks: { edge: { IPAddress: '10.0.0.2' }, 'shop-prod_default': { IPAddress: '10.1.0.2' } } },
  }
  const expected: Container = {
    id: 'abc',
    name: 'shop-prod-web-1',
    service: 'web',
    hash: 'h1',
    image: 'reg/web@sha256:1',
    state: 'running',
    health: 'healthy',
    ports: [
      { container: 80, host: 8080 },
      { container: 443, host: 8443 },
    ],
    address: '10.1.0.2',
  }
  assert.equal(containersOf([row]), [expected])
})

const health: readonly [status: string, expected: Container['health']][] = [
  ['Up 5 minutes', 'none'],
  ['Up 5 minutes (healthy)', 'healthy'],
  ['Up 2 seconds (health: starting)', 'starting'],
  ['Up 1 second (unhealthy)', 'unhealthy'],
  ['Up 3 minutes (Paused)', 'none'],
  ['Exited (137) 2 hours ago', 'none'],
  ['', 'none'],
]
for (const [status, expected] of health) test(`\`${status}\` is ${expected}`, () => assert.is(one({ Status: status }).health, expected))

test('newer engines say health in a field', () => {
  assert.is(one({ Status: 'Up 1 second', Health: { Status: 'unhealthy' } }).health, 'unhealthy')
  assert.is(one({ Status: 'Up 1 second', Health: { Status: 'none' } }).health, 'none')
})

test('an unknown state is not running', () => {
  assert.is(containerState('sleeping'), 'dead')
  assert.is(containerState(undefined), 'dead')
  assert.is(containerState('exited'), 'exited')
})

test('only a running container has an address, that of the first network with one', () => {
  const NetworkSettings = { Networks: { b: { IPAddress: '10.0.0.2' }, a: { IPAddress: '' }, c: null } }
  assert.is(one({ State: 'running', NetworkSettings }).address, '10.0.0.2')
  assert.is(one({ State: 'exited', NetworkSettings }).address, undefined)
  assert.is(one({ State: 'running' }).address, undefined)
})

test('missing fields are empty, and the order is that of names', () => {
  const rows = [{ Id: '2', Names: ['/b'] }, { Id: '3' }, { Id: '1', Names: ['/a'], Names2: null, Labels: null, Ports: null }]
  assert.equal(
    containersOf(rows).map(({ name }) => name),
    ['3', 'a', 'b'],
  )
})

test('containers of other projects are not asked for', () => {
  assert.equal(environmentFilter('shop', 'prod'), { label: ['stagecraft.project=shop', 'stagecraft.env=prod'] })
})

test.run()
