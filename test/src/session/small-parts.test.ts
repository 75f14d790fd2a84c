/** Exit codes, targets, the content store as kinds see it, build arguments. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { Digest, Failure, Outcome, TaskId } from '../../../graph/types.ts'
import { buildArguments } from '../../../src/pipelines/build-arguments.ts'
import { Pool } from '../../../src/pool.ts'
import { contentPort, memoryContent } from '../../../src/session/content.ts'
import { exitCodeOf } from '../../../src/session/exit-code.ts'
import { builtInTargets, matchesGlob, namedTasks, targetGraph } from '../../../src/session/targets.ts'
import type { TaskFailure } from '../../../tasks/kind.ts'
import { rejects } from '../../support/assertions.ts'
import { graphOf, memoryCache, resultOf, task } from '../../support/fake-run.ts'
import { accepted, resolved, told } from '../config/told.ts'

const test = suite('src/session/small-parts')

// --- exit codes -------------------------------------------------------------------------------------------------------

const ran: Outcome = { status: 'ran', result: resultOf(1), because: { reason: 'forced', detail: 'forced' } }
const skipped: Outcome = { status: 'skipped', result: resultOf(1), from: 'target' }
const canceled: Outcome = { status: 'canceled', by: 'stop' }
const failure: Failure = { reason: 'exit', subject: 's', message: 'm' }
const failed = (reason: Failure['reason'] = 'exit'): Outcome => ({ status: 'failed', failure: { ...failure, reason } })

for (const [title, outcomes, interrupted, expected] of [
  ['nothing to do', {}, false, 0],
  ['all ran or was fresh', { 'build:a': ran, 'push:a': skipped }, false, 0],
  ['an interrupt that came too late to matter', { 'build:a': ran }, true, 0],
  ['the world refused', { 'build:a': failed() }, false, 2],
  ['the lock was held', { 'rollout:a@h': failed('lock-held') }, false, 2],
  ['a run that was stopped', { 'build:a': canceled }, false, 2],
  ['interrupted', { 'build:a': failed('interrupted') }, true, 130],
  ['interrupted before it began', { 'build:a': canceled }, true, 130],
  ['a bug', { 'build:a': failed('bug'), 'build:b': failed() }, false, 3],
  ['a bug, interrupted', { 'build:a': failed('bug') }, true, 3],
  ['one host rolled, another not', { 'rollout:a@h1': ran, 'rollout:a@h2': failed() }, false, 10],
  ['one host rolled, another not reached', { 'rollout:a@h1': ran, 'rollout:a@h2': canceled, 'push:b': failed() }, false, 10],
  ['half of one host', { 'rollout:a@h1': ran, 'rollout:b@h1': failed() }, false, 2],
  ['the others were fresh', { 'rollout:a@h1': skipped, 'rollout:a@h2': failed() }, false, 2],
  ['all rolled, the release failed', { 'rollout:a@h1': ran, 'finalize:p': failed() }, false, 2],
] as const) {
  test(`exit code ${expected}: ${title}`, () => {
    assert.is(exitCodeOf(new Map(Object.entries(outcomes) as [TaskId, Outcome][]), interrupted), expected)
  })
}

for (const [title, more, expected] of [
  ['all of it was taken back', { undone: new Set(['rollout:a@h1'] as TaskId[]) }, 2],
  ['one of two was taken back', { undone: new Set(['rollout:a@h3'] as TaskId[]) }, 10],
] as const) {
  test(`exit code ${expected}: ${title}`, () => {
    const outcomes = { 'rollout:a@h1': ran, 'rollout:a@h2': failed(), ...(expected === 10 ? { 'rollout:a@h3': ran } : {}) }
    assert.is(exitCodeOf(new Map(Object.entries(outcomes) as [TaskId, Outcome][]), false, more), expected)
  })
}
for (const [title, more, expected] of [
  ['a host that an earlier run had rolled was taken back', { undone: new Set(['rollout:a@h1'] as TaskId[]) }, 2],
  ['a host that an earlier run had rolled could not be taken back', { failed: new Map([['rollout:a@h1' as TaskId, failure]]) }, 10],
] as const) {
  test(`exit code ${expected}: ${title}`, () => {
    const outcomes = { 'rollout:a@h1': skipped, 'rollout:a@h2': failed() }
    assert.is(exitCodeOf(new Map(Object.entries(outcomes) as [TaskId, Outcome][]), false, more), expected)
  })
}
test('exit code 10: all is well, without hosts that did not answer', () => {
  assert.is(exitCodeOf(new Map([['rollout:a@h1' as TaskId, ran]]), false, { isPartial: true }), 10)
})

// --- targets ----------------------------------------------------------------------------------------------------------

const graph = graphOf(
  task('build:api'),
  task('build:web'),
  task('push:api', { needs: ['build:api'] }),
  task('rollout:api@n-1', { after: ['push:api'] }),
)
const targets = (...words: string[]) => {
  const found = targetGraph(words, graph)
  return found.ok ? [...found.value.order] : told(found.diagnostics)
}

test('a target brings all that its tasks depend on; an id only its own', () => {
  assert.equal(targets('build'), ['build:api', 'build:web'])
  assert.equal(targets('push'), ['build:api', 'push:api'])
  assert.equal(targets('push:api', 'build:web'), ['build:api', 'build:web', 'push:api'])
  assert.equal(targets('migrate'), [], 'a target that nothing belongs to is fine')
  assert.match(targets('deploy')[0] ?? '', 'SC3107 this environment has no hosts to deploy to')
})

test('the task of a service without a host is that of every host, and a push is however its image travels', () => {
  const sent = graphOf(
    task('build:web'),
    task('transfer:web@n-1', { after: ['build:web'] }),
    task('transfer:web@n-2', { after: ['build:web'] }),
    task('transfer:website@n-1'),
    task('rollout:web@n-1', { after: ['transfer:web@n-1'] }),
    task('finalize:prod'),
  )
  const ids = (word: string) => {
    const found = targetGraph([word], sent)
    return found.ok ? [...found.value.order].sort() : told(found.diagnostics)
  }
  assert.equal(ids('push:web'), ['build:web', 'transfer:web@n-1', 'transfer:web@n-2'])
  assert.equal(ids('rollout:web'), ['build:web', 'rollout:web@n-1', 'transfer:web@n-1'])
  assert.match(ids('push:we')[0] ?? '', 'SC3104')
  assert.match(ids('deploy:web')[0] ?? '', 'SC3104', 'a release is more than its tasks')
  assert.equal([...namedTasks(['push:web'], sent, {})].sort(), ['transfer:web@n-1', 'transfer:web@n-2'])
})

test('every word nobody knows is reported, with what was probably meant', () => {
  const listed = `expected one of ${builtInTargets.join(', ')}, or a task id as \`stagecraft graph\` lists them`
  assert.equal(targets('biuld', 'build:wep', 'xyzzy'), [
    `- SC3104 no target or task is called \`biuld\`: ${listed} → build`,
    `- SC3104 no target or task is called \`build:wep\`: ${listed} → build:web`,
    `- SC3104 no target or task is called \`xyzzy\`: ${listed}`,
  ])
})

test('a word that every object has is no target', () => assert.match(targets('constructor')[0] ?? '', 'SC3104'))

for (const [glob, matching, other] of [
  ['build:*', 'build:api', 'push:api'],
  ['rollout:web@node-?', 'rollout:web@node-1', 'rollout:web@node-10'],
  ['*', 'anything', undefined],
  ['build:a.b', 'build:a.b', 'build:axb'],
  ['(x)+[y]', '(x)+[y]', 'xx'],
] as const) {
  test(`glob ${glob}`, () => {
    assert.ok(matchesGlob(glob, matching))
    if (other !== undefined) assert.not.ok(matchesGlob(glob, other))
  })
}

// --- content ----------------------------------------------------------------------------------------------------------

test('a blob that is gone is a failure with a remedy; a store that cannot be written says what to do', async () => {
  const store = memoryCache().content
  const port = contentPort(store)
  assert.equal(await port.read(await port.write(Buffer.from('x'))), Buffer.from('x'))
  const missing = (await rejects(port.read('0'.repeat(64) as Digest))) as TaskFailure
  assert.is(missing.failure.reason, 'missing-output')
  const full = contentPort({ ...store, write: () => Promise.reject(new Error('ENOSPC')) })
  const refused = (await rejects(full.write(Buffer.from('x')))) as TaskFailure
  assert.equal(
    [refused.message, refused.failure.remedy],
    ['the cache cannot be written: ENOSPC', 'free some space, or set STAGECRAFT_CACHE_DIR'],
  )
})

test('what a plan stores stays in memory', async () => {
  const store = memoryCache().content
  const plan = memoryContent(store)
  const digest = await plan.write(Buffer.from('x'))
  assert.equal(await plan.read(digest), Buffer.from('x'))
  assert.not.ok(await store.has(digest))
  assert.equal(await plan.read(await store.write(Buffer.from('y'))), Buffer.from('y'))
})

// --- build arguments --------------------------------------------------------------------------------------------------

const config = `project: {name: shop, registry: ghcr.io/acme/shop}
environments: {prod: {hosts: [h], variables: {MODE: fast}, env_file: .env.prod}}
`
const argumentsOf = async (args: string) => {
  const compose = `services:\n  web:\n    build: {context: ., args: ${args}}\n  db: {image: postgres}\n`
  return buildArguments(accepted(await resolved(config, compose, { envFileNames: ['TOKEN'] })))
}

test('plain variables are filled in, a doubled dollar is one', async () => {
  assert.equal(accepted(await argumentsOf('{MODE: "${MODE}-1", COST: "$$5", NONE: "${X:-none}"}')), {
    web: { MODE: 'fast-1', COST: '$5', NONE: 'none' },
  })
})

test('a secret would stay readable in the image, and is refused; all problems are told', async () => {
  const checked = await argumentsOf('{A: "x${TOKEN}", B: "${NOBODY:?must be set}"}')
  assert.ok(!checked.ok)
  const messages = checked.ok ? [] : checked.diagnostics.map(({ code, message, location }) => `${code} ${message} ${location?.file}`)
  assert.is(messages.length, 2)
  assert.match(
    messages[0] ?? '',
    'SC3105 build argument `A` of service `web` holds the secret `TOKEN`, which would stay readable in the image: use `build.secrets`',
  )
  assert.match(messages[1] ?? '', 'SC3105 build argument `B` of service `web`: `NOBODY` ')
})

// --- pool -------------------------------------------------------------------------------------------------------------

test('a pool keeps its width, order of arrival, and its slots when work fails', async () => {
  for (const width of [0, 1.5, Number.NaN]) assert.throws(() => new Pool(width), /a pool needs a width of at least 1/)
  const pool = new Pool(1)
  const seen: number[] = []
  const work = (n: number) => pool.use(async () => (n === 1 ? Promise.reject(new Error('no')) : void seen.push(n)))
  const all = await Promise.allSettled([work(1), work(2), work(3)])
  assert.equal(
    [all.map(({ status }) => status), seen],
    [
      ['rejected', 'fulfilled', 'fulfilled'],
      [2, 3],
    ],
  )
})

test.run()
