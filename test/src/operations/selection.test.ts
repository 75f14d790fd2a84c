import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { Deployment } from '../../../src/contracts.ts'
import { type Selection, select } from '../../../src/operations/selection.ts'

const test = suite('src/operations/selection')

const host = (name: string, ...roles: string[]) => ({ name, address: name, roles })
const service = (name: string, ...hosts: string[]) => ({ name, hosts }) as unknown as Deployment['services'][number]
const deployment = {
  environment: 'prod',
  hosts: [host('node-1', 'app', 'db'), host('node-2', 'app'), host('node-3', 'edge')],
  services: [service('api', 'node-1', 'node-2'), service('db', 'node-1')],
} as unknown as Deployment

const chosen: readonly [Selection, boolean, readonly string[]][] = [
  [{}, false, ['node-1', 'node-2', 'node-3']],
  [{ host: ['node-2', 'node-1'] }, false, ['node-1', 'node-2']],
  [{ role: ['app'] }, false, ['node-1', 'node-2']],
  [{ role: ['db', 'edge'] }, false, ['node-1', 'node-3']],
  [{ role: ['app'], host: ['node-2', 'node-3'] }, false, ['node-2']],
  [{ service: ['db'] }, false, ['node-1', 'node-2', 'node-3']],
  [{ service: ['db'] }, true, ['node-1']],
  [{ service: ['db', 'api'], host: ['node-2'] }, true, ['node-2']],
]
for (const [selection, placed, expected] of chosen) {
  test(`${JSON.stringify(selection)}${placed ? ' where it is placed' : ''} is ${expected.join(', ')}`, () => {
    const selected = select(deployment, selection, placed)
    assert.equal(selected.ok && selected.value.hosts.map(({ name }) => name), expected)
  })
}

test('services are sorted and unique, and unsaid when none was named', () => {
  const selected = select(deployment, { service: ['db', 'api', 'db'] })
  assert.equal(selected.ok && selected.value.services, ['api', 'db'])
  assert.is(select(deployment, {}).ok && 'services' in select(deployment, {}), false)
})

const refused: readonly [Selection, readonly string[], RegExp][] = [
  [{ host: ['node-9'] }, ['SC3160'], /no host is called `node-9`: expected one of node-1, node-2, node-3/],
  [{ role: ['ap'], service: ['apl'] }, ['SC3160', 'SC3160'], /no role is called `ap`.*no service is called `apl`/s],
  [{ role: ['edge'], host: ['node-1'] }, ['SC3161'], /--host node-1 --role edge/],
]
for (const [selection, codes, message] of refused) {
  test(`${JSON.stringify(selection)} is refused as ${codes}`, () => {
    const selected = select(deployment, selection)
    assert.equal(!selected.ok && selected.diagnostics.map(({ code }) => code), codes)
    assert.match(selected.ok ? '' : selected.diagnostics.map((diagnostic) => diagnostic.message).join('\n'), message)
  })
}

test('a near miss is named', () => {
  const selected = select(deployment, { service: ['apu'] })
  assert.is(!selected.ok && selected.diagnostics[0]?.suggestion, 'api')
})

test('an environment without hosts has nothing to look at', () => {
  const selected = select({ ...deployment, hosts: [] }, {})
  assert.equal(!selected.ok && selected.diagnostics.map(({ code }) => code), ['SC3162'])
})

test.run()
