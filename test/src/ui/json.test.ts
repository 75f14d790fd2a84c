import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { z } from 'zod'
import { createView } from '../../../src/ui/create-view.ts'
import { within } from '../../support/assertions.ts'
import { CapturedStream } from '../../support/captured-stream.ts'
import { graphOf, ScriptedRun } from '../../support/scripted-run.ts'

const test = suite('src/ui/json')

/** spec/core/events.md, as a schema. */
const head = { schema_version: z.literal(1), at: z.iso.datetime(), task: z.string(), kind: z.string() }
const because = z.strictObject({ reason: z.string(), detail: z.string() })
const failure = z.strictObject({
  reason: z.string(),
  subject: z.string(),
  message: z.string(),
  remedy: z.string().optional(),
  output: z.array(z.string()).optional(),
  stack: z.string().optional(),
})
const values = z.record(z.string(), z.unknown())
const outcome = z.discriminatedUnion('status', [
  z.strictObject({ status: z.literal('ran'), because, values }),
  z.strictObject({
    status: z.literal('skipped'),
    from: z.enum(['target', 'local', 'remote']),
    how: z.enum(['present', 'restored', 'not-needed']),
    restored_files: z.number().optional(),
    detail: z.string().optional(),
    values,
  }),
  z.strictObject({ status: z.literal('failed'), failure }),
  z.strictObject({ status: z.literal('canceled'), by: z.string() }),
])
const count = z.number().int().min(0)
const record = z.discriminatedUnion('type', [
  z.strictObject({ ...head, type: z.literal('started'), because }),
  z.strictObject({ ...head, type: z.literal('output'), line: z.string(), replayed: z.literal(true).optional() }),
  z.strictObject({ ...head, type: z.literal('finished'), outcome }),
  z.strictObject({
    schema_version: z.literal(1),
    type: z.literal('summary'),
    duration_ms: count,
    ran: count,
    skipped: count,
    restored: z.strictObject({ local: count, remote: count }),
    failed: count,
    canceled: count,
    release: z.strictObject({ id: z.string(), version: z.string() }).optional(),
  }),
])

test('every event is one line on stdout, as documented, and stderr stays empty', async () => {
  const [stdout, stderr] = [new CapturedStream(), new CapturedStream()]
  const streams = { stdout: stdout.asTerminal(), stderr: stderr.asTerminal(), env: {} }
  const view = createView('json', streams, { color: true, verbose: false, quiet: false, title: (task) => task.id })
  const run = new ScriptedRun((event) => view.on(event))
  const graph = graphOf('build:a', 'build:b', 'build:c', 'push:b')
  const driven = view.drive(graph, run)
  run.start('build:a')
  run.say('build:a', 'two\nlines and \u001b[31mred')
  run.now = 1500
  run.succeed('build:a')
  run.fail('build:b', { remedy: 'look', output: ['last'], stack: 'at x' })
  run.skip('build:c')
  run.cancel('push:b', 'build:b')
  await within(2000, driven)
  view.finish({ graph, outcomes: run.outcomes, durationMs: 1500.4, release: { id: 'r1', version: 'v1' } })
  const records = stdout.text
    .trimEnd()
    .split('\n')
    .map((line) => record.parse(JSON.parse(line)))
  assert.equal(
    records.map((one) => one.type),
    ['started', 'output', 'finished', 'finished', 'finished', 'finished', 'summary'],
  )
  assert.is(stderr.text, '')
  const [, output, ran, failed] = records
  assert.is(output?.type === 'output' && output.line, 'two\nlines and \u001b[31mred', 'text is whole')
  assert.is(ran?.type === 'finished' && ran.at, '1970-01-01T00:00:01.500Z')
  assert.equal(failed?.type === 'finished' && failed.outcome, {
    status: 'failed',
    failure: {
      reason: 'exit',
      subject: 'docker build',
      message: 'exited with code 1',
      remedy: 'look',
      output: ['last'],
      stack: 'at x',
    },
  })
  assert.equal(records.at(-1), {
    schema_version: 1,
    type: 'summary',
    duration_ms: 1500,
    ran: 1,
    skipped: 1,
    restored: { local: 0, remote: 0 },
    failed: 1,
    canceled: 1,
    release: { id: 'r1', version: 'v1' },
  })
})

test.run()
