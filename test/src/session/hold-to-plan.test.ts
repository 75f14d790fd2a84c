import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { gateOf } from '../../../src/session/hold-to-plan.ts'
import { kind, task } from '../../support/fake-run.ts'
import { savedPlan } from '../../support/saved-plan.ts'

const test = suite('src/session/hold-to-plan')
const content = kind('build')
const effect = kind('rollout', { freshness: 'effect' })
const plan = savedPlan()
const gate = gateOf(plan)

test('a task that was planned, from what it was planned from, may start', () => {
  gate(task('build:web'), content, 'f1')
  gate(task('rollout:web@node-1'), effect, 'f2')
})

test('of content that seemed to be known, the result may be gone: it is made again', () => {
  const known = { ...plan, tasks: plan.tasks.map((one) => ({ ...one, state: 'fresh' as const })) }
  gateOf(known)(task('build:web'), content, 'f1')
  assert.throws(() => gateOf(known)(task('rollout:web@node-1'), effect, 'f2'), /was up to date when it was planned \(web-1 is exited\)/)
})

test('what was not planned, or would be made from something else, is not started', () => {
  assert.throws(() => gate(task('rollout:api@node-1'), effect, 'f2'), /is not in the plan; it was not started/)
  assert.throws(() => gate(task('build:web'), content, 'f9'), /would be made from something else than was planned/)
})

test.run()
