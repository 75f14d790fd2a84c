import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { type HostLook, restartPlan } from '../../../../src/operations/restart/order.ts'
import type { Container } from '../../../../tasks/ports.ts'

const test = suite('src/operations/restart/order')

function container(name: string, health: Container['health'] = 'healthy', state: Container['state'] = 'running'): Container {
  return { id: name, name, service: name.split('-')[0] ?? '', hash: 'a', image: 'i', state, health, ports: [] }
}
function look(host: string, names: readonly Container[], isSelected = true): HostLook {
  return { host, containers: names, isSelected }
}
const told = (plan: ReturnType<typeof restartPlan>) => ({
  steps: plan.steps.map(({ host, container: { name } }) => `${host}/${name}`),
  alone: plan.interruptions.map(({ service }) => service),
  absent: plan.absent,
})

const rows: readonly (readonly [string, readonly HostLook[], readonly string[], ReturnType<typeof told>])[] = [
  [
    'one by one, by host and number',
    [look('b', [container('web-1')]), look('a', [container('web-2'), container('web-1')])],
    ['web'],
    { steps: ['a/web-1', 'a/web-2', 'b/web-1'], alone: [], absent: [] },
  ],
  [
    'services in the order given',
    [look('a', [container('web-1'), container('api-1')])],
    ['web', 'api'],
    { steps: ['a/web-1', 'a/api-1'], alone: ['web', 'api'], absent: [] },
  ],
  ['the only one that serves is told', [look('a', [container('web-1')])], ['web'], { steps: ['a/web-1'], alone: ['web'], absent: [] }],
  [
    'one that serves elsewhere serves',
    [look('a', [container('web-1')]), look('b', [container('web-1')], false)],
    ['web'],
    { steps: ['a/web-1'], alone: [], absent: [] },
  ],
  [
    'an unhealthy one does not count, and comes first',
    [look('a', [container('web-1'), container('web-2', 'unhealthy')])],
    ['web'],
    { steps: ['a/web-2', 'a/web-1'], alone: ['web'], absent: [] },
  ],
  [
    'where nobody serves, nobody is interrupted',
    [look('a', [container('web-1', 'unhealthy')])],
    ['web'],
    { steps: ['a/web-1'], alone: [], absent: [] },
  ],
  [
    'what is stopped is for a deploy to start',
    [look('a', [container('web-1', 'none', 'exited')])],
    ['web'],
    { steps: [], alone: [], absent: ['web'] },
  ],
]
for (const [name, looks, services, expected] of rows) test(name, () => assert.equal(told(restartPlan(looks, services)), expected))

test('every running container of a selected host is restarted once, and none of another', () => {
  const health = fc.constantFrom<Container['health']>('healthy', 'unhealthy', 'none', 'starting')
  const host = fc.tuple(fc.array(health, { maxLength: 4 }), fc.boolean())
  fc.assert(
    fc.property(fc.array(host, { maxLength: 4 }), (hosts) => {
      const looks = hosts.map(([all, isSelected], index) =>
        look(
          `h${index}`,
          all.map((one, at) => container(`web-${at + 1}`, one)),
          isSelected,
        ),
      )
      const { steps, interruptions } = restartPlan(looks, ['web'])
      const wanted = looks.flatMap(({ host, containers, isSelected }) =>
        isSelected ? containers.map(({ name }) => `${host}/${name}`) : [],
      )
      assert.equal(steps.map(({ host, container: { name } }) => `${host}/${name}`).sort(), wanted.sort())
      const serving = looks.flatMap(({ containers }) => containers.filter(({ health }) => health === 'healthy' || health === 'none'))
      if (serving.length > 1) assert.is(interruptions.length, 0)
    }),
  )
})

test.run()
