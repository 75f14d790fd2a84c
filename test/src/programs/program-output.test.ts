import { spawnSync } from 'node:child_process'
import { closeSync, writeSync } from 'node:fs'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { type OutputPipe, OutputPipes } from '../../../src/programs/output-pipes.ts'
import { type Output, outputOfPipe } from '../../../src/programs/program-output.ts'
import { within } from '../../support/assertions.ts'
import { inDirectory } from '../../support/directory.ts'

const test = suite('src/programs/program-output')

interface Rig {
  readonly pipes: OutputPipes
  readonly pipe: OutputPipe
  readonly output: Output
  readonly lines: readonly string[]
}

const inRig = (work: (rig: Rig) => Promise<void>) => () =>
  inDirectory(async (directory) => {
    const pipes = new OutputPipes(`${directory}/pipes`)
    const pipe = pipes.open()
    assert.ok(pipe)
    const lines: string[] = []
    const output = outputOfPipe(pipe, { redact: (text) => text.replace('secret', '***'), onLine: (line) => lines.push(line) })
    try {
      await within(10_000, work({ pipes, pipe, output, lines }))
    } finally {
      pipes.close()
    }
  })

test(
  'what a program printed is there as soon as it has ended, and its pipe is used again',
  inRig(async ({ pipes, pipe, output, lines }) => {
    writeSync(pipe.writeEnd, 'one secret\ntwo')
    closeSync(pipe.writeEnd)
    output.catchUp()
    assert.equal(lines, ['one ***', 'two'])
    await output.closed
    const next = pipes.open()
    assert.is(next?.path, pipe.path)
    if (next) for (const end of [next.readEnd, next.writeEnd]) closeSync(end)
  }),
)

test(
  'who runs longer is heard while it runs',
  inRig(async ({ pipe, output, lines }) => {
    writeSync(pipe.writeEnd, 'now\n')
    while (lines.length === 0) await new Promise((resolve) => setImmediate(resolve))
    assert.equal(lines, ['now'])
    writeSync(pipe.writeEnd, 'later\n')
    closeSync(pipe.writeEnd)
    output.catchUp()
    await output.closed
    assert.equal(lines, ['now', 'later'])
  }),
)

test(
  'what somebody else still holds open is listened to after the program has ended',
  inRig(async ({ pipes, pipe, output, lines }) => {
    writeSync(pipe.writeEnd, 'first\n')
    output.catchUp()
    assert.equal(lines, ['first'])
    writeSync(pipe.writeEnd, 'second\n')
    closeSync(pipe.writeEnd)
    await output.closed
    assert.equal(lines, ['first', 'second'])
    const next = pipes.open()
    assert.is(next?.path, pipe.path)
    if (next) for (const end of [next.readEnd, next.writeEnd]) closeSync(end)
  }),
)

test(
  'what was given up is not used again, for somebody may still write to it',
  inRig(async ({ pipes, pipe, output, lines }) => {
    output.giveUp()
    await output.closed
    output.giveUp()
    assert.equal(lines, [])
    const next = pipes.open()
    assert.not.equal(next?.path, pipe.path)
    for (const end of [pipe.writeEnd, next?.readEnd, next?.writeEnd]) if (end !== undefined) closeSync(end)
  }),
)

test(
  'more than a pipe holds, from somebody who does not wait to be heard',
  inRig(async ({ pipe, output, lines }) => {
    const filling = spawnSync('sh', ['-c', 'i=0; while [ $i -lt 3000 ]; do echo "line $i of many"; i=$((i+1)); done'], {
      stdio: ['ignore', pipe.writeEnd, 'ignore'],
    })
    assert.is(filling.status, 0)
    closeSync(pipe.writeEnd)
    output.catchUp()
    await output.closed
    assert.is(lines.length, 3000)
    assert.is(lines.at(-1), 'line 2999 of many')
  }),
)

test.run()
