import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { Deployment, Prediction } from '../../../src/contracts.ts'
import { noticesOf } from '../../../src/session/notices.ts'
import { graphOf, task } from '../../support/fake-run.ts'

const test = suite('src/session/notices')

const roll = (service: string, order: string, orderReason: string | null) =>
  task(`rollout:${service}@n-1`, { params: { service, host: 'n-1', order, orderReason } })
const graph = graphOf(roll('db', 'stop-first', 'keeps data in `data`'), roll('web', 'start-first', null), task('build:web'))
const fleet = { onFailure: 'rollback' } as const
const deployment = { databases: [{ name: 'main', strategy: 'pre_deploy' }], fleet } as unknown as Deployment
const runs: Prediction = { state: 'run', because: { reason: 'drift', detail: 'd' } }

test('a service that stops first is named with its reason, when it may roll', () => {
  assert.equal(
    noticesOf(graph, deployment, () => runs),
    [
      'db on n-1 stops before its replacement starts: keeps data in `data`',
      'on failure: hosts swapped in this run go back to what they ran before, the last first',
    ],
  )
  assert.equal(
    noticesOf(graph, deployment, () => ({ state: 'fresh', detail: '' })),
    [],
  )
})
test('manual migrations are said to be left alone', () => {
  const manual = { databases: [{ name: 'stats', strategy: 'manual' }], fleet } as unknown as Deployment
  assert.equal(
    noticesOf(graphOf(task('build:web')), manual, () => runs),
    ['migrations of stats are manual: no deploy runs them'],
  )
})

test.run()
