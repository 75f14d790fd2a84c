import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { createView } from '../../../src/ui/create-view.ts'
import type { ViewOptions } from '../../../src/ui/view.ts'
import { within } from '../../support/assertions.ts'
import { CapturedStream } from '../../support/captured-stream.ts'
import { graphOf, ScriptedRun } from '../../support/scripted-run.ts'

const test = suite('src/ui/plain')

function plain(options: Partial<ViewOptions> = {}, env = {}, isTTY = false) {
  const [stdout, stderr] = [new CapturedStream(), new CapturedStream()]
  stderr.isTTY = isTTY
  const streams = { stdout: stdout.asTerminal(), stderr: stderr.asTerminal(), env }
  const view = createView('auto', streams, { color: false, verbose: false, quiet: false, title: (task) => task.id, ...options })
  return { view, run: new ScriptedRun((event) => view.on(event)), stdout, stderr }
}

/** One of everything: build:api runs, build:web fails, build:docs is fresh, push:web is canceled. */
function script(run: ScriptedRun): void {
  run.start('build:api', 'src/server.ts changed', 'file')
  run.start('build:web')
  run.say('build:api', '\u001b[32mcompiling\u001b[0m\tall')
  run.say('build:web', 'progress 1%\rprogress 99%\r')
  run.skip('build:docs')
  run.now = 3200
  run.succeed('build:api')
  run.fail('build:web', { output: Array.from({ length: 12 }, (_, line) => `line ${line}`) })
  run.cancel('push:web', 'build:web')
}

test('a line as tasks start and end; skipped ones and output are left out; a failure shows its last ten lines', () => {
  const { run, stderr, stdout } = plain()
  script(run)
  assert.is(
    stderr.text,
    [
      '▶ build:api  src/server.ts changed',
      '▶ build:web  never built',
      '✔ build:api  3.2s',
      '✖ build:web  docker build: exited with code 1  3.2s',
      ...Array.from({ length: 10 }, (_, line) => `  build:web │ line ${line + 2}`),
      '',
    ].join('\n'),
  )
  assert.is(stdout.text, '')
})

test('--verbose adds output, made safe to print, and what did not run; the failure does not repeat it', () => {
  const { run, stderr } = plain({ verbose: true })
  script(run)
  assert.is(
    stderr.text,
    [
      '▶ build:api  src/server.ts changed',
      '▶ build:web  never built',
      '  build:api │ compiling  all',
      '  build:web │ progress 99%',
      '- build:docs  up to date',
      '✔ build:api  3.2s',
      '✖ build:web  docker build: exited with code 1  3.2s',
      '- push:web  not run (build:web)',
      '',
    ].join('\n'),
  )
})

test('--quiet leaves failures', () => {
  const { run, stderr, stdout, view } = plain({ quiet: true })
  script(run)
  assert.is(stderr.text.split('\n')[0], '✖ build:web  docker build: exited with code 1  3.2s')
  view.finish({ graph: graphOf('build:docs'), outcomes: run.outcomes, durationMs: 1 })
  assert.is(stdout.text, '', 'a run without failures has nothing to say')
  view.finish({ graph: graphOf('build:web'), outcomes: run.outcomes, durationMs: 1 })
  assert.match(stdout.text, /^✖ build:web: command failed/)
})

test('every write is whole lines, so tasks never mix within one', () => {
  const { run, stderr } = plain({ verbose: true })
  script(run)
  for (const write of stderr.writes) assert.ok(write.endsWith('\n'), write)
})

test('a failure without output of its own shows what its task last said', () => {
  const { run, stderr } = plain()
  run.start('build:web')
  run.say('build:web', 'npm ERR! missing')
  run.fail('build:web')
  assert.match(stderr.text, / {2}build:web │ npm ERR! missing\n$/)
})

const logs: [string, Partial<ViewOptions>, Record<string, string>, boolean][] = [
  ['a pipe', {}, {}, false],
  ['CI, though it has a terminal', {}, { CI: 'true' }, true],
  ['a dumb terminal', {}, { TERM: 'dumb' }, true],
  ['--verbose', { verbose: true }, {}, true],
  ['--quiet', { quiet: true }, {}, true],
]
for (const [name, options, env, isTTY] of logs) {
  test(`${name} gets lines, not a live list`, async () => {
    const { view, run, stderr } = plain(options, env, isTTY)
    const driven = view.drive(graphOf('build:web'), run)
    run.start('build:web')
    run.fail('build:web')
    await within(2000, driven)
    assert.match(stderr.text, /^✖ build:web {2}docker build/m)
    assert.not.ok(stderr.text.includes('\u001b'))
  })
}

test('drive waits for every outcome', async () => {
  const { view, run } = plain()
  let isOver = false
  const driven = view.drive(graphOf('build:a', 'build:b'), run).then(() => {
    isOver = true
  })
  run.succeed('build:b')
  await Promise.resolve()
  assert.not.ok(isOver)
  run.succeed('build:a')
  await within(2000, driven)
})

test.run()
