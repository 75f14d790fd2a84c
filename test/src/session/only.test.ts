/** `--only`: which tasks run, and what the rest stands for. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { fingerprint } from '../../../graph/fingerprint.ts'
import type { Action, TaskId } from '../../../graph/types.ts'
import { InputError } from '../../../src/contracts.ts'
import { partOf, takeLastResults, wholeGraph } from '../../../src/session/only.ts'
import { rejects } from '../../support/assertions.ts'
import { graphOf, id, memoryCache, resultOf, task } from '../../support/fake-run.ts'

const test = suite('src/session/only')

const exec = (service: object | null = null, inputs: readonly string[] | null = []) => ({ service, inputs, cache: true }) as never
const graph = graphOf(
  task('exec:gen', { params: exec() }),
  task('exec:db', { params: exec({}) }),
  task('exec:any', { params: exec(null, null) }),
  task('exec:lint', { params: exec() }),
  task('exec:test', { params: exec(), needs: ['exec:gen', 'exec:any'], after: ['exec:lint', 'exec:db'] }),
)

test('a glob speaks of names and ids; services a task depends on run too; other needs are assumed, what only comes first is not', () => {
  for (const glob of ['test', 'exec:test', 'te*']) {
    const { graph: runs, shown, assumed } = partOf(graph, glob)
    assert.equal([...shown.order].sort(), ['exec:db', 'exec:test'])
    assert.equal([...runs.order].sort(), ['exec:any', 'exec:db', 'exec:gen', 'exec:test'])
    assert.equal(
      assumed.map((one) => one.id),
      ['exec:any', 'exec:gen'],
    )
    assert.equal(runs.task(id('exec:test')).after, ['exec:db'])
    assert.equal(runs.task(id('exec:gen')).needs, [])
  }
})

test('a glob that speaks of nothing is an error that lists what there is', () => {
  assert.throws(
    () => partOf(graph, 'tset'),
    (error: unknown) => error instanceof InputError && error.diagnostics[0]?.code === 'SC3120' && /5 tasks: /.test(error.message),
  )
})

const action = (params: string): Action => ({ kind: 'exec', version: 1, params, env: {}, secrets: {}, files: {}, needs: {} })

test('last results come from the cache; of what always runs nothing is known but that it ran; stand-ins leave no trace', async () => {
  const cache = memoryCache()
  const recorded: TaskId[] = []
  const known = new Map([id('exec:gen'), id('exec:any')].map((one) => [one, action(one)]))
  const log = { last: async (one: TaskId) => known.get(one), record: async (one: TaskId) => void recorded.push(one) }
  await cache.actions.set(fingerprint(action('exec:gen')), resultOf('made'))
  const taken = await takeLastResults(partOf(graph, 'test'), { log, caches: [cache] })
  const standIn = taken.kinds.get('assumed')
  const look = async (one: string) => standIn?.observe?.(null, { id: id(one) } as never, undefined)
  assert.equal(await look('exec:gen'), { fresh: true, result: resultOf('made'), detail: 'as it was left' })
  assert.equal(await look('exec:any'), { fresh: true, result: { files: {}, values: { untracked: true } }, detail: 'as it was left' })
  await taken.log.record(id('exec:gen'), action('x'))
  await taken.log.record(id('exec:test'), action('x'))
  assert.equal(recorded, ['exec:test'])
})

test('needs that never ran here are an error that names each', async () => {
  const log = { last: async () => undefined, record: async () => undefined }
  const error = await rejects(
    takeLastResults(partOf(graph, 'test'), { log, caches: [memoryCache()] }),
    /leaves out `any`[\s\S]*leaves out `gen`/,
  )
  assert.instance(error, InputError)
})

test('a whole graph assumes nothing', async () => {
  const log = { last: async () => undefined, record: async () => undefined }
  const taken = await takeLastResults(wholeGraph(graph), { log, caches: [] })
  assert.is(taken.log, log)
  assert.not.ok(taken.kinds.has('assumed'))
})

test.run()
