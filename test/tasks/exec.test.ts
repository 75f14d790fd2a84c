import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { Failure, Outcome } from '../../graph/types.ts'
import { within } from '../support/assertions.ts'
import { inDirectory } from '../support/directory.ts'
import { command, type ExecRig, execRig } from '../support/exec-rig.ts'
import { graphOf } from '../support/fake-run.ts'

const test = suite('tasks/exec')

const inRig =
  (work: (rig: ExecRig, directory: string) => Promise<void>, env?: Record<string, string>, secrets?: Record<string, string>) => () =>
    inDirectory(async (directory) => {
      const rig = execRig(directory, env, secrets)
      try {
        await within(30_000, work(rig, directory))
      } finally {
        rig.close()
      }
    })

function failureIn(outcomes: ReadonlyMap<string, Outcome>, name: string): Failure {
  const outcome = outcomes.get(`exec:${name}`)
  if (outcome?.status !== 'failed') throw new Error(`it did not fail: ${JSON.stringify(outcome)}`)
  return outcome.failure
}

test(
  'a command runs once, and again when what it reads changed',
  inRig(async (rig, directory) => {
    writeFileSync(join(directory, 'in'), '1')
    const graph = graphOf(command('copy', 'cat in >> log', { inputs: ['in'] }))
    for (const text of ['1', '1', '2']) {
      writeFileSync(join(directory, 'in'), text)
      await rig.run(graph)
    }
    assert.is(readFileSync(join(directory, 'log'), 'utf8'), '12')
  }),
)

test(
  'variables it does not name are withheld; those it names, its values and its secrets arrive',
  inRig(
    async (rig) => {
      const line = 'echo "$PLANTED,$API_URL,$HOME,$MODE,$TOKEN,$STAGECRAFT_TASK,$STAGECRAFT_ATTEMPT"'
      await rig.run(graphOf(command('show', line, { env: ['API_*'], passEnv: ['HOME'], variables: { MODE: 'test' }, secrets: ['TOKEN'] })))
      assert.equal(rig.lines('show'), [',there,/h,test,***,show,1'])
    },
    { PLANTED: 'planted', API_URL: 'there', HOME: '/h' },
    { TOKEN: 'hunter2' },
  ),
)

test(
  '--verbose tells the names of the variables that were passed, never a value',
  inRig(
    async (rig) => {
      const graph = graphOf(command('quiet', 'true', { secrets: ['TOKEN'], variables: { MODE: 'release' }, cache: false }))
      await rig.run(graph)
      assert.equal(rig.lines('quiet'), [])
      await rig.run(graph, { verbose: true })
      assert.equal(rig.lines('quiet'), ['variables it gets: MODE, PATH, STAGECRAFT_ATTEMPT, STAGECRAFT_TASK, TOKEN'])
    },
    {},
    { TOKEN: 'hunter2' },
  ),
)

const failures: readonly [name: string, line: string | string[], message: string, remedy: RegExp | undefined][] = [
  ['a code', 'echo why; exit 3', '`echo why; exit 3` exited with code 3', undefined],
  ['a code of a command given as arguments', ['sh', '-c', 'exit 3', 'x y'], "`sh -c 'exit 3' 'x y'` exited with code 3", undefined],
  ['a signal', 'kill -SEGV $$', '`kill -SEGV $$` was ended by SIGSEGV', undefined],
  [
    'a signal that a shell tells of',
    'sh -c "kill -ABRT \\$\\$"; exit $?',
    '`sh -c "kill -ABRT \\$\\$"; exit $?` exited with code 134 (SIGABRT)',
    undefined,
  ],
  ['a program that is not there', 'no-such-program-here', '`no-such-program-here` exited with code 127', /PATH/],
  ['a file that may not run', './in', '`./in` exited with code 126', /chmod \+x/],
  ['a kill', 'kill -KILL $$', '`kill -KILL $$` was ended by SIGKILL', /memory/],
]
for (const [name, line, message, remedy] of failures) {
  test(
    `a failure shows the command as typed and how it ended: ${name}`,
    inRig(async (rig, directory) => {
      writeFileSync(join(directory, 'in'), 'echo', { mode: 0o644 })
      const failure = failureIn(await rig.run(graphOf(command('bad', line))), 'bad')
      assert.equal([failure.reason, failure.subject, failure.message], ['exit', 'bad', message])
      if (remedy) assert.match(failure.remedy ?? '', remedy)
      else assert.is(failure.remedy, undefined)
    }),
  )
}

test(
  'its last lines come with the failure',
  inRig(async (rig) => {
    const failure = failureIn(await rig.run(graphOf(command('bad', 'seq 1 30; echo sorry >&2; exit 1'))), 'bad')
    assert.equal([failure.output?.length, failure.output?.at(-1)], [20, 'sorry'])
  }),
)

