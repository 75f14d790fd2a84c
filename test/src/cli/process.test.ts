import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { within } from '../../support/assertions.ts'

const test = suite('src/cli/process')
const program = fileURLToPath(new URL('../../support/waiting-program.js', import.meta.url))

interface Started {
  readonly child: ChildProcess
  readonly output: { stdout: string; stderr: string }
  /** Exit code, or the signal's name. */
  readonly ended: Promise<number | string>
  saysReady(): Promise<void>
  complains(): Promise<void>
}

function start(command: string): Started {
  const child = spawn(process.execPath, [program, command], { stdio: ['ignore', 'pipe', 'pipe'] })
  const output = { stdout: '', stderr: '' }
  child.stdout.on('data', (chunk: Buffer) => {
    output.stdout += chunk
  })
  child.stderr.on('data', (chunk: Buffer) => {
    output.stderr += chunk
  })
  const ended = once(child, 'close').then(([code, signal]) => (code ?? signal) as number | string)
  const ready = once(child.stdout, 'data')
  const complaint = once(child.stderr, 'data')
  return {
    child,
    output,
    ended: within(10_000, ended),
    saysReady: () => within(10_000, ready).then(() => undefined),
    complains: () => within(10_000, complaint).then(() => undefined),
  }
}

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  test(`D16: ${signal} lets a real process clean up, then exit 130`, async () => {
    const { child, output, ended, saysReady } = start('clean')
    await saysReady()
    child.kill(signal)
    assert.is(await ended, 130)
    assert.is(output.stdout, 'ready\ncleaned up\n')
    assert.is(output.stderr, 'stopping: waiting for clean-up; interrupt again to leave at once\n')
  })
}

test('D16: the second signal ends a process that is stuck', async () => {
  const { child, ended, saysReady, complains } = start('stuck')
  await saysReady()
  child.kill('SIGINT')
  await complains()
  child.kill('SIGINT')
  assert.is(await ended, 130)
})

test('a reader that goes away does not stop the work', async () => {
  const { child, output, ended } = start('lines')
  child.stdout?.destroy()
  assert.is(await ended, 0)
  assert.is(output.stderr, 'finished\n')
})

test('an error nobody awaited lets the command clean up and is told as a bug', async () => {
  const { output, ended } = start('stray')
  assert.is(await ended, 3)
  assert.is(output.stdout, 'cleaned up\n')
  assert.match(output.stderr, /bug in stagecraft.*nobody waits for me/s)
})

test.run()
