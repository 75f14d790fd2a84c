import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { type CliProcess, startCli, writeManifest } from '../support/cli-process.ts'
import { inDirectory } from '../support/directory.ts'
import { processTrees } from '../support/process-scripts.ts'
import { accepts, eventually, freePort, gone, isRunning, pidIn } from '../support/processes.ts'

const test = suite('e2e/processes')

/** The tool itself goes the way it does when a run of it is killed or closed: nothing of a test is left behind. */
async function inProject(work: (directory: string, port: number, run: (...argv: string[]) => CliProcess) => Promise<void>): Promise<void> {
  await inDirectory(async (directory) => {
    const started: CliProcess[] = []
    const run = (...argv: string[]) => {
      const one = startCli(directory, ['run', ...argv])
      started.push(one)
      return one
    }
    try {
      await work(directory, await freePort(), run)
    } finally {
      for (const { child } of started) child.kill('SIGKILL')
    }
  })
}

async function listening(directory: string, port: number): Promise<number> {
  const pid = await pidIn(join(directory, 'pid'))
  await eventually(() => accepts(port))
  return pid
}

for (const [name, script] of Object.entries(processTrees)) {
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    test(`${signal} ends ${name}, and its port is free`, () =>
      inProject(async (directory, port, run) => {
        writeManifest(directory, { dev: { command: script(port) } })
        const cli = run('dev')
        const pid = await listening(directory, port)
        cli.child.kill(signal)
        assert.is(await cli.ended, 130, cli.text())
        assert.not(isRunning(pid))
        assert.not(await accepts(port))
        assert.equal(
          readdirSync(join(directory, '.stagecraft', 'run')).filter((file) => /^\d+-/.test(file)),
          [],
        )
      }))
  }
}

test('a terminal that closes takes the streams along, and every tree still ends', () =>
  inProject(async (directory, port, run) => {
    writeManifest(directory, { dev: { command: processTrees['a grandchild in a session of its own']?.(port) ?? '' } })
    const cli = run('dev')
    const pid = await listening(directory, port)
    cli.child.stdout?.destroy()
    cli.child.stderr?.destroy()
    cli.child.kill('SIGHUP')
    await gone(cli.pid)
    await gone(pid)
    assert.not(await accepts(port))
  }))

test('a task that outlives its time is ended with all it started', () =>
  inProject(async (directory, port, run) => {
    writeManifest(directory, { dev: { command: processTrees['a daemon that forked twice']?.(port) ?? '', timeout: '2s' } })
    const cli = run('dev')
    const pid = await listening(directory, port)
    assert.is(await cli.ended, 2)
    assert.match(cli.text(), /did not end within 2 s/)
    assert.not(isRunning(pid))
  }))

test('what ignores SIGTERM goes at once on a second Ctrl-C', () =>
  inProject(async (directory, _port, run) => {
    const stubborn = `trap "" TERM; echo $$ > pid; while :; do sleep 0.05; done`
    writeManifest(directory, { dev: { command: ['sh', '-c', `setsid sh -c '${stubborn}' & ${stubborn.replace('pid', 'own')}`] } })
    const cli = run('dev')
    const [inSession, inGroup] = [await pidIn(join(directory, 'pid')), await pidIn(join(directory, 'own'))]
    cli.child.kill('SIGINT')
    await cli.says(/interrupt again to leave at once/)
    const before = Date.now()
    cli.child.kill('SIGINT')
    assert.is(await cli.ended, 130)
    await gone(inSession)
    await gone(inGroup)
    assert.ok(Date.now() - before < 4000, 'it did not wait for the grace to run out')
  }))

test('what a killed run left is ended by the next run in the checkout', () =>
  inProject(async (directory, port, run) => {
    const tree = processTrees['a grandchild in a session of its own']?.(port) ?? ''
    writeManifest(directory, { dev: { command: tree }, other: { command: 'echo fine' } })
    const cli = run('dev')
    const pid = await listening(directory, port)
    cli.child.kill('SIGKILL')
    assert.is(await cli.ended, 'SIGKILL')
    assert.ok(isRunning(pid), 'nobody survives SIGKILL to clean up')
    const next = run('other')
    assert.is(await next.ended, 0, next.text())
    assert.match(next.text(), /an earlier run was killed and left .* running: ended now/)
    assert.not(isRunning(pid))
    assert.not(await accepts(port))
  }))

test('a service that was asked for runs until Ctrl-C, which is a good end', () =>
  inProject(async (directory, port, run) => {
    const ready = { tcp: `127.0.0.1:${port}` }
    writeManifest(directory, { web: { command: processTrees['a grandchild']?.(port) ?? '', service: { ready } } })
    const cli = run('web')
    await cli.says(/\bweb is running: press Ctrl-C to stop it/)
    assert.ok(await accepts(port))
    cli.child.kill('SIGINT')
    assert.is(await cli.ended, 0, cli.text())
    assert.not(await accepts(port))
  }))

test('a service starts for what needs it, and not when that is fresh', () =>
  inProject(async (directory, port, run) => {
    const ready = { tcp: `127.0.0.1:${port}` }
    writeManifest(directory, {
      web: { command: `echo up >> log; ${processTrees['the program itself']?.(port)}`, service: { ready } },
      test: { command: 'echo tested >> log', inputs: ['stagecraft.yml'], needs: ['web'] },
    })
    for (let turn = 0; turn < 2; turn++) {
      const cli = run('test')
      assert.is(await cli.ended, 0, cli.text())
    }
    assert.is(readFileSync(join(directory, 'log'), 'utf8'), 'up\ntested\n')
    assert.not(await accepts(port))
  }))

test('two runs at once run a task once', () =>
  inProject(async (directory, _port, run) => {
    const command = 'echo x >> started; while [ ! -e go ]; do sleep 0.01; done; echo made > out'
    writeManifest(directory, { slow: { command, inputs: ['stagecraft.yml'], outputs: ['out'] } })
    const first = run('slow')
    await eventually(() => existsSync(join(directory, 'started')))
    const second = run('slow')
    await second.says(/\bslow waits for another run \(pid \d+ on .*\), which runs it now/)
    writeFileSync(join(directory, 'go'), '')
    assert.equal([await first.ended, await second.ended], [0, 0], second.text())
    assert.is(readFileSync(join(directory, 'started'), 'utf8'), 'x\n')
    assert.equal(readdirSync(join(directory, '.stagecraft', 'run', 'locks')), [])
  }))

test('the lock of a killed run is taken over', () =>
  inProject(async (directory, _port, run) => {
    writeManifest(directory, { slow: { command: 'echo $$ > pid; [ -e go ] || exec sleep 1000' } })
    const first = run('slow')
    await pidIn(join(directory, 'pid'))
    first.child.kill('SIGKILL')
    await first.ended
    writeFileSync(join(directory, 'go'), '')
    const second = run('slow')
    assert.is(await second.ended, 0, second.text())
    assert.not.match(second.text(), /waits for/)
  }))

test.run()
