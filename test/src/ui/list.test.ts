import { stripVTControlCharacters } from 'node:util'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { TaskId } from '../../../graph/types.ts'
import { createView } from '../../../src/ui/create-view.ts'
import type { View, ViewOptions } from '../../../src/ui/view.ts'
import { within } from '../../support/assertions.ts'
import { CapturedStream } from '../../support/captured-stream.ts'
import { graphOf, ScriptedRun } from '../../support/scripted-run.ts'

const test = suite('src/ui/list')

interface Live {
  readonly view: View
  readonly run: ScriptedRun
  readonly stdout: CapturedStream
  readonly stderr: CapturedStream
  /** Resolves when the screen shows a text. */
  shows(text: string): Promise<void>
}

function live(more: Partial<ViewOptions> = {}): Live {
  const stderr = new CapturedStream()
  stderr.isTTY = true
  const stdout = new CapturedStream()
  stdout.isTTY = true
  const streams = { stdout: stdout.asTerminal(), stderr: stderr.asTerminal(), env: { TERM: 'xterm' } }
  const title = (task: { id: string }) => task.id.replace(':', ' ')
  const view = createView('auto', streams, { color: false, verbose: false, quiet: false, title, ...more })
  const run = new ScriptedRun((event) => view.on(event))
  run.now = Date.now()
  const shows = (text: string) =>
    new Promise<void>((resolve) => {
      const look = () => void (stripVTControlCharacters(stderr.text).includes(text) ? resolve() : setImmediate(look))
      look()
    })
  return { view, run, stdout, stderr, shows: (text) => within(5000, shows(text)) }
}

/** What stays on the screen: everything after the list was cleared for the last time. */
function remains(stderr: CapturedStream): string {
  return stripVTControlCharacters(stderr.writes.at(-1) ?? '')
}

test('shows tasks as they start, though others have not been judged yet, and leaves a line for each that ran', async () => {
  const { view, run, shows, stderr } = live()
  const driven = view.drive(graphOf('build:api', 'build:web', 'build:docs', 'push:web'), run)
  run.start('build:api', 'src/server.ts changed', 'file')
  await shows('build api')
  await shows('src/server.ts changed')
  run.say('build:api', 'npm ci')
  await shows('  npm ci')
  await shows('0 of 4 done')
  run.skip('build:docs')
  await shows('1 of 4 done, 1 up to date')
  run.start('build:web')
  run.fail('build:web', { output: ['npm ERR! missing'] })
  await shows('command failed')
  await shows('  npm ERR! missing')
  run.cancel('push:web', 'build:web')
  run.now += 1500
  run.succeed('build:api')
  await within(5000, driven)
  assert.is(remains(stderr), '✖ build web  0ms  command failed\n✔ build api  1.5s  src/server.ts changed\n')
})

test('what others write while the list is live is shown at once and stays afterwards', async () => {
  const { view, run, shows, stderr } = live()
  const driven = view.drive(graphOf('build:api', 'build:web'), run)
  run.start('build:api')
  await shows('0 of 2 done')
  stderr.asTerminal().write('stopping: waiting for clean-up\n')
  await shows('stopping: waiting for clean-up')
  run.cancel('build:web', 'signal')
  run.cancel('build:api', 'signal')
  await within(5000, driven)
  assert.is(stderr.writes.filter((text) => text.startsWith('stopping: waiting for clean-up')).length, 1)
})

test('a run in which everything is up to date writes nothing until its summary', async () => {
  const { view, run, stdout, stderr } = live()
  const graph = graphOf('build:api', 'build:web')
  const driven = view.drive(graph, run)
  run.skip('build:api')
  run.skip('build:web')
  await within(2000, driven)
  assert.is(stderr.text, '')
  view.finish({ graph, outcomes: run.outcomes, durationMs: 5 })
  assert.is(stdout.text, 'nothing to do (2 tasks up to date)\n', 'the summary is the result')
})

test('an empty graph is over at once', async () => {
  const { view, run, stderr } = live()
  await within(2000, view.drive(graphOf(), run))
  assert.is(stderr.text, '')
})

test('three hundred tasks at once fit the screen, and none is lost in the end', async () => {
  const { view, run, shows, stderr } = live()
  const ids = Array.from({ length: 300 }, (_, index) => `build:s${index}`)
  const driven = view.drive(graphOf(...ids), run)
  for (const id of ids) run.start(id)
  await shows('more running')
  for (const id of ids.slice(0, 100)) run.succeed(id)
  await shows('100 of 300 done')
  const frame = stderr.writes.find((text) => text.includes('100 of 300 done')) ?? ''
  assert.match(frame, /never built/, 'those that still run keep half of the screen')
  for (const frame of stderr.writes) assert.ok(frame.split('\n').length <= 24, `${frame.split('\n').length} lines on a screen of 24`)
  for (const id of ids.slice(100)) run.succeed(id)
  await within(5000, driven)
  assert.is(remains(stderr).trimEnd().split('\n').length, 300)
})

