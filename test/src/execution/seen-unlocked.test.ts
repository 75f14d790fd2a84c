import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { Look, TaskKind } from '../../../tasks/kind.ts'
import { graphOf, id, kind, resultOf, rig, task } from '../../support/fake-run.ts'

const test = suite('src/execution/seen-unlocked')

const fresh: Look = { fresh: true, result: resultOf(1) }
const stale = (detail: string): Look => ({ fresh: false, because: { reason: 'drift', detail } })

/** A target whose look is another once the lock is held, and how often it was looked at. */
function effects(afterwards: Look, movedMeanwhile: boolean) {
  let isHeld = false
  const looks = { web: 0, api: 0 }
  const lock = {
    get isHeld() {
      return isHeld
    },
    hold: async () => {
      isHeld = true
    },
    movedMeanwhile: async () => movedMeanwhile,
    verify: async () => {},
  }
  const roll: TaskKind = kind('roll', {
    freshness: 'effect',
    exclusive: true,
    observe: async (params) => {
      const name = params as 'web' | 'api'
      looks[name] += 1
      return name === 'web' ? stale('not on the host yet') : isHeld ? afterwards : fresh
    },
  })
  const graph = graphOf(task('roll:api', { params: 'api' }), task('roll:web', { params: 'web', after: ['roll:api'] }))
  return { looks, run: rig([roll], { lock }), graph }
}

test('what was up to date before the lock and is not under it ends the run before anything was written', async () => {
  const { run, graph, looks } = effects(stale('api-1 runs another definition'), true)
  const outcome = (await run.run(graph)).get(id('roll:web'))
  assert.ok(outcome?.status === 'failed')
  assert.is(outcome.failure.reason, 'refused')
  assert.match(outcome.failure.message, /^roll:api was up to date .*: api-1 runs another definition; nothing was changed$/)
  assert.match(outcome.failure.remedy ?? '', '--wait')
  assert.equal(run.started(), [])
  assert.is(looks.api, 2)
})

test('what still is up to date is left alone, though something moved', async () => {
  const { run, graph } = effects(fresh, true)
  await run.run(graph)
  assert.equal(run.started(), ['roll:web'])
})

test('where no host looks different, nothing is looked at twice but by who takes the lock', async () => {
  const { run, graph, looks } = effects(stale('must not be seen'), false)
  await run.run(graph)
  assert.equal(run.started(), ['roll:web'])
  assert.equal(looks, { api: 1, web: 2 })
})

test.run()
