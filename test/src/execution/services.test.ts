import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { Outcome } from '../../../graph/types.ts'
import { within } from '../../support/assertions.ts'
import { inDirectory } from '../../support/directory.ts'
import { command, type ExecRig, execRig, service } from '../../support/exec-rig.ts'
import { graphOf, id } from '../../support/fake-run.ts'
import { accepts, eventually, freePort, gone, pidIn } from '../../support/processes.ts'

const test = suite('src/execution/services')

const inRig = (work: (rig: ExecRig, directory: string, port: number) => Promise<void>) => () =>
  inDirectory(async (directory) => {
    const rig = execRig(directory)
    try {
      await within(40_000, work(rig, directory, await freePort()))
    } finally {
      rig.programs.stop.abort()
      rig.close()
    }
  })

/** A server that answers every request with `status`, and says so in `log`. */
const server = (port: number, status = 200) => [
  process.execPath,
  '-e',
  // Noted before it listens: who connects does not wait for what it does then.
  `require("fs").appendFileSync("log", "up ")
    require("http").createServer((_, r) => { r.statusCode = ${status}; r.setHeader("location", "/"); r.end() })
    .listen(${port}, "127.0.0.1", () => console.log("listening on ${port}"))
    process.on("SIGTERM", () => { require("fs").appendFileSync("log", "down "); process.exit() })`,
]
const note = (text: string) => `echo -n "${text} " >> log`
const logOf = (directory: string) => (existsSync(join(directory, 'log')) ? readFileSync(join(directory, 'log'), 'utf8').trim() : '')
const status = (outcomes: ReadonlyMap<string, Outcome>, name: string) => outcomes.get(`exec:${name}`)?.status

// web ─▶ test
test(
  'what needs a service starts when it is ready; it stops when that has ended',
  inRig(async (rig, directory, port) => {
    const web = service('web', server(port), { http: `http://127.0.0.1:${port}/health` })
    const outcomes = await rig.run(graphOf(web, command('test', note('test'), { needs: ['exec:web'] })))
    assert.equal([status(outcomes, 'web'), status(outcomes, 'test')], ['ran', 'ran'])
    assert.is(logOf(directory), 'up test down')
    assert.not(await accepts(port))
  }),
)

test(
  'a service whose dependents are all fresh is not started',
  inRig(async (rig, directory, port) => {
    const web = service('web', server(port), { tcp: `127.0.0.1:${port}` })
    const graph = graphOf(web, command('test', note('test'), { needs: ['exec:web'] }))
    await rig.run(graph)
    const again = await rig.run(graph)
    assert.equal(again.get('exec:web'), {
      ...{ status: 'skipped', from: 'local', how: 'not-needed', detail: 'not needed: what depends on it is up to date' },
      result: (again.get('exec:web') as Extract<Outcome, { status: 'skipped' }>).result,
    })
    assert.is(logOf(directory), 'up test down')
  }),
)

test(
  'a changed service runs again what needs it, and not what only comes after it',
  inRig(async (rig, _directory, port) => {
    const graph = (value: string) =>
      graphOf(
        service('web', server(port), { line: 'listening' }, { variables: { VALUE: value } }),
        command('test', 'true', { needs: ['exec:web'] }),
        command('other', 'true', { after: ['exec:web'] }),
      )
    await rig.run(graph('1'))
    await rig.run(graph('2'))
    assert.equal(rig.started(), ['exec:web', 'exec:test'])
  }),
)

// db ─▶ api ─▶ test
test(
  'services depend on services, and stop in reverse order',
  inRig(async (rig, directory, port) => {
    const noted = (name: string) => `trap '${note(`-${name}`)}; exit' TERM; ${note(`+${name}`)}; echo ready; while :; do sleep 0.01; done`
    const graph = graphOf(
      service('db', noted('db'), { line: 'ready' }),
      service('api', noted('api'), { line: '^ready$' }, { needs: ['exec:db'] }),
      command('test', note('test'), { after: ['exec:api'] }),
    )
    await rig.run(graph)
    assert.is(logOf(directory), '+db +api test -api -db')
    assert.ok(port > 0)
  }),
)

test(
  'a service that was asked for runs until it is told to stop, and that is a good end',
  inRig(async (rig, directory, port) => {
    const run = rig.start(graphOf(service('web', server(port), { tcp: `127.0.0.1:${port}` })))
    const outcome = run.outcome(id('exec:web'))
    await eventually(() => rig.notices.length > 0)
    assert.equal(rig.notices, ['web is running: press Ctrl-C to stop it'])
    rig.programs.stop.abort()
    assert.is((await outcome).status, 'ran')
    assert.is(logOf(directory), 'up down')
  }),
)

test(
  'one that was asked for outlives what depends on it',
  inRig(async (rig, directory, port) => {
    const web = service('web', server(port), { tcp: `127.0.0.1:${port}` })
    const run = rig.start(graphOf(web, command('test', note('test'), { needs: ['exec:web'] })), { targets: new Set([id('exec:web')]) })
    assert.is((await run.outcome(id('exec:test'))).status, 'ran')
    assert.ok(await accepts(port))
    rig.programs.stop.abort()
    assert.is((await run.outcome(id('exec:web'))).status, 'ran')
    assert.is(logOf(directory), 'up test down')
  }),
)

