import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { Outcome } from '../../graph/types.ts'
import { assess, describeAction } from '../../src/assess.ts'
import type { RunOptions } from '../../src/execution/run-options.ts'
import type { TaskContext, TaskKind } from '../../tasks/kind.ts'
import { rejects } from '../support/assertions.ts'
import { graphOf, id, kind, memoryCache, resultOf, rig, task } from '../support/fake-run.ts'

const test = suite('src/assess')
const context = {} as TaskContext

/** Why `build:a` runs, after it ran with `before` and is looked at with `after`. */
async function reason(
  before: Partial<RunOptions>,
  after: Partial<RunOptions>,
  parts: Partial<TaskKind> = {},
  paramsAfter: string = 'p',
): Promise<string> {
  const one = kind('build', { inputs: () => ({ files: [{ root: '.' }], env: ['MODE'], secrets: ['TOKEN'] }), ...parts })
  const r = rig([one], before)
  await r.run(graphOf(task('build:a', { params: 'p' })))
  const outcome: Outcome | undefined = (await r.run(graphOf(task('build:a', { params: paramsAfter })), after)).get(id('build:a'))
  return outcome?.status === 'ran' ? `${outcome.because.reason}: ${outcome.because.detail}` : (outcome?.status ?? 'none')
}

const files = (state: string): Partial<RunOptions> => ({ files: { states: async () => ({ 'a.txt': state }) } })
const secret = (digest: string): Partial<RunOptions> => ({ secrets: { names: ['TOKEN'], get: () => '', digest: () => digest } })

test('each kind of change is the reason it is', async () => {
  assert.match(await reason(files('1'), files('2')), /^file: .*a\.txt/)
  assert.match(await reason({ variable: () => '1' }, { variable: () => '2' }), /^env: .*MODE/)
  assert.match(await reason(secret('1'), secret('2')), /^secret: .*TOKEN/)
  assert.match(await reason({}, {}, {}, 'q'), /^params: /)
  assert.is(await reason({}, {}), 'skipped')
})

test('a result that the cache lost is absent, not changed', async () => {
  assert.is(await reason({}, { caches: [memoryCache()] }), 'absent: its result is no longer in the cache')
})

test('a verified task whose artifact is gone names the input that changed, else the artifact', async () => {
  const parts: Partial<TaskKind> = {
    freshness: 'verified',
    observe: async () => ({ fresh: false, because: { reason: 'absent', detail: 'no image' } }),
  }
  assert.match(await reason(files('1'), files('2'), parts), /^file: .*a\.txt/)
  assert.is(await reason(files('1'), files('1'), parts), 'absent: no image')
})

test('an effect’s own word is its reason', async () => {
  const parts: Partial<TaskKind> = {
    freshness: 'effect',
    observe: async () => ({ fresh: false, because: { reason: 'drift', detail: 'another runs' } }),
  }
  assert.is(await reason(files('1'), files('2'), parts), 'drift: another runs')
})

test('an effect is given no cached result; a verified task is', async () => {
  const seen: unknown[] = []
  for (const freshness of ['effect', 'verified'] as const) {
    const one = kind('x', {
      freshness,
      observe: async (_params, _context, cached) => {
        seen.push(cached?.values['value'])
        return { fresh: true, result: resultOf(2) }
      },
    })
    const { options } = rig([one])
    const described = await describeAction(task('x:a'), one, new Map(), options)
    await options.caches[0]?.actions.set(described.fingerprint, resultOf(1))
    const found = await assess(task('x:a'), one, described, context, options)
    assert.equal(found, { fresh: true, outcome: { status: 'skipped', result: resultOf(2), from: 'target', how: 'present' } })
  }
  assert.equal(seen, [undefined, 1])
})

test('what our own code got wrong is a bug: no way to look, a need without a result', async () => {
  const { options } = rig([])
  const blind = kind('x', { freshness: 'effect' })
  const described = await describeAction(task('x:a'), blind, new Map(), options)
  await rejects(assess(task('x:a'), blind, described, context, options), /cannot observe its target/)
  await rejects(describeAction(task('x:a', { needs: ['y:b'] }), blind, new Map(), options), /before y:b had a result/)
})

test.run()
