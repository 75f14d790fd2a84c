import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { chooseReplica, runningReplicas } from '../../../../src/operations/exec/replica.ts'
import type { Container } from '../../../../tasks/ports.ts'

const test = suite('src/operations/exec/replica')

function container(name: string, state: Container['state'] = 'running', service = 'web'): Container {
  return { id: name, name, service, hash: 'a', image: 'i', state, health: 'none', ports: [] }
}
const looks = [
  { host: 'node-2', containers: [container('p-web-1')] },
  {
    host: 'node-1',
    containers: [container('p-web-10'), container('p-web-2'), container('p-web-1', 'exited'), container('p-db-1', 'running', 'db')],
  },
]

test('running ones come by host and then by number, not by letters', () => {
  const found = runningReplicas(looks, 'web').map(({ host, container: { name } }) => `${host}/${name}`)
  assert.equal(found, ['node-1/p-web-2', 'node-1/p-web-10', 'node-2/p-web-1'])
})

test('the first running one of the first host is meant, or the first with the number', () => {
  const replicas = runningReplicas(looks, 'web')
  const chosen = (number?: number) => chooseReplica(replicas, number)?.container.name
  assert.equal([chosen(), chosen(1), chosen(10), chosen(3)], ['p-web-2', 'p-web-1', 'p-web-10', undefined])
})

test('a container with a name of its own has no number, and is still the default', () => {
  const replicas = runningReplicas([{ host: 'a', containers: [container('shop')] }], 'web')
  assert.equal([chooseReplica(replicas, undefined)?.container.name, chooseReplica(replicas, 1)], ['shop', undefined])
})

test.run()
