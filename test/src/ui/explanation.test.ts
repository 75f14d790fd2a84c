import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { renderExplanation } from '../../../src/ui/explanation.ts'
import { golden } from '../../support/golden.ts'

const test = suite('src/ui/explanation')

const explained: Parameters<typeof renderExplanation>[0] = {
  id: 'exec:codegen',
  title: 'codegen',
  freshness: 'content',
  prediction: { state: 'run', because: { reason: 'file', detail: 'schema/shop.graphql changed (+3 more)' } },
  fingerprint: 'f'.repeat(64),
  ranBefore: true,
  parts: [
    { part: 'kind', name: 'exec', change: 'same' },
    { part: 'params', name: 'command[2]', change: 'changed' },
    { part: 'params', name: 'cwd', change: 'same' },
    { part: 'env', name: 'MODE', change: 'added' },
    { part: 'env', name: 'NODE_ENV', change: 'same' },
    { part: 'secret', name: 'NPM_TOKEN', change: 'same' },
    { part: 'file', name: 'schema/shop.graphql', change: 'changed' },
    ...Array.from({ length: 214 }, (_, n) => ({ part: 'file', name: `schema/${n}.graphql`, change: 'same' })),
    { part: 'need', name: 'exec:install', change: 'changed' },
    { part: 'need', name: 'exec:fetch', change: 'same' },
  ],
  outputs: [],
  storedIn: [],
  sparedBy: [],
  lastRun: { status: 'ran', durationMs: 3215, ranMs: 3215, because: 'schema/a.graphql added', finishedAt: '2026-11-23T10:52:07.113Z' },
}
const text = (changes: Partial<typeof explained> = {}, verbose = false) =>
  renderExplanation({ ...explained, ...changes }, { color: false, verbose })
const same = explained.parts.filter(({ change }) => change === 'same')

test('why it would run, by name; what did not change, by number', () => golden('explain/changed.txt', text()))
test('in colour', () => golden('explain/colour.txt', renderExplanation(explained, { color: true, verbose: false })))
test('--verbose names what did not change', () => {
  const parts = explained.parts.filter(({ name }) => !/\/\d\d/.test(name))
  golden('explain/verbose.txt', text({ parts }, true))
})
test('outputs that were edited or deleted are the cause', () => {
  const outputs = [
    { path: 'src/generated/a.ts', change: 'edited' },
    { path: 'src/generated/b.ts', change: 'missing' },
  ]
  const because = { reason: 'output', detail: 'its outputs are put back from the local cache' } as const
  golden(
    'explain/outputs.txt',
    text({ parts: same, outputs, storedIn: ['local'], prediction: { state: 'run', because, restoredFrom: 'local' } }),
  )
})
test('never ran here', () => {
  const { lastRun: _, ...rest } = explained
  const because = { reason: 'first-run', detail: 'no result here yet' } as const
  golden(
    'explain/first.txt',
    renderExplanation({ ...rest, ranBefore: false, parts: same, prediction: { state: 'run', because } }, { color: false, verbose: false }),
  )
})
test('a service says how it is judged; an effect how its target drifted', () => {
  const service = 'started when a task that depends on it runs; ready when http://127.0.0.1:4000/health answers, within 60 s'
  assert.match(text({ service }), `service      ${service}`)
  const because = { reason: 'drift', detail: 'container web-1 is not running' } as const
  const effect = text({ freshness: 'effect', title: 'roll out web on node-1', parts: same, prediction: { state: 'run', because } })
  assert.match(effect, 'would run: container web-1 is not running')
  assert.match(effect, 'roll out web on node-1')
  assert.not.match(effect, 'in no cache')
})

for (const [title, changes, expected] of [
  ['fresh', { prediction: { state: 'fresh', detail: '1 running' } }, 'is up to date: 1 running'],
  [
    'may run',
    { prediction: { state: 'may-run', waitsFor: 'build:web' as never }, parts: [] },
    'may run: it waits for the result of build:web',
  ],
  ['unknown', { prediction: { state: 'unknown', message: 'no answer' } }, 'could not be judged: no answer'],
  [
    'always',
    { prediction: { state: 'run', because: { reason: 'always', detail: 'it always runs: it says `cache: false`' } } },
    'codegen  always runs: it says `cache: false`',
  ],
] as const) {
  test(`the verdict: ${title}`, () => assert.match(text(changes), expected))
}

test('what always runs is skipped on nothing', () => {
  const because = { reason: 'always', detail: 'it always runs: it says `cache: false`' }
  assert.match(text({ prediction: { state: 'run', because } as never }), /^skipped on +nothing$/m)
})

test('early cutoff: needs that ran again and changed nothing are named', () => {
  const said = (...sparedBy: string[]) => text({ sparedBy, prediction: { state: 'fresh', detail: 'unchanged (local)' } as never })
  assert.match(said('exec:codegen'), 'In the last run codegen ran again and made the same result, so nothing changed for this task.')
  assert.match(said('exec:a', 'build:b', 'exec:c'), 'In the last run a, build:b and c ran again and made the same results')
  assert.match(said('a', 'b', 'c', 'd', 'e'), 'a, b, c and 2 more ran again')
})

test('while a result is not known, neither is what the task is made from', () => {
  const { fingerprint: _, ...rest } = explained
  const waiting = renderExplanation(
    { ...rest, parts: [], prediction: { state: 'may-run', waitsFor: 'exec:install' as never } },
    { color: false, verbose: false },
  )
  assert.match(waiting, 'what it is made from is not known before that')
  assert.not.match(waiting, 'fingerprint ')
})

test('more causes than anybody reads are counted, and --verbose names them all', () => {
  const parts = Array.from({ length: 30 }, (_, n) => ({ part: 'file', name: `src/${n}.ts`, change: 'changed' }))
  assert.match(text({ parts }), 'and 10 more (--verbose names them)')
  assert.match(text({ parts }, true), 'src/29.ts')
})

for (const [storedIn, words] of [
  [[], 'in no cache'],
  [['local', 'remote', 'project'], 'in the local cache, in the shared cache, in the project folder'],
] as const) {
  test(`where its result is: ${words}`, () => assert.match(text({ storedIn }), `result       ${words}`))
}

for (const [status, changes, words] of [
  ['failed', { durationMs: 90_000 }, 'failed in 1m 30s, 2026-11-23 10:52 UTC'],
  ['skipped', { ranMs: 4200 }, 'was up to date (takes 4.2s), 2026-11-23 10:52 UTC'],
  ['skipped', { ranMs: 4200, restored: true }, 'was restored (takes 4.2s), 2026-11-23 10:52 UTC'],
  ['canceled', {}, 'was not run, 2026-11-23 10:52 UTC'],
] as const) {
  test(`the last run: ${status}`, () => {
    const lastRun = { status, durationMs: 1, finishedAt: '2026-11-23T10:52:07.113Z', ...changes }
    assert.match(text({ lastRun }), words)
  })
}

test.run()
