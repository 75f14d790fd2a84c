import { existsSync, readFileSync } from 'node:fs'
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { OutputLines } from '../../../src/hosts/output-lines.ts'
import { runProcess } from '../../../src/hosts/process.ts'
import { TaskFailure } from '../../../tasks/kind.ts'
import type { Command } from '../../../tasks/ports.ts'
import { rejects, within } from '../../support/assertions.ts'

const test = suite('src/hosts/process')

const node = (script: string, ...args: string[]): Command => ({ argv: [process.execPath, '-e', script, ...args] })

async function failureOf(promise: Promise<unknown>) {
  const error = await rejects(within(10_000, promise))
  assert.instance(error, TaskFailure)
  return (error as TaskFailure).failure
}

/** Waits until a process is gone. A zombie is gone: nobody may be there to collect it. */
async function gone(pid: number): Promise<void> {
  const state = () => (existsSync(`/proc/${pid}/stat`) ? / ([A-Z]) /.exec(readFileSync(`/proc/${pid}/stat`, 'utf8'))?.[1] : undefined)
  for (let now = state(); now !== undefined && now !== 'Z'; now = state()) await delay(5)
}

test('standard output and standard error are captured apart, byte for byte', async () => {
  const exit = await runProcess(node('process.stdout.write("a\\r\\nb"); process.stderr.write("c\\n")'))
  assert.equal(exit, { code: 0, stdout: 'a\r\nb', stderr: 'c\n' })
})

test('a non-zero exit is a value', async () => {
  assert.is((await runProcess(node('process.exit(7)'))).code, 7)
})

test('a program that a signal ended has exit code 128 + n', async () => {
  assert.is((await runProcess(node('process.kill(process.pid, "SIGKILL")'))).code, 137)
})

test('folder, variables and input reach the program, on top of the inherited environment', async () => {
  const cwd = await mkdtemp(join(tmpdir(), 'process-'))
  const script =
    'process.stdin.on("data", (d) => console.log([process.cwd(), process.env.ADDED, process.env.PATH === process.argv[1], d].join(" ")))'
  const exit = await runProcess({ ...node(script, process.env['PATH'] ?? ''), cwd, env: { ADDED: 'yes' }, stdin: 'hello' })
  assert.is(exit.stdout, `${cwd} yes true hello\n`)
  await rm(cwd, { recursive: true })
})

test('arguments are never read by a shell', async () => {
  const hostile = '$(touch /nope); `id` && "quoted" \n *'
  assert.is((await runProcess(node('process.stdout.write(process.argv[1])', hostile))).stdout, hostile)
})

test('a program that leaves its input unread is no failure', async () => {
  assert.is((await runProcess({ ...node('process.exit(0)'), stdin: 'x'.repeat(1_000_000) })).code, 0)
})

test('lines arrive whole, live and with the name of their stream', async () => {
  const lines: string[] = []
  const script = 'process.stdout.write("one\\ntw"); setTimeout(() => { process.stdout.write("o\\r\\nend"); console.error("err") }, 30)'
  await runProcess(node(script), { onLine: (line, stream) => lines.push(`${stream}:${line}`) })
  assert.equal(lines.sort(), ['stderr:err', 'stdout:end', 'stdout:one', 'stdout:two'])
})

test('everything that leaves is redacted', async () => {
  const lines: string[] = []
  const redact = (text: string) => text.replaceAll('hunter2', '***')
  const exit = await runProcess(node('console.log("password hunter2"); console.error("hunter2")'), {
    redact,
    onLine: (line) => lines.push(line),
  })
  assert.equal([exit.stdout, exit.stderr, ...lines.sort()], ['password ***\n', '***\n', '***', 'password ***'])
})

test('a program that is not there cannot be started', async () => {
  const failure = await failureOf(runProcess({ argv: ['no-such-program-here'] }))
  assert.is(failure.reason, 'refused')
  assert.is(failure.message, '`no-such-program-here` was not found')
  assert.match(failure.remedy ?? '', /install/)
})

test('a file that may not be executed cannot be started', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'process-'))
  const file = join(directory, 'script')
  await writeFile(file, '#!/bin/sh\n')
  await chmod(file, 0o644)
  const failure = await failureOf(runProcess({ argv: [file] }))
  assert.match(failure.remedy ?? '', /chmod \+x/)
  await rm(directory, { recursive: true })
})

test('a missing folder is told apart from a missing program', async () => {
  const failure = await failureOf(runProcess({ ...node(''), cwd: '/no/such/folder' }))
  assert.is(failure.subject, '/no/such/folder')
})

test('too large an environment is told as such', async () => {
  const failure = await failureOf(runProcess({ ...node(''), env: { BIG: 'x'.repeat(3_000_000) } }))
  assert.match(failure.message, /more arguments and variables/)
})

