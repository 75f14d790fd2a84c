/** `run` of the user's own tasks through the whole program: its flags, what is shown and what is left on disk. */
import { existsSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { stagecraft } from '../../support/cli.ts'
import { writeProject } from '../../support/session-project.ts'
import { inTemporaryDirectory } from '../../support/temporary-directory.ts'

const test = suite('src/commands/run-flags')

const manifest = `project: {name: shop}
tasks:
  gen: {command: 'echo making; cat a.txt > gen.txt', inputs: [a.txt], outputs: [gen.txt]}
  test: {command: 'echo testing; cat gen.txt', inputs: [b.txt], needs: [gen]}
  broken: {command: 'echo trying; exit 3', inputs: [b.txt]}
`

type Run = (...argv: string[]) => ReturnType<typeof stagecraft>

async function inProject(work: (run: Run, directory: string) => Promise<void>): Promise<void> {
  await inTemporaryDirectory(async (directory) => {
    writeProject(directory, { 'stagecraft.yml': manifest, 'a.txt': 'a\n', 'b.txt': 'b\n' })
    await work((...argv) => stagecraft(argv, { cwd: directory, env: { PATH: process.env['PATH'] ?? '' } }), directory)
  })
}

test('what was removed is restored, said so, and replayed when asked', () =>
  inProject(async (run, directory) => {
    assert.match((await run('run', 'test')).stderr, 'gen  │ making')
    rmSync(join(directory, 'gen.txt'))
    const planned = await run('run', 'test', '--dry-run')
    assert.match(planned.stdout, /1\. gen {3}restore/)
    assert.match(planned.stdout, '1 to restore, 1 up to date')
    const { stdout, stderr } = await run('run', 'test', '--output', 'full')
    assert.match(stdout, /: 1 up to date, 1 restored \(local\)/)
    assert.match(stderr, 'gen  │ ⟲ making')
    assert.match((await run('run', 'test', '--explain')).stderr, '- test  up to date')
  }))

test('--no-cache runs all content and keeps nothing of it', () =>
  inProject(async (run) => {
    assert.match((await run('run', 'test', '--no-cache')).stdout, '2 ran')
    assert.match((await run('run', 'test', '--no-cache')).stdout, '2 ran')
    assert.match((await run('run', 'test')).stdout, '2 ran')
    assert.match((await run('run', 'test')).stdout, 'nothing to do')
  }))

test('--force takes names; --only runs a part on the last results of the rest', () =>
  inProject(async (run) => {
    const early = await run('run', 'test', '--only', 'test')
    assert.equal([early.code, /error\[SC3121\].*`gen`/.test(early.stderr)], [1, true])
    await run('run', 'test')
    assert.match((await run('run', 'test', '--force=test')).stdout, '1 ran, 1 up to date')
    const only = await run('run', 'test', '--only', 'te*', '--force')
    assert.match(only.stdout, /: 1 ran\n/)
    assert.not.match(only.stderr, 'gen ')
    assert.match((await run('run', 'test')).stdout, 'nothing to do (2 tasks up to date)')
  }))

test('a failure: its command, its output once, and how to run it again; the summary file tells, too', () =>
  inProject(async (run, directory) => {
    const { code, stdout, stderr } = await run('run', 'broken', '--summary', 'out/run.json', '--trace', 'out/trace.json')
    assert.is(code, 2)
    assert.match(stdout, 'again: stagecraft run broken')
    assert.is(`${stdout}${stderr}`.match(/│ trying$/gm)?.length, 1)
    const summary = JSON.parse(readFileSync(join(directory, 'out/run.json'), 'utf8'))
    assert.equal([summary.exit_code, summary.counts.failed, summary.tasks[0].status], [2, 1, 'failed'])
    assert.ok(JSON.parse(readFileSync(join(directory, 'out/trace.json'), 'utf8')).traceEvents.length > 2)
    const last = JSON.parse(readFileSync(join(directory, '.stagecraft/run/last.json'), 'utf8'))
    assert.is(last.tasks['exec:broken'].status, 'failed')
  }))

test('a report that cannot be written is an error before anything runs', () =>
  inProject(async (run, directory) => {
    const { code, stderr } = await run('run', 'test', '--trace', '.')
    assert.is(code, 1)
    assert.match(stderr, 'error[SC3125]: `--trace .` cannot be written: it is a folder')
    assert.not.ok(existsSync(join(directory, 'gen.txt')))
  }))

for (const [argv, expected] of [
  [['-j', '0'], 'expected a number such as `4`, or a share of the processors such as `50%`'],
  [['--output', 'some'], '`--output` takes `full` or `errors` or `new` or `none`, not `some`'],
  [['--only', 'nope'], 'error[SC3120]'],
  [['--watch', '--dry-run'], 'error[SC3126]'],
] as const) {
  test(`run ${argv.join(' ')} is refused`, () =>
    inProject(async (run) => {
      const { code, stderr } = await run('run', 'test', ...argv)
      assert.is(code, 1)
      assert.match(stderr, expected)
    }))
}

test.run()
