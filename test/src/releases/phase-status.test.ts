import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { phases } from '../../../graph/types.ts'
import { phaseStatus, type TaskProgress } from '../../../src/releases/phase-status.ts'
import { advance, allPhases } from '../../../src/releases/release.ts'
import { release } from '../../support/releases.ts'

const test = suite('src/releases/phase-status')

type State = TaskProgress['state']

/** Tasks of the first phases, in order; the other phases have none. */
function statuses(...states: readonly (readonly State[])[]): string {
  const tasks = states.flatMap((list, index) => list.map((state) => ({ phase: phases[index] ?? 'build', state })))
  return Object.values(phaseStatus(tasks))
    .slice(0, states.length)
    .map(({ status, detail }) => [status, detail?.reason ?? (detail?.cached && 'cached')].filter(Boolean).join(':'))
    .join(' ')
}

const cases: readonly (readonly [name: string, states: readonly (readonly State[])[], expected: string])[] = [
  ['a phase without tasks has nothing to do', [[]], 'skipped:not_configured'],
  ['nothing begun is pending', [['waiting'], ['waiting']], 'pending pending'],
  ['fresh tasks do not begin a phase', [['skipped', 'waiting']], 'pending'],
  ['one running task begins it', [['skipped', 'running']], 'running'],
  ['between two tasks it is still running', [['ran', 'waiting']], 'running'],
  ['it fails when its last task is done', [['failed', 'running']], 'running'],
  ['all done', [['ran', 'skipped']], 'completed'],
  ['all as wanted already', [['skipped', 'skipped']], 'completed:cached'],
  ['a failure skips what comes after', [['failed', 'canceled'], ['canceled'], []], 'failed skipped:upstream_failed skipped:not_configured'],
  [
    'a phase that had begun before a failure elsewhere did not complete',
    [['failed'], ['ran', 'canceled']],
    'failed failed:upstream_failed',
  ],
  ['a failure in a later phase that ran ahead', [['canceled'], ['failed']], 'skipped:upstream_failed failed'],
  ['an interruption fails the phase it came in', [['ran', 'canceled'], ['canceled']], 'failed:cancelled skipped:upstream_failed'],
  [
    'an interruption before anything began',
    [['skipped'], ['canceled'], ['canceled']],
    'completed:cached failed:cancelled skipped:upstream_failed',
  ],
]

for (const [name, states, expected] of cases) test(name, () => assert.is(statuses(...states), expected))

test('a failure at each of the six positions', () => {
  for (const [position] of phases.entries()) {
    const states = phases.map((_, index): readonly State[] => (index < position ? ['ran'] : index === position ? ['failed'] : ['canceled']))
    const expected = phases.map((_, index) => (index < position ? 'completed' : index === position ? 'failed' : 'skipped:upstream_failed'))
    assert.is(statuses(...states), expected.join(' '))
  }
})

test('however tasks go on in their lives, a phase only takes steps that exist', () => {
  const life = fc.constantFrom<readonly State[]>(
    ['waiting', 'running', 'ran'],
    ['waiting', 'running', 'failed'],
    ['waiting', 'skipped', 'skipped'],
    ['waiting', 'waiting', 'canceled'],
  )
  const tasks = fc.array(fc.record({ phase: fc.constantFrom(...phases), life, at: fc.array(fc.nat(2), { minLength: 6, maxLength: 6 }) }), {
    maxLength: 8,
  })
  fc.assert(
    fc.property(tasks, (lives) => {
      let current = release('rel-20260102-030405678', { phases: allPhases('pending'), finished: false })
      for (let moment = 0; moment < 6; moment += 1) {
        const progress = lives.map(({ phase, life: states, at }) => {
          const furthest = moment === 5 ? 2 : Math.max(...at.slice(0, moment + 1))
          return { phase, state: states[furthest] ?? 'waiting' }
        })
        const views = phaseStatus(progress)
        for (const phase of phases) {
          const settled = current.phases[phase] !== 'pending' && current.phases[phase] !== 'running'
          if (!settled) current = advance(current, phase, views[phase].status, views[phase].detail)
        }
      }
      assert.not.ok(Object.values(current.phases).some((status) => status === 'pending' || status === 'running'))
    }),
  )
})

test.run()