test('a signal is left to the program: the list neither ends the process nor itself', async () => {
  const { view, run, shows } = live()
  const driven = view.drive(graphOf('build:api', 'build:web'), run)
  run.start('build:api')
  await shows('0 of 2 done')
  const { exit } = process
  const exits: unknown[] = []
  const program = () => undefined
  process.on('SIGINT', program)
  process.exit = ((code: unknown) => void exits.push(code)) as typeof process.exit
  try {
    process.emit('SIGINT')
  } finally {
    process.exit = exit
    process.off('SIGINT', program)
  }
  assert.equal(exits, [])
  run.skip('build:web')
  run.succeed('build:api')
  await within(5000, driven)
})

const asked = (...ids: readonly string[]) => ({ asked: new Set(ids as readonly TaskId[]) })

test('a single task has the screen to itself: its lines come as it prints them', async () => {
  const { view, run, stderr, stdout } = live({ isFirstRun: true })
  const graph = graphOf('exec:test')
  const driven = view.drive(graph, run)
  run.start('exec:test')
  run.say('exec:test', 'ok 1')
  assert.is(stderr.text, 'no results in this checkout yet\n▶ exec test\nok 1\n')
  run.say('exec:test', '\u001b[2Jok 2')
  run.now += 1200
  run.succeed('exec:test')
  await within(2000, driven)
  assert.is(stderr.text.split('ok 1\n')[1], 'ok 2\n✔ exec test  1.2s\n')
  view.finish({ graph, outcomes: run.outcomes, durationMs: 1200 })
  assert.is(stdout.text, 'done in 1.2s: 1 ran\n')
})

test('what was asked for is heard once it is alone, from its first line; the tasks before it are a line each', async () => {
  const { view, run, stderr, shows } = live(asked('exec:test'))
  const driven = view.drive(graphOf('exec:gen', 'exec:test'), run)
  run.start('exec:gen', 'a.txt changed', 'file')
  run.say('exec:gen', 'generating')
  run.start('exec:test', 'b.txt changed', 'file')
  run.say('exec:test', 'ok 1')
  await shows('0 of 2 done')
  run.succeed('exec:gen')
  await shows('▶ exec test')
  assert.is(remains(stderr), '✔ exec gen  0ms  a.txt changed\n▶ exec test  b.txt changed\nok 1\n')
  run.say('exec:test', 'ok 2')
  assert.is(remains(stderr), 'ok 2\n')
  run.succeed('exec:test')
  await within(5000, driven)
  assert.is(remains(stderr), '✔ exec test  0ms\n')
})

test('of several that were asked for each keeps its lines together, with its name in front', async () => {
  const { view, run, stderr } = live(asked('exec:lint', 'exec:test'))
  const graph = graphOf('exec:lint', 'exec:other', 'exec:test')
  const driven = view.drive(graph, run)
  for (const name of ['exec:lint', 'exec:other', 'exec:test']) {
    run.start(name)
    run.say(name, `says ${name}`)
  }
  run.succeed('exec:lint')
  run.succeed('exec:test')
  run.succeed('exec:other')
  await within(5000, driven)
  const text = stderr.text
  assert.match(text, 'lint │ says exec:lint\n')
  assert.match(text, 'test │ says exec:test\n')
  assert.not.match(text, 'says exec:other', 'nobody asked for it')
})

test('a failure that has just been heard is not said again', async () => {
  const { view, run, stderr, stdout } = live()
  const graph = graphOf('exec:test')
  const driven = view.drive(graph, run)
  run.start('exec:test')
  run.say('exec:test', 'not ok')
  run.fail('exec:test', { output: ['not ok'] })
  await within(2000, driven)
  view.finish({ graph, outcomes: run.outcomes, durationMs: 5 })
  assert.is(stderr.text, '▶ exec test  never built\nnot ok\n')
  assert.is(stdout.text, '✖ test: command failed\n  docker build: exited with code 1\nfailed after 5ms: 1 failed\n')
})

test('a service that only serves does not keep what was asked for from being alone', async () => {
  const { view, run, stderr } = live({ ...asked('exec:e2e'), isService: ({ id }) => id === 'exec:api' })
  const driven = view.drive(graphOf('exec:api', 'exec:e2e'), run)
  run.start('exec:api', 'exec:e2e needs it', 'need')
  run.say('exec:api', 'listening')
  run.start('exec:e2e', 'a changed', 'file')
  run.say('exec:e2e', 'ok')
  assert.is(stderr.text, '▶ exec api  e2e needs it\n▶ exec e2e  a changed\nok\n')
  run.succeed('exec:e2e')
  run.succeed('exec:api')
  await within(2000, driven)
})

test('--output errors hears nobody', async () => {
  const { view, run, stderr } = live({ output: 'errors' })
  const driven = view.drive(graphOf('exec:test'), run)
  run.start('exec:test')
  run.say('exec:test', 'ok')
  run.succeed('exec:test')
  await within(5000, driven)
  assert.is(remains(stderr), '✔ exec test  0ms  never built\n')
})

test.run()
