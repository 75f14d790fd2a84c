import { closeSync } from 'node:fs'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { OutputPipes } from '../../../src/programs/output-pipes.ts'
import { outputOfPipe } from '../../../src/programs/program-output.ts'
import { openSpawner, type Spawner } from '../../../src/programs/spawner.ts'
import { within } from '../../support/assertions.ts'
import { inDirectory } from '../../support/directory.ts'

const test = suite('src/programs/spawner')
const env = { PATH: process.env['PATH'] ?? '' }

interface Rig {
  readonly spawner: Spawner
  readonly pid: number
  /** What tells whether there is one. */
  readonly told: (Spawner | undefined)[]
  /** `sh -c script`, with its output once all of it is there. */
  shell(script: string): Promise<{ readonly pid: number; readonly ended: Promise<unknown>; readonly output: Promise<string> }>
}

const inRig = (work: (rig: Rig, directory: string) => Promise<void>) => () =>
  inDirectory(async (directory) => {
    const told: (Spawner | undefined)[] = []
    let child: ReturnType<typeof openSpawner> | undefined
    const spawner = await within(
      10_000,
      new Promise<Spawner | undefined>((resolve) => {
        child = openSpawner((one) => {
          told.push(one)
          resolve(one)
        })
      }),
    )
    const pipes = new OutputPipes(`${directory}/pipes`)
    assert.ok(spawner && child?.pid)
    const shell: Rig['shell'] = async (script) => {
      const pipe = pipes.open()
      assert.ok(pipe)
      const pieces: string[] = []
      const listened = outputOfPipe(pipe, { redact: (text) => text, onLine: (line) => pieces.push(`${line}\n`) })
      const output = listened.closed.then(() => pieces.join(''))
      try {
        const started = await spawner.start({ argv: ['sh', '-c', script], cwd: directory, env, output: pipe.path })
        return { ...started, output }
      } finally {
        closeSync(pipe.writeEnd)
      }
    }
    try {
      await within(20_000, work({ spawner, pid: child.pid, told, shell }, directory))
    } finally {
      child.kill('SIGKILL')
      pipes.close()
    }
  })

test(
  'tells how programs end, and both their outputs arrive',
  inRig(async ({ shell }) => {
    const all = await Promise.all([0, 1, 2, 3, 4, 5].map((code) => shell(`echo to ${code}; echo err >&2; exit ${code}`)))
    for (const [code, { ended, output }] of all.entries()) {
      assert.equal(await ended, { code })
      assert.is(await output, `to ${code}\nerr\n`)
    }
    const { ended } = await shell('kill -TERM $$')
    assert.equal(await ended, { code: 143, signal: 'SIGTERM' })
  }),
)

test(
  'a program of ours leads its own group and has only the variables it was given',
  inRig(async ({ shell }) => {
    const { pid, output } = await shell('env | grep -c . ; ps -o pgid= -p $$')
    const [count, group] = (await output).trim().split(/\s+/)
    // PATH, and what the shell itself sets: PWD, perhaps OLDPWD, SHLVL and _.
    assert.ok(Number(count) <= 5, `${count} variables`)
    assert.is(Number(group), pid)
  }),
)

test(
  'what cannot be started is refused with the code of the system',
  inRig(async ({ spawner }, directory) => {
    const output = new OutputPipes(`${directory}/more`).open()
    assert.ok(output)
    try {
      await spawner.start({ argv: ['no-such-program'], cwd: directory, env, output: output.path })
      assert.unreachable()
    } catch (error) {
      assert.is((error as NodeJS.ErrnoException).code, 'ENOENT')
    }
    closeSync(output.readEnd)
  }),
)

test(
  'when it is killed, its programs are known to be lost, and nobody is sent to it any more',
  inRig(async ({ shell, pid, told }) => {
    const running = await shell('exec sleep 30')
    process.kill(pid, 'SIGKILL')
    assert.is(await running.ended, undefined)
    assert.is(told.at(-1), undefined)
    process.kill(running.pid, 'SIGKILL')
    await running.output
  }),
)

test.run()
