import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { type PlanView, renderPlan } from '../../../src/ui/plan.ts'
import { golden } from '../../support/golden.ts'

const test = suite('src/ui/plan')

const plan: PlanView = {
  heading: { Environment: 'prod', Version: 'v1.4.0', Services: 'api, web', Hosts: 'node-1' },
  tasks: [
    {
      id: 'build:api',
      title: 'build api',
      dependsOn: [],
      prediction: { state: 'run', because: { reason: 'file', detail: 'api/server.ts changed' } },
    },
    { id: 'build:web', title: 'build web', dependsOn: [], prediction: { state: 'fresh', detail: 'unchanged (local)' } },
    { id: 'push:api', title: 'push api', dependsOn: ['build:api'], prediction: { state: 'may-run', waitsFor: 'build:api' as never } },
    {
      id: 'rollout:web@node-1',
      title: 'roll web on node-1',
      dependsOn: ['push:api'],
      prediction: { state: 'unknown', message: 'node-1 does not answer' },
    },
  ],
  notices: ['db on node-1 stops before its replacement starts: keeps data in `db-data`'],
  warnings: ['service `web` has no healthcheck'],
  verbose: false,
  color: false,
}
const fresh = plan.tasks.map((task) => ({ ...task, prediction: { state: 'fresh', detail: 'up' } as const }))

test('a plan', () => golden('plan/plain.txt', renderPlan(plan)))
test('a plan with descriptions', () => golden('plan/verbose.txt', renderPlan({ ...plan, verbose: true })))
test('a plan in colour', () => golden('plan/colour.txt', renderPlan({ ...plan, color: true })))
test('nothing to do', () => golden('plan/nothing.txt', renderPlan({ ...plan, tasks: fresh, notices: [], warnings: [] })))
test('no tasks at all', () =>
  assert.match(renderPlan({ ...plan, tasks: [], notices: [], warnings: [] }), 'nothing to do (0 tasks up to date)'))

test.run()