test(
  'a service that was asked for stops when something fails, and all else has ended',
  inRig(async (rig, directory, port) => {
    const web = service('web', server(port), { tcp: `127.0.0.1:${port}` })
    const outcomes = await rig.run(graphOf(web, command('bad', 'while ! [ -s log ]; do sleep 0.01; done; exit 1')))
    assert.equal([status(outcomes, 'web'), status(outcomes, 'bad')], ['ran', 'failed'])
    assert.is(logOf(directory), 'up down')
  }),
)

test(
  'one that dies before it is ready fails with its code and last lines; what needs it is canceled and names it',
  inRig(async (rig, _directory, port) => {
    const web = service('web', 'echo no luck; exit 4', { tcp: `127.0.0.1:${port}` })
    const outcomes = await rig.run(graphOf(web, command('test', 'true', { needs: ['exec:web'] })))
    const failed = outcomes.get('exec:web')
    assert.ok(failed?.status === 'failed')
    assert.is(failed.failure.message, '`echo no luck; exit 4` exited with code 4 before it was ready')
    assert.equal(failed.failure.output, ['no luck'])
    assert.equal(outcomes.get('exec:test'), { status: 'canceled', by: 'exec:web' })
  }),
)

test(
  'one that does not get ready in time says what was not true yet, and is ended',
  inRig(async (rig, directory, port) => {
    const ready = { http: `http://127.0.0.1:${port}/`, line: 'never said', command: ['sh', '-c', 'echo not yet; exit 1'], timeoutMs: 1000 }
    const line = `echo $$ > pid; exec '${process.execPath}' -e '${server(port, 503)[2]}'`
    const outcomes = await rig.run(graphOf(service('web', line, ready), command('test', 'true', { needs: ['exec:web'] })))
    const failed = outcomes.get('exec:web')
    assert.ok(failed?.status === 'failed')
    assert.is(
      failed.failure.message,
      [
        '`web` was not ready within 1 s:',
        'no line of its output matches /never said/',
        `http://127.0.0.1:${port}/ answers with status 503`,
        '`echo not yet; exit 1` exited with code 1: not yet',
      ].join('\n'),
    )
    assert.equal(failed.failure.output, [`listening on ${port}`])
    await gone(await pidIn(join(directory, 'pid')))
  }),
)

test(
  'a redirection is an answer',
  inRig(async (rig, directory, port) => {
    const web = service('web', server(port, 302), { http: `http://127.0.0.1:${port}` })
    await rig.run(graphOf(web, command('test', note('test'), { needs: ['exec:web'] })))
    assert.is(logOf(directory), 'up test down')
  }),
)

test(
  'one that dies while it is used fails the run and ends what uses it',
  inRig(async (rig, directory) => {
    const web = service('web', 'echo up; while ! [ -e go ]; do sleep 0.01; done; exit 5', { line: 'up' })
    const outcomes = await rig.run(graphOf(web, command('test', 'echo $$ > pid; touch go; sleep 1000', { needs: ['exec:web'] })))
    const failed = outcomes.get('exec:web')
    assert.ok(failed?.status === 'failed')
    assert.match(failed.failure.message, /exited with code 5 while it was in use$/)
    assert.equal(outcomes.get('exec:test'), { status: 'canceled', by: 'exec:web' })
    await gone(await pidIn(join(directory, 'pid')))
  }),
)

test(
  'what already listens where it is to become ready is not taken for it',
  inRig(async (rig, _directory, port) => {
    const { createServer } = await import('node:net')
    const other = createServer((socket) => socket.end()).listen(port, '127.0.0.1')
    const outcomes = await rig.run(
      graphOf(service('web', server(port), { http: `http://127.0.0.1:${port}/` }), command('test', 'true', { needs: ['exec:web'] })),
    )
    other.close()
    const failed = outcomes.get('exec:web')
    assert.ok(failed?.status === 'failed')
    assert.is(failed.failure.message, `something already listens at 127.0.0.1:${port}, where \`web\` is to become ready`)
  }),
)

test(
  'an interrupt ends what uses a service first, then the service',
  inRig(async (rig, directory, port) => {
    const web = service('web', server(port), { tcp: `127.0.0.1:${port}` })
    const use = `trap '${note('test-ended')}; exit 1' TERM; touch using; while :; do sleep 0.01; done`
    const run = rig.run(graphOf(web, command('test', use, { needs: ['exec:web'] })))
    await eventually(() => existsSync(join(directory, 'using')))
    rig.programs.stop.abort()
    assert.is(status(await run, 'test'), 'failed')
    assert.is(logOf(directory), 'up test-ended down')
  }),
)

test(
  'a service takes no slot: with one, what needs it still runs',
  inRig(async (rig, directory, port) => {
    const web = service('web', server(port), { tcp: `127.0.0.1:${port}` })
    const tests = ['a', 'b'].map((name) => command(name, note(name), { needs: ['exec:web'] }))
    const outcomes = await rig.run(graphOf(web, ...tests), { pools: { default: 1, exec: 1 } })
    assert.equal(
      [...outcomes.values()].map((one) => one.status),
      ['ran', 'ran', 'ran'],
    )
    assert.is(logOf(directory), 'up a b down')
    writeFileSync(join(directory, 'log'), '')
  }),
)

test.run()
