/** What a run leaves on disk: the trace, the summary, when tasks last ran. */
import { existsSync, mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { z } from 'zod'
import type { Outcome } from '../../../graph/types.ts'
import { InputError } from '../../../src/contracts.ts'
import { readLastRun } from '../../../src/session/last-run.ts'
import { reportFiles, writeReport } from '../../../src/session/report-files.ts'
import { concurrencyOf, poolWidths } from '../../../src/session/run-options.ts'
import { RunRecord } from '../../../src/session/run-record.ts'
import { runSummary } from '../../../src/session/run-summary.ts'
import { traceOf } from '../../../src/session/trace.ts'
import { nextLastRun, savedMs, somethingHappened, writeLastRun } from '../../../src/session/write-last-run.ts'
import { graphOf, id, resultOf, task } from '../../support/fake-run.ts'
import { inTemporaryDirectory } from '../../support/temporary-directory.ts'

const test = suite('src/session/reports')

const because = { reason: 'file', detail: 'src/a.ts changed' } as const
const ran: Outcome = { status: 'ran', result: resultOf(1), because }
const restored: Outcome = { status: 'skipped', result: resultOf(1), from: 'local', how: 'restored', detail: '2 files restored' }
const graph = graphOf(
  task('exec:a'),
  task('exec:b', { needs: ['exec:a'] }),
  task('exec:c'),
  task('exec:d', { needs: ['exec:c'] }),
  task('exec:e'),
)

/** a: 1000–1100, then b: 1150–1200; c fails 1000–1050, d is canceled; e is restored at 1010. */
function record(): RunRecord {
  const made = new RunRecord()
  const start = (name: string, at: number) => made.on({ type: 'started', task: task(name), at, because })
  const finish = (name: string, at: number, outcome: Outcome) => made.on({ type: 'finished', task: task(name), at, outcome })
  start('exec:a', 1000)
  start('exec:c', 1000)
  made.on({ type: 'output', task: task('exec:a'), at: 1001, line: 'x' })
  finish('exec:e', 1010, restored)
  finish('exec:c', 1050, { status: 'failed', failure: { reason: 'exit', subject: 'c', message: 'no', remedy: 'try', output: ['x'] } })
  finish('exec:d', 1050, { status: 'canceled', by: id('exec:c') })
  finish('exec:a', 1100, ran)
  start('exec:b', 1150)
  finish('exec:b', 1200, ran)
  return made
}

/** Of the trace event format, what Perfetto needs. */
const traceEvent = z.discriminatedUnion('ph', [
  z.object({
    ph: z.literal('X'),
    name: z.string(),
    cat: z.string(),
    pid: z.number(),
    tid: z.number(),
    ts: z.int().min(0),
    dur: z.int().min(0),
    args: z.object({ id: z.string(), status: z.string() }),
  }),
  z.object({
    ph: z.enum(['b', 'e']),
    name: z.string(),
    cat: z.string(),
    id: z.string(),
    pid: z.number(),
    tid: z.number(),
    ts: z.int().min(0),
  }),
  z.object({ ph: z.literal('i'), name: z.string(), s: z.enum(['t', 'p', 'g']), pid: z.number(), tid: z.number(), ts: z.int().min(0) }),
  z.object({
    ph: z.literal('M'),
    name: z.enum(['process_name', 'thread_name']),
    pid: z.number(),
    tid: z.number(),
    args: z.object({ name: z.string() }),
  }),
])

test('a trace has a lane per task at a time, the wait before each, and what did not run', () => {
  const trace = z.object({ traceEvents: z.array(traceEvent) }).parse(traceOf(graph, record(), 900))
  const spans = trace.traceEvents.flatMap((event) => (event.ph === 'X' ? [[event.name, event.tid, event.ts, event.dur]] : []))
  assert.equal(spans, [
    ['a', 1, 100_000, 100_000],
    ['c', 2, 100_000, 50_000],
    ['b', 1, 250_000, 50_000],
  ])
  const waits = trace.traceEvents.flatMap((event) => (event.ph === 'b' || event.ph === 'e' ? [[event.name, event.ts]] : []))
  assert.equal(waits.slice(-2), [
    ['b waits', 200_000],
    ['b waits', 250_000],
  ])
  assert.equal(
    trace.traceEvents.flatMap((event) => (event.ph === 'i' ? [event.name] : [])),
    ['e: local', 'd: canceled'],
  )
})

test('a summary tells of each task, however the run ended', () => {
  const summary = runSummary({
    targets: ['ci'],
    environment: '',
    graph,
    record: record(),
    startedAt: 900,
    finishedAt: 1250,
    exitCode: 2,
    versions: { stagecraft: '1' },
    fingerprints: new Map([[id('exec:a'), 'f1' as never]]),
  }) as Record<string, unknown>
  assert.equal(summary['counts'], {
    tasks: 5,
    ran: 2,
    up_to_date: 0,
    restored_local: 1,
    restored_remote: 0,
    not_needed: 0,
    failed: 1,
    canceled: 1,
  })
  assert.equal([summary['duration_ms'], summary['exit_code'], summary['started_at']], [350, 2, '1970-01-01T00:00:00.900Z'])
  const tasks = new Map((summary['tasks'] as { id: string }[]).map((one) => [one.id, one]))
  assert.equal(tasks.get('exec:a'), { id: 'exec:a', name: 'a', status: 'ran', because, start_ms: 100, duration_ms: 100, fingerprint: 'f1' })
  assert.equal(tasks.get('exec:d'), { id: 'exec:d', name: 'd', status: 'canceled', canceled_by: 'exec:c' })
  assert.equal(tasks.get('exec:e'), {
    id: 'exec:e',
    name: 'e',
    status: 'restored',
    from: 'local',
    detail: '2 files restored',
  })
  assert.match(JSON.stringify(tasks.get('exec:c')), '"failure":{"reason":"exit","subject":"c","message":"no","remedy":"try"}')
})

test('when tasks last ran is kept over runs in which they did not, and what is restored keeps how long it takes', () =>
  inTemporaryDirectory((directory) => {
    const ids = new Set(graph.order)
    assert.ok(somethingHappened(record()))
    const first = nextLastRun(undefined, record(), { startedAt: 900, finishedAt: new Date(2000) }, ids)
    const finishedAt = new Date(2000).toISOString()
    assert.equal(first.tasks.get(id('exec:b')), {
      status: 'ran',
      startMs: 250,
      durationMs: 50,
      ranMs: 50,
      because: 'src/a.ts changed',
      finishedAt,
    })
    assert.equal(first.tasks.get(id('exec:e')), { status: 'skipped', startMs: 110, durationMs: 0, restored: true, finishedAt })
    assert.is(first.tasks.get(id('exec:d'))?.status, 'canceled')
    writeLastRun(directory, first, assert.unreachable)
    assert.equal(readLastRun(directory), first)
    const again = new RunRecord()
    again.on({ type: 'finished', task: task('exec:a'), at: 5000, outcome: restored })
    ids.delete(id('exec:c'))
    const second = nextLastRun(first, again, { startedAt: 4990, finishedAt: new Date(6000) }, ids)
    assert.is(second.tasks.get(id('exec:a'))?.ranMs, 100)
    assert.is(second.tasks.get(id('exec:b')), first.tasks.get(id('exec:b')))
    assert.is(second.tasks.get(id('exec:c')), undefined, 'it is no task any more')
    writeLastRun(directory, second, assert.unreachable)
    assert.equal(readLastRun(directory), second)
    assert.is(savedMs(first, new Map([[id('exec:a'), restored]])), 100)
    const nothing = new RunRecord()
    nothing.on({ type: 'finished', task: task('exec:a'), at: 5000, outcome: { status: 'skipped', result: resultOf(1), from: 'local' } })
    assert.not.ok(somethingHappened(nothing))
    return Promise.resolve()
  }))

test('a report that cannot be written is an error before anything runs, and its folder is made', () =>
  inTemporaryDirectory((directory) => {
    mkdirSync(join(directory, 'folder'))
    assert.throws(
      () => reportFiles({ trace: 'folder' }, directory),
      (error: unknown) => error instanceof InputError && /`--trace folder` cannot be written: it is a folder/.test(error.message),
    )
    assert.throws(() => reportFiles({ summary: '/dev/null/x.json' }, directory), /`--summary \/dev\/null\/x\.json` cannot be written/)
    assert.throws(() => reportFiles({ trace: 'a', summary: './a' }, directory), /name the same file/)
    const { trace = '' } = reportFiles({ trace: 'new/t.json' }, directory)
    writeReport(trace, { a: 1 }, assert.unreachable)
    assert.equal(JSON.parse(readFileSync(trace, 'utf8')), { a: 1 })
    assert.not.ok(existsSync(join(directory, 'a')))
    const warnings: string[] = []
    writeReport(join(directory, 'folder'), {}, (message) => warnings.push(message))
    assert.is(warnings.length, 1)
    return Promise.resolve()
  }))

for (const [given, processors, expected] of [
  [undefined, 8, undefined],
  ['3', 8, 3],
  ['50%', 8, 4],
  ['50%', 1, 1],
  ['200%', 4, 8],
] as const) {
  test(`--concurrency ${given} of ${processors} processors is ${expected}`, () => assert.is(concurrencyOf(given, processors), expected))
}

test('tasks of the user share the processors, whatever else runs', () => {
  assert.equal(poolWidths(undefined, 2), { default: 8, exec: 2, docker: 4, registry: 4, host: 2, database: 1 })
  assert.equal(poolWidths(3, 16), { default: 3, exec: 3, docker: 3, registry: 3, host: 2, database: 1 })
})

test.run()
