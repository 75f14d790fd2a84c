import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { within } from '../../support/assertions.ts'
import { failureOf, onServer } from '../../support/ssh-server.ts'

const test = suite('src/hosts/ssh-exec')

test(
  'a program has its words, directory, variables and input, and its exit is a value',
  onServer({}, async (server) => {
    const exit = await server.host().run({
      argv: ['sh', '-c', 'pwd; echo "$0 $1 $VALUE"; cat; echo problem >&2; exit 3', "it's", '$HOME'],
      cwd: server.home,
      env: { VALUE: 'a b' },
      stdin: 'from stdin\n',
    })
    assert.equal(exit, { code: 3, stdout: `${server.home}\nit's $HOME a b\nfrom stdin\n`, stderr: 'problem\n' })
  }),
)

test(
  'a program without input sees its end',
  onServer({}, async (server) => {
    assert.equal(await within(5_000, server.host().run({ argv: ['cat'] })), { code: 0, stdout: '', stderr: '' })
  }),
)

test(
  'lines are told whole, and letters too',
  onServer({}, async (server) => {
    const lines: string[] = []
    await server
      .host()
      .run({ argv: ['sh', '-c', "printf 'one\\r\\ntw'; printf 'o\\n\\303'; printf '\\251 last'"] }, (line) => lines.push(line))
    assert.equal(lines, ['one', 'two', 'é last'])
  }),
)

test(
  'death by a signal is told as a shell would',
  onServer({}, async (server) => {
    assert.is((await server.host().run({ argv: ['sh', '-c', 'kill -9 $$'] })).code, 137)
  }),
)

test(
  'a missing program and a missing directory are exits',
  onServer({}, async (server) => {
    assert.is((await server.host().run({ argv: ['stagecraft-no-such-program'] })).code, 127)
    assert.is.not((await server.host().run({ argv: ['true'], cwd: '/stagecraft-no-such-directory' })).code, 0)
  }),
)

test(
  'input that is not read is no failure',
  onServer({}, async (server) => {
    assert.is((await within(10_000, server.host().run({ argv: ['true'], stdin: 'x'.repeat(5_000_000) }))).code, 0)
  }),
)

test(
  'a program that is not waited for any more is told to end',
  onServer({}, async (server) => {
    const controller = new AbortController()
    const host = server.host({ signal: controller.signal })
    const script = join(server.home, 'script')
    const [ended, ready] = [join(server.home, 'ended'), 'ready']
    writeFileSync(script, `trap 'touch ${ended}; exit' TERM; echo ${ready}; while :; do sleep 0.05; done`)
    const running = failureOf(host.run({ argv: ['sh', script] }, (line) => line === ready && controller.abort()))
    assert.is((await within(5_000, running)).reason, 'interrupted')
    const isGone = await within(5_000, host.run({ argv: ['sh', '-c', `while [ ! -e ${ended} ]; do sleep 0.05; done`] }))
    assert.is(isGone.code, 0)
    assert.ok(existsSync(ended))
  }),
)

test.run()
