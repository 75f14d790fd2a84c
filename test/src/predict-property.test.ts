/** What is predicted is what a run then does: over random graphs, random histories and random changes of the world. */
import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { Task } from '../../graph/types.ts'
import { predict } from '../../src/predict.ts'
import type { TaskKind } from '../../tasks/kind.ts'
import { graphOf, kind, resultOf, rig, task } from '../support/fake-run.ts'

const test = suite('src/predict-property')

/** Sources that content is made from, and what targets carry: all that a history changes. */
class World {
  readonly sources = new Map<string, number>()
  readonly targets = new Map<string, string>()

  kinds(): readonly TaskKind[] {
    const source = (params: unknown) => this.sources.get(String(params)) ?? 0
    const apply: Partial<TaskKind> = {
      freshness: 'effect',
      exclusive: true,
      observe: async (_params, { id, fingerprint }) =>
        this.targets.get(id) === fingerprint
          ? { fresh: true, result: resultOf(fingerprint) }
          : { fresh: false, because: { reason: 'drift', detail: 'not as wanted' } },
      run: async (_params, { id, fingerprint }) => {
        this.targets.set(id, fingerprint)
        return resultOf(fingerprint)
      },
    }
    return [
      // Half of its changes make no other result: what depends on it is then up to date after all.
      kind('build', {
        identity: (params) => [params, source(params)],
        run: async (params) => resultOf(source(params) >> 1),
      }),
      kind('render', { pure: true, identity: (params) => [params, source(params)], run: async (params) => resultOf(source(params)) }),
      kind('apply', apply),
      kind('check', {
        ...apply,
        exclusive: false,
        looksAfterOthers: true,
        observe: async () =>
          [...this.targets.values()].includes('broken')
            ? { fresh: false, because: { reason: 'drift', detail: 'something is broken' } }
            : { fresh: true, result: resultOf('well') },
        run: async () => resultOf('well'),
      }),
    ]
  }
}

const kindNames = ['build', 'render', 'apply', 'apply'] as const
const graphs = fc.array(fc.record({ kind: fc.nat(3), needs: fc.nat(7), after: fc.nat(7) }), { minLength: 2, maxLength: 9 }).map((rows) => {
  const names = rows.map((row, index) => `${kindNames[row.kind]}:t${index}`)
  const before = (index: number, bits: number) => names.slice(Math.max(0, index - 3), index).filter((_, bit) => (bits >> bit) & 1)
  const tasks = rows.map((row, index): Task => {
    const needs = before(index, row.needs)
    const after = before(index, row.after).filter((name) => !needs.includes(name))
    return task(names[index] ?? '', { needs, after, params: `t${index}` })
  })
  const applied = names.filter((name) => name.startsWith('apply:'))
  return [...tasks, task('check:all', { after: applied })]
})
const steps = fc.array(fc.record({ what: fc.constantFrom('source', 'target', 'nothing'), where: fc.nat(8) }), {
  minLength: 1,
  maxLength: 6,
})

test('every task that was to run runs, and none that was up to date', () =>
  fc.assert(
    fc.asyncProperty(graphs, steps, async (tasks, history) => {
      const world = new World()
      const r = rig(world.kinds())
      const graph = graphOf(...tasks)
      for (const { what, where } of history) {
        const name = `t${where}`
        if (what === 'source') world.sources.set(name, (world.sources.get(name) ?? 0) + 1)
        if (what === 'target' && tasks.some(({ id }) => id === `apply:${name}`)) world.targets.set(`apply:${name}`, 'broken')
        const before = JSON.stringify([...world.targets])
        const predicted = await predict(graph, { ...r.options, online: true })
        assert.is(JSON.stringify([...world.targets]), before, 'a plan touches nothing')
        await r.run(graph)
        const ran = new Set(r.started())
        for (const [id, { prediction }] of predicted) {
          if (prediction.state === 'run') assert.ok(ran.has(id), `${id} was to run`)
          if (prediction.state === 'fresh') assert.not.ok(ran.has(id), `${id} was up to date`)
          if (prediction.state === 'may-run')
            assert.is.not(predicted.get(prediction.waitsFor)?.prediction.state, 'fresh', 'it waits for something')
          assert.ok(prediction.state !== 'unknown')
        }
        const again = await predict(graph, { ...r.options, online: true })
        assert.ok(
          [...again.values()].every(({ prediction }) => prediction.state === 'fresh'),
          'afterwards there is nothing to do',
        )
      }
    }),
    { numRuns: 150 },
  ))

test.run()