test('a program that outlives its time is ended, and its last lines are kept', async () => {
  const failure = await failureOf(runProcess({ ...node('console.log("waiting"); setInterval(() => {}, 1000)'), timeoutMs: 400 }))
  assert.is(failure.reason, 'timeout')
  assert.match(failure.message, /within 0.4 s/)
  assert.equal(failure.output, ['waiting'])
})

test('a signal that was given before starts nothing', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'process-'))
  const failure = await failureOf(runProcess({ argv: ['touch', join(directory, 'touched')] }, { signal: AbortSignal.abort() }))
  assert.is(failure.reason, 'interrupted')
  assert.not(existsSync(join(directory, 'touched')))
  await rm(directory, { recursive: true })
})

/*  node ── sh ── node (deaf to SIGTERM, holds the pipe)  */
test('cancelling ends grandchildren too, even those deaf to SIGTERM', async () => {
  const controller = new AbortController()
  const deaf = 'process.on("SIGTERM", () => {}); console.log(String(process.pid)); setInterval(() => {}, 1000)'
  let grandchild = 0
  const run = runProcess(
    { argv: ['sh', '-c', '"$0" -e "$1" & wait', process.execPath, deaf] },
    {
      signal: controller.signal,
      forceKillAfterMs: 100,
      onLine: (line) => {
        grandchild = Number(line)
        controller.abort()
      },
    },
  )
  const failure = await failureOf(run)
  assert.is(failure.reason, 'interrupted')
  assert.ok(grandchild > 0)
  await within(5000, gone(grandchild))
})

test('a program that ends well on SIGTERM is not killed', async () => {
  const controller = new AbortController()
  const script = 'process.on("SIGTERM", () => { console.log("tidied"); process.exit(0) }); console.log("up"); setInterval(() => {}, 1000)'
  const failure = await failureOf(runProcess(node(script), { signal: controller.signal, onLine: () => controller.abort() }))
  assert.equal(failure.output, ['up', 'tidied'])
})

test('a process that left the group and holds the pipe does not hold us', async () => {
  const controller = new AbortController()
  const leaver =
    'const c = require("child_process").spawn("sleep", ["30"], { detached: true, stdio: "inherit" }); console.log(String(c.pid)); c.unref(); setInterval(() => {}, 1000)'
  let escaped = 0
  const onLine = (line: string) => {
    escaped = Number(line)
    controller.abort()
  }
  const failure = await failureOf(runProcess(node(leaver), { signal: controller.signal, onLine, forceKillAfterMs: 100 }))
  assert.is(failure.reason, 'interrupted')
  process.kill(escaped, 'SIGKILL')
})

test('leaving by process.exit takes running programs along', async () => {
  const module = new URL('../../../src/hosts/process.js', import.meta.url).href
  const script = `import(${JSON.stringify(module)}).then(({ runProcess }) => runProcess({ argv: ['sh', '-c', 'echo $$; sleep 30'] },
    { onLine: (line) => { console.log(line); process.exit(3) } }))`
  const exit = await within(10_000, runProcess(node(script)))
  assert.is(exit.code, 3)
  await within(5000, gone(Number(exit.stdout)))
})

test('however the stream is cut into chunks, the lines are the same', () => {
  const chunks = fc.array(fc.uint8Array({ minLength: 1, maxLength: 9 }), { maxLength: 12 })
  fc.assert(
    fc.property(fc.array(fc.constantFrom('é', '\n', '\r\n', 'a', '𝄞')), chunks, (pieces, cuts) => {
      const bytes = Buffer.from(pieces.join(''))
      const lines: string[] = []
      const output = new OutputLines(1_000_000, (line) => lines.push(line))
      let at = 0
      for (const cut of cuts) {
        output.write(bytes.subarray(at, at + cut.length))
        at += cut.length
      }
      output.write(bytes.subarray(at))
      output.end()
      assert.is(output.text(), pieces.join(''))
      const expected = pieces.join('').split(/\r?\n/)
      if (expected.at(-1) === '') expected.pop()
      assert.equal(lines, expected)
    }),
  )
})

test('beyond the cap the oldest lines go, whole', () => {
  const output = new OutputLines(20_000, () => {})
  for (let n = 0; n < 10_000; n += 1) output.write(Buffer.from(`line ${n}\n`))
  assert.ok(output.text().length <= 20_000)
  assert.match(output.text(), /^line \d+\n.*line 9999\n$/s)
  output.write(Buffer.from(`${'x'.repeat(30_000)}\n`))
  assert.is(output.text(), `${'x'.repeat(30_000)}\n`)
})

test.run()
