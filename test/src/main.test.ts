import { EventEmitter } from 'node:events'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { Interrupted } from '../../src/cli/interrupt.ts'
import { type App, type ExitCode, exitCodes, InputError } from '../../src/contracts.ts'
import { TaskFailure } from '../../tasks/kind.ts'
import { within } from '../support/assertions.ts'
import { stagecraft } from '../support/cli.ts'
import { sampleCommands } from '../support/sample-commands.ts'

const test = suite('src/main')

function thrower(error: unknown) {
  return sampleCommands(async () => {
    throw error
  }).table
}

const lost = new TaskFailure({ reason: 'unreachable', subject: 'node-1', message: 'connection refused', remedy: 'check the address' })
const thrown: [string, unknown, ExitCode, RegExp][] = [
  [
    'input',
    new InputError([{ code: 'SC1003', severity: 'error', message: 'unknown key `prot`' }]),
    exitCodes.input,
    /SC1003.*unknown key/s,
  ],
  ['the world', lost, exitCodes.world, /✖ unreachable\n {2}node-1: connection refused\n {2}try: check the address\n$/],
  [
    'a bug',
    new TypeError('x is not a function', { cause: new Error('deep') }),
    exitCodes.bug,
    /bug in stagecraft \d.*TypeError.*caused by: Error: deep/s,
  ],
  [
    'a bug in a task',
    new TaskFailure({ reason: 'bug', subject: 'build:api', message: 'oops', stack: 'at build.ts:3' }),
    exitCodes.bug,
    /bug.*at build.ts:3/s,
  ],
  ['not even an error', 'text', exitCodes.bug, /bug in stagecraft.*text/s],
]
for (const [name, error, code, message] of thrown) {
  test(`D18: ${name} has its own exit code, and is told once on stderr`, async () => {
    const result = await stagecraft(['deploy'], { commands: thrower(error) })
    assert.is(result.code, code)
    assert.match(result.stderr, message)
    assert.is(result.stdout, '')
  })
}

test('what a command returns is the exit code', async () => {
  const { table } = sampleCommands(async () => exitCodes.partial)
  assert.is((await stagecraft(['deploy'], { commands: table })).code, exitCodes.partial)
})

/** Starts a command that waits for its signal, sends it one, and lets it end as told. */
async function interrupted(end: (app: App) => ExitCode, signals: readonly string[] = ['SIGINT']) {
  const events = new EventEmitter()
  const exits: ExitCode[] = []
  const { table } = sampleCommands(async (_, app) => {
    const heard = new Promise((resolve) => app.signal.addEventListener('abort', resolve))
    for (const signal of signals) events.emit(signal, signal)
    await heard
    return end(app)
  })
  const result = await within(2000, stagecraft(['deploy'], { commands: table, events, exit: (code) => exits.push(code) }))
  const listeners = events.eventNames().length
  return { ...result, exits, listeners }
}

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
  test(`D16: ${signal} cancels, clean-up is waited for, exit 130`, async () => {
    const result = await interrupted(() => exitCodes.world, [signal])
    assert.is(result.code, exitCodes.interrupted)
    assert.is(result.stderr, 'stopping: waiting for clean-up; interrupt again to leave at once\n')
    assert.equal(result.exits, [])
    assert.is(result.listeners, 0, 'signals are given back')
  })
}

test('D16: the second signal leaves at once', async () => {
  assert.equal((await interrupted(() => exitCodes.world, ['SIGINT', 'SIGINT'])).exits, [exitCodes.interrupted])
  assert.equal((await interrupted(() => exitCodes.world, ['SIGTERM', 'SIGINT'])).exits, [exitCodes.interrupted])
})

test('an interrupt that came too late to stop anything is a success', async () => {
  assert.is((await interrupted(() => exitCodes.done)).code, exitCodes.done)
})

test('errors that only say that the signal was heard are not told', async () => {
  for (const error of [undefined, new DOMException('aborted', 'AbortError')]) {
    const result = await interrupted((app) => {
      assert.instance(app.signal.reason, Interrupted)
      throw error ?? app.signal.reason
    })
    assert.is(result.code, exitCodes.interrupted)
    assert.not.match(result.stderr, /bug/)
  }
})

test('a failure of clean-up is told, and the exit code is still that of an interrupt', async () => {
  const result = await interrupted(() => {
    throw lost
  })
  assert.is(result.code, exitCodes.interrupted)
  assert.match(result.stderr, /node-1: connection refused/)
})

test('an error nobody awaited cancels the run and is a bug, whatever the command says', async () => {
  const events = new EventEmitter()
  for (const end of [() => exitCodes.done, () => Promise.reject(lost)]) {
    const { table } = sampleCommands(async (_, app) => {
      events.emit('uncaughtException', new Error('stray'))
      assert.ok(app.signal.aborted)
      return end()
    })
    const result = await stagecraft(['deploy'], { commands: table, events })
    assert.is(result.code, exitCodes.bug)
    assert.match(result.stderr, /bug in stagecraft.*Error: stray/s)
  }
})

test('D32: verbose results on stdout are results only', async () => {
  const { table } = sampleCommands(async (call, app) => {
    app.stdout.write('{}\n')
    app.stderr.write(`DEBUG: verbose is ${call.globals.verbose}\n`)
    return exitCodes.done
  })
  const result = await stagecraft(['deploy', '--verbose', '--format', 'json'], { commands: table })
  assert.is(result.stdout, '{}\n')
})

test.run()
