import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { TaskFailure } from '../../../tasks/kind.ts'
import { rejects, within } from '../../support/assertions.ts'
import { inDirectory } from '../../support/directory.ts'
import { processTrees } from '../../support/process-scripts.ts'
import { accepts, eventually, freePort, gone, isRunning, pidIn } from '../../support/processes.ts'
import { type ProgramsRig, programsRig } from '../../support/programs-rig.ts'

const test = suite('src/programs/programs')

const node = (script: string, ...args: string[]): [string, ...string[]] => [process.execPath, '-e', script, ...args]
const shell = (line: string): [string, ...string[]] => ['sh', '-c', line]
const inRig = (work: (rig: ProgramsRig, directory: string) => Promise<void>, redact?: (text: string) => string) => () =>
  inDirectory(async (directory) => {
    const rig = programsRig(directory, redact)
    try {
      await work(rig, directory)
    } finally {
      rig.stop.abort()
      rig.record.close()
    }
  })

async function failureOf(promise: Promise<unknown>) {
  const error = await rejects(within(15_000, promise))
  assert.instance(error, TaskFailure)
  return (error as TaskFailure).failure
}

test(
  'lines of both outputs arrive whole and redacted, and a code other than 0 is a value',
  inRig(
    async (rig) => {
      assert.equal(await rig.run(shell('echo one hunter2; echo two >&2; exit 7')), { code: 7 })
      assert.equal([...rig.lines].sort(), ['one ***', 'two'])
    },
    (text) => text.replaceAll('hunter2', '***'),
  ),
)

test(
  'a program that a signal ended tells which',
  inRig(async (rig) => {
    assert.equal(await rig.run(shell('kill -KILL $$')), { code: 137, signal: 'SIGKILL' })
  }),
)

test(
  'its environment is what it was given and the cookie, no more',
  inRig(async (rig) => {
    process.env['PLANTED'] = 'yes'
    await rig.run(node('console.log(Object.keys(process.env).sort().join())'), { env: { GIVEN: '1' } })
    delete process.env['PLANTED']
    // Node gives its own children this one when their coverage is being measured.
    const names = rig.lines.flatMap((line) => line.split(',')).filter((name) => name !== 'NODE_V8_COVERAGE')
    assert.equal(names, ['GIVEN', 'STAGECRAFT_TASK_COOKIE'])
  }),
)

test(
  'its input is empty',
  inRig(async (rig) => {
    await rig.run(shell('read line || echo nothing'))
    assert.equal(rig.lines, ['nothing'])
  }),
)

test(
  'its outputs can be opened by name, as shell scripts do',
  inRig(async (rig) => {
    await rig.run(shell('echo out > /dev/stdout; echo error > /dev/stderr'))
    assert.equal(rig.lines, ['out', 'error'])
  }),
)

test(
  'what it writes to both outputs keeps its order',
  inRig(async (rig) => {
    await rig.run(shell('for n in 1 2 3 4 5 6 7 8 9; do echo $n; echo $n. >&2; done'))
    assert.equal(
      rig.lines,
      [1, 2, 3, 4, 5, 6, 7, 8, 9].flatMap((n) => [`${n}`, `${n}.`]),
    )
  }),
)

const refusals: readonly [string, string[], string, RegExp, RegExp][] = [
  ['a program that is not there', ['no-such-program-here'], '.', /`no-such-program-here` was not found/, /PATH/],
  ['a file that may not be executed', ['./plain'], '.', /may not be executed/, /chmod \+x/],
  ['a folder that is not there', ['true'], 'nowhere', /does not exist/, /cwd/],
]
for (const [name, argv, cwd, message, remedy] of refusals) {
  test(
    `${name} is told as such`,
    inRig(async (rig, directory) => {
      writeFileSync(join(directory, 'plain'), '#!/bin/sh\n', { mode: 0o644 })
      const failure = await failureOf(rig.run(argv as [string], { cwd: join(directory, cwd) }))
      assert.is(failure.reason, 'refused')
      assert.match(failure.message, message)
      assert.match(failure.remedy ?? '', remedy)
    }),
  )
}