test(
  'it is tried again as often as it says, and told which attempt it is',
  inRig(async (rig) => {
    const graph = graphOf(command('flaky', 'echo "try $STAGECRAFT_ATTEMPT"; [ $STAGECRAFT_ATTEMPT = 3 ]', { retries: 2 }))
    assert.is((await rig.run(graph)).get('exec:flaky')?.status, 'ran')
    assert.equal(rig.lines('flaky'), [
      'try 1',
      'attempt 1 of 3 exited with code 1: trying again',
      'try 2',
      'attempt 2 of 3 exited with code 1: trying again',
      'try 3',
    ])
  }),
)

test(
  'each attempt has its own time; the last failure is the one that counts',
  inRig(async (rig) => {
    const failure = failureIn(await rig.run(graphOf(command('slow', 'sleep 1000', { retries: 1, timeoutMs: 150 }))), 'slow')
    assert.is(failure.reason, 'timeout')
    assert.equal(rig.lines('slow'), ['attempt 1 of 2 took longer than 0.15 s: trying again'])
  }),
)

test(
  'an interrupt is no reason to try again',
  inRig(async (rig, directory) => {
    const graph = graphOf(command('long', 'echo x >> started; echo up; sleep 1000', { retries: 5 }))
    const on = (event: { type: string }) => event.type === 'output' && rig.programs.stop.abort()
    assert.is(failureIn(await rig.run(graph, { on }), 'long').reason, 'interrupted')
    assert.is(readFileSync(join(directory, 'started'), 'utf8'), 'x\n')
  }),
)

test(
  'a tool is asked once for all tasks; its answer enters the fingerprint',
  inRig(async (rig, directory) => {
    writeFileSync(join(directory, 'version'), '1')
    const tools = [['sh', '-c', 'echo asked >> asked; cat version']]
    const graph = graphOf(command('a', 'true', { tools }), command('b', 'true', { tools }))
    await rig.run(graph)
    assert.is(readFileSync(join(directory, 'asked'), 'utf8'), 'asked\n')
    const next = execRig(directory)
    await next.run(graph, { caches: rig.options.caches })
    assert.equal(next.started(), [])
    writeFileSync(join(directory, 'version'), '2')
    const third = execRig(directory)
    await third.run(graph, { caches: rig.options.caches })
    assert.is(third.started().length, 2)
    for (const one of [next, third]) one.close()
  }),
)

test(
  'a tool that fails is named, with what it printed',
  inRig(async (rig) => {
    const failure = failureIn(await rig.run(graphOf(command('a', 'true', { tools: [['sh', '-c', 'echo broken; exit 2']] }))), 'a')
    assert.match(failure.message, /`echo broken; exit 2` exited with code 2; it is listed in `tools`/)
    assert.equal(failure.output, ['broken'])
  }),
)

test(
  'tools are looked for in the PATH that the task sets',
  inRig(async (rig, directory) => {
    writeFileSync(join(directory, 'mytool'), '#!/bin/sh\necho mine\n', { mode: 0o755 })
    const variables = { PATH: `${directory}:${process.env['PATH']}` }
    assert.is((await rig.run(graphOf(command('a', 'mytool', { tools: [['mytool']], variables })))).get('exec:a')?.status, 'ran')
  }),
)

test(
  'two runs in one checkout: the second waits for the task, says so once, and finds it fresh',
  inRig(async (rig, directory) => {
    const other = execRig(directory)
    const graph = graphOf(command('slow', 'echo x >> started; while [ ! -e go ]; do sleep 0.01; done'))
    const first = rig.run(graph)
    while (!existsSync(join(directory, 'started'))) await new Promise((resolve) => setImmediate(resolve))
    let second: ReturnType<typeof other.run> | undefined
    await new Promise<void>((resolve) => {
      const notice = (line: string) => {
        other.notices.push(line)
        resolve()
      }
      second = other.run(graph, { caches: rig.options.caches, notice })
    })
    writeFileSync(join(directory, 'go'), '')
    await first
    assert.is((await second)?.get('exec:slow')?.status, 'skipped')
    assert.match(other.notices.join(), new RegExp(`^slow waits for another run \\(pid ${process.pid} on .*\\), which runs it now$`))
    assert.is(readFileSync(join(directory, 'started'), 'utf8'), 'x\n')
    other.close()
  }),
)

test(
  'a great deal of output is kept in part, the end of it',
  inRig(async (rig) => {
    const outcome = (
      await rig.run(graphOf(command('loud', 'yes 0123456789012345678901234567890123456789 | head -n 200000; echo end')))
    ).get('exec:loud')
    const log = outcome?.status === 'ran' ? outcome.result.log : undefined
    const text = log === undefined ? '' : Buffer.from(await rig.options.ports.content.read(log)).toString()
    assert.ok(text.length < 4_300_000 && text.endsWith('\nend\n'))
    assert.ok(text.startsWith('(earlier lines were not kept)\n'))
  }),
)

test.run()
