import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { TaskId } from '../../../graph/types.ts'
import { createPaint } from '../../../src/ui/paint.ts'
import { type RunResult, renderSummary } from '../../../src/ui/summary.ts'
import { graphOf, nothing, ScriptedRun } from '../../support/scripted-run.ts'

const test = suite('src/ui/summary')

/** Renders what is left after a script of endings, in the order of the ids. */
function summary(ids: readonly string[], script: (run: ScriptedRun) => void, more: Partial<RunResult> = {}): string {
  const run = new ScriptedRun(() => undefined)
  script(run)
  return renderSummary({ graph: graphOf(...ids), outcomes: run.outcomes, durationMs: 3200, paint: createPaint(false), ...more })
}

test('nothing to do says how much was looked at', () => {
  const fresh = (run: ScriptedRun) => ['a:1', 'a:2'].forEach((id) => void run.skip(id))
  assert.is(summary(['a:1', 'a:2'], fresh), 'nothing to do (2 tasks up to date)\n')
  assert.is(summary(['a:1'], fresh), 'nothing to do (1 task up to date)\n')
  assert.is(summary([], fresh), 'nothing to do (no tasks)\n')
})

test('a success counts what ran and names the release', () => {
  const text = summary(
    ['a:1', 'a:2'],
    (run) => {
      run.succeed('a:1')
      run.skip('a:2')
    },
    { release: { id: 'r1', version: 'v1.4.0' } },
  )
  assert.is(text, 'done in 3.2s: 1 ran, 1 up to date\n  release r1 (v1.4.0)\n')
})

test('failures are told whole, in the order of the graph, and what was not run is counted by its first cause', () => {
  const text = summary(['build:a', 'build:b', 'push:a', 'rollout:a', 'push:b', 'health:x'], (run) => {
    run.cancel('rollout:a', 'push:a')
    run.cancel('push:a', 'build:a')
    run.fail('build:b', { subject: 'node-1', message: 'node-1 did not answer\nwithin 60 s', reason: 'timeout' })
    run.fail('build:a', { output: ['one', 'two'], remedy: 'run it by hand' })
    run.cancel('push:b', 'build:b')
    run.cancel('health:x', 'stop')
  })
  assert.is(
    text,
    `✖ build:a: command failed
  docker build: exited with code 1
  │ one
  │ two
  try: run it by hand
✖ build:b: timed out
  node-1 did not answer
  within 60 s
failed after 3.2s: 2 failed, 4 not run
  2 not run: build:a failed
  1 not run: build:b failed
  1 not run: the run had stopped after a failure
`,
  )
})

test('what was put back is told apart from what was there, and the time that saved', () => {
  const restored = (from: 'local' | 'remote') => ({ status: 'skipped', result: nothing, from, how: 'restored', restoredFiles: 3 }) as const
  const text = summary(
    ['exec:a', 'exec:b', 'exec:c', 'exec:d', 'exec:e'],
    (run) => {
      run.end('exec:a', restored('local'))
      run.end('exec:b', restored('remote'))
      run.end('exec:c', restored('remote'))
      run.skip('exec:d')
      run.end('exec:e', { status: 'skipped', result: nothing, from: 'local', how: 'not-needed' })
    },
    { savedMs: 61_000 },
  )
  assert.is(text, 'done in 3.2s: 1 up to date, 1 restored (local), 2 restored (remote), 1 not needed (saved 1m 01s)\n')
})

test('a failure tells how to run just that task again; --verbose names the slowest', () => {
  const run = new ScriptedRun(() => undefined)
  run.fail('exec:a')
  run.succeed('exec:b')
  const tookMs = new Map([
    ['exec:a' as TaskId, 10],
    ['exec:b' as TaskId, 2000],
  ])
  const text = renderSummary({
    graph: graphOf('exec:a', 'exec:b'),
    outcomes: run.outcomes,
    durationMs: 1,
    paint: createPaint(false),
    tookMs,
    again: (id) => `stagecraft run ${id.slice(5)}`,
    verbose: true,
  })
  assert.match(text, /^✖ a: command failed\n.*\n {2}again: stagecraft run a$/m)
  assert.match(text, /^ {2}slowest: b 2\.0s, a 10ms$/m)
})

test('an interrupt is not a failure', () => {
  const text = summary(['a:1', 'a:2'], (run) => {
    run.cancel('a:1', 'signal')
    run.cancel('a:2', 'a:1')
  })
  assert.is(text, 'interrupted after 3.2s: 2 not run\n  2 not run: interrupted\n')
  const atWork = (run: ScriptedRun) => run.fail('a:1', { reason: 'interrupted' })
  assert.match(summary(['a:1'], atWork), /^interrupted after 3\.2s: 1 interrupted$/m)
  const besides = (run: ScriptedRun) => {
    atWork(run)
    run.fail('a:2', { reason: 'unhealthy' })
  }
  assert.match(summary(['a:1', 'a:2'], besides), /^failed after 3\.2s: 1 failed, 1 interrupted$/m)
})

test('causes that name each other end all the same', () => {
  const text = summary(['a:1', 'a:2'], (run) => {
    run.cancel('a:1', 'a:2')
    run.cancel('a:2', 'a:1')
  })
  assert.match(text, /^stopped after 3\.2s: 2 not run\n/)
})

test('only the last lines of output are shown, without escape sequences', () => {
  const output = Array.from({ length: 30 }, (_, line) => `\u001b[31mline ${line}\u001b[0m`)
  const text = summary(['a:1'], (run) => run.fail('a:1', { output }))
  assert.equal(
    text.split('\n').filter((line) => line.startsWith('  │')),
    Array.from({ length: 20 }, (_, line) => `  │ line ${line + 10}`),
  )
})

test('a bug brings its stack', () => {
  const text = summary(['a:1'], (run) =>
    run.fail('a:1', { reason: 'bug', subject: 'a:1', message: 'oops', stack: 'Error: oops\n    at x' }),
  )
  assert.match(text, /^✖ a:1: bug in stagecraft\n {2}oops\n {2}Error: oops\n {6}at x\n/)
})

test.run()
