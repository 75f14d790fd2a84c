import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { createView } from '../../../src/ui/create-view.ts'
import type { ViewOptions } from '../../../src/ui/view.ts'
import { within } from '../../support/assertions.ts'
import { CapturedStream } from '../../support/captured-stream.ts'
import { graphOf, nothing, ScriptedRun } from '../../support/scripted-run.ts'

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

test('elsewhere than on a terminal: a line as tasks start and end, and all they say in between, with their names in front', () => {
  const { run, stderr, stdout } = plain()
  script(run)
  assert.is(
    stderr.text,
    [
      '▶ build:api  src/server.ts changed',
      '▶ build:web  never built',
      'build:api │ compiling  all',
      'build:web │ progress 99%',
      '✔ build:api  3.2s',
      '✖ build:web  3.2s  command failed',
      '',
    ].join('\n'),
  )
  assert.is(stdout.text, '')
})

test('--verbose and --explain add what did not run, and why', () => {
  for (const options of [{ verbose: true }, { explain: true }]) {
    const { run, stderr } = plain(options)
    script(run)
    run.end('exec:gen', { status: 'skipped', result: nothing, from: 'remote', how: 'restored', restoredFiles: 1 })
    run.end('exec:db', { status: 'skipped', result: nothing, from: 'local', how: 'not-needed', detail: 'not needed' })
    run.cancel('exec:test', 'exec:gen')
    assert.equal(
      stderr.text.split('\n').filter((line) => line.startsWith('-')),
      [
        '- build:docs  up to date',
        '- push:web  not run: build:web failed',
        '- gen  restored from the remote cache (1 file)',
        '- db  not needed',
        '- test  not run: gen failed',
      ],
    )
  }
})

test('--output errors: all that failed tasks said, when they fail, and nothing of others', () => {
  const { run, stderr } = plain({ output: 'errors' })
  run.start('build:api')
  run.start('build:web')
  run.say('build:api', 'fine')
  for (let line = 0; line < 40; line++) run.say('build:web', `line ${line}`)
  run.succeed('build:api')
  assert.not.match(stderr.text, '│')
  run.fail('build:web', { output: ['line 39'] })
  assert.is(stderr.text.split('\n').filter((line) => line.startsWith('build:web │')).length, 40)
})

test('--output none: no word of any task, but what failed', () => {
  const { run, stderr, stdout, view } = plain({ output: 'none' })
  script(run)
  assert.not.match(stderr.text, '│')
  view.finish({ graph: graphOf('build:api', 'build:web'), outcomes: run.outcomes, durationMs: 1 })
  assert.not.match(stdout.text, '│')
  assert.match(stdout.text, 'exited with code 1')
})

test('the summary repeats the last lines of a failure only where they are lost among those of others', () => {
  for (const [ids, count] of [
    [['build:web'], 0],
    [['build:api', 'build:web'], 12],
  ] as const) {
    const { run, stdout, view } = plain()
    script(run)
    view.finish({ graph: graphOf(...ids), outcomes: run.outcomes, durationMs: 1 })
    assert.is(stdout.text.split('\n').filter((line) => line.startsWith('  │')).length, count)
  }
})

test('in GitHub Actions the output of a task is one group, and nothing in it is obeyed', () => {
  const { run, stderr } = plain({}, { GITHUB_ACTIONS: 'true' })
  run.start('exec:test')
  run.start('exec:lint')
  run.say('exec:test', '::add-mask::a')
  run.say('exec:lint', '##[error]no')
  run.say('exec:test', 'b')
  run.succeed('exec:test')
  run.fail('exec:lint')
  const token = /::stop-commands::(\S+)/.exec(stderr.text)?.[1] ?? ''
  assert.ok(token.length > 20)
  assert.is(
    stderr.text.replaceAll(token, 'TOKEN'),
    [
      '▶ test  never built',
      '▶ lint  never built',
      '::group::✔ test  0ms',
      '::stop-commands::TOKEN',
      '::add-mask::a',
      'b',
      '::TOKEN::',
      '::endgroup::',
      '✖ lint  0ms  command failed',
      '::stop-commands::TOKEN',
      '##[error]no',
      '::TOKEN::',
      '',
    ].join('\n'),
  )
})

test('a task that says very much in GitHub Actions is told in parts', () => {
  const { run, stderr } = plain({}, { GITHUB_ACTIONS: 'true' })
  run.start('exec:test')
  for (let line = 0; line < 20; line++) run.say('exec:test', 'x'.repeat(100_000))
  run.succeed('exec:test')
  assert.is(stderr.text.match(/^::group::test {2}goes on$/gm)?.length, 1)
  assert.is(stderr.text.match(/^x{100000}$/gm)?.length, 20)
})

test('--quiet leaves failures', () => {
  const { run, stderr, stdout, view } = plain({ quiet: true })
  script(run)
  assert.is(stderr.text.split('\n')[0], '✖ build:web  3.2s  command failed')
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
  assert.match(stderr.text, /^build:web │ npm ERR! missing$/m)
})

test('a failure that brings output nobody heard shows it', () => {
  const { run, stderr } = plain()
  run.start('build:web')
  run.fail('build:web', { output: ['from the engine'] })
  assert.match(stderr.text, /build:web │ from the engine\n$/)
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
    assert.match(stderr.text, /^✖ build:web {2}.*command failed$/m)
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