for (const [name, script] of Object.entries(processTrees)) {
  test(
    `an interrupt ends ${name}, and its port is free`,
    inRig(async (rig, directory) => {
      const port = await freePort()
      const ended = failureOf(rig.run(shell(script(port)), { cwd: directory }))
      const pid = await pidIn(join(directory, 'pid'))
      await eventually(() => accepts(port))
      rig.stop.abort()
      assert.is((await ended).reason, 'interrupted')
      assert.not(isRunning(pid), 'it is gone when the run says so')
      assert.not(await accepts(port))
    }),
  )
}

test(
  'a program that outlives its time is ended with all it started',
  inRig(async (rig, directory) => {
    const failure = await failureOf(rig.run(shell('setsid sh -c "echo \\$\\$ > pid; exec sleep 1000" & wait'), { timeoutMs: 300 }))
    assert.is(failure.reason, 'timeout')
    assert.match(failure.message, /within 0.3 s/)
    assert.not(isRunning(await pidIn(join(directory, 'pid'))))
  }),
)

test(
  'a signal that was given before starts nothing',
  inRig(async (rig, directory) => {
    rig.stop.abort()
    assert.is((await failureOf(rig.run(shell('touch touched')))).reason, 'interrupted')
    assert.not(existsSync(join(directory, 'touched')))
  }),
)

test(
  'what a program leaves in the background, holding its output, does not hang the run: it is ended, and said',
  inRig(async (rig, directory) => {
    assert.equal(await within(10_000, rig.run(shell('sleep 1000 & echo $! > pid; echo done'))), { code: 0 })
    const pid = await pidIn(join(directory, 'pid'))
    assert.equal(rig.lines, ['done', `warning: it ended and left sleep (${pid}) running, which is ended now`])
    assert.not(isRunning(pid))
  }),
)

test(
  'so is what it leaves in its group with an output of its own',
  inRig(async (rig, directory) => {
    await within(10_000, rig.run(shell('sleep 1000 >/dev/null 2>&1 & echo $! > pid')))
    await gone(await pidIn(join(directory, 'pid')))
    assert.match(rig.lines.join(), /warning: it ended and left sleep/)
  }),
)

test(
  'a daemon that left the group and has an output of its own meant to stay',
  inRig(async (rig, directory) => {
    await within(
      10_000,
      rig.run(shell('setsid sh -c "echo \\$\\$ > pid; exec sleep 1000" >/dev/null 2>&1 & while ! [ -s pid ]; do sleep 0.01; done')),
    )
    const pid = await pidIn(join(directory, 'pid'))
    assert.ok(isRunning(pid))
    assert.equal(rig.lines, [])
    process.kill(pid)
  }),
)

test(
  'what a killed run left running is ended before anything starts, and nothing else',
  inRig(async (rig, directory) => {
    const dead = 'a'.repeat(24)
    const orphan = await rig.programs.start({ argv: ['sleep', '1000'], cwd: directory, env: { OLD: `${dead}-2.` } }, () => {})
    const folder = join(directory, 'other', '.stagecraft', 'run')
    mkdirSync(folder, { recursive: true })
    const owner = { host: (await import('node:os')).hostname(), pid: process.pid, start: '1' }
    writeFileSync(join(folder, `1-${dead}`), `${JSON.stringify({ owner, cookie: dead })}\n+1\n+2\n-1\n`)
    const next = programsRig(join(directory, 'other'))
    await next.run(['true'], { cwd: directory })
    next.record.close()
    assert.not(isRunning(orphan.pid))
    assert.equal(next.warnings, [`an earlier run was killed and left sleep (${orphan.pid}) running: ended now`])
    assert.equal(readdirSync(folder), [])
  }),
)

test(
  'a great deal of output passes through',
  inRig(async (rig) => {
    await within(20_000, rig.run(node('for (let n = 0; n < 2e5; n++) console.log("line " + n)')))
    assert.equal([rig.lines.length, rig.lines.at(-1)], [200_000, 'line 199999'])
  }),
)

test(
  'a last line without an end has arrived when the program has ended, however the streams close',
  inRig(async (rig) => {
    for (let round = 0; round < 100; round++) {
      const lines: string[] = []
      await rig.programs.run(
        { argv: ['printf', 'v1.2'], cwd: '/', env: { PATH: process.env['PATH'] ?? '' } },
        (line) => lines.push(line),
        rig.stop.signal,
      )
      assert.equal(lines, ['v1.2'], `round ${round}`)
    }
  }),
)

test.run()
