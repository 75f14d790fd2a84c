import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { type TaskContext, TaskFailure } from '../../../tasks/kind.ts'
import { engineOf } from '../../../tasks/migration/engines.ts'
import type { MigrationCommand, MigrationParams } from '../../../tasks/migration/params.ts'
import { rejects, within } from '../../support/assertions.ts'
import { FakeDatabase } from '../../support/fake-database.ts'
import { HookRig, inApi } from '../../support/hook-rig.ts'
import { inTemporaryDirectory } from '../../support/temporary-directory.ts'

const test = suite('tasks/migration/command')
const engine = engineOf('command')
const secret = 'postgres://anna:hunter2@db/x'
const container = 'stagecraft-migrate-shop-prod-main'

interface World {
  readonly rig: HookRig
  readonly database: FakeDatabase
  readonly context: TaskContext
  params(command?: Partial<MigrationCommand>): MigrationParams
}

function world(name: string, work: (made: World) => Promise<void>, variables: Readonly<Record<string, string>> = {}): void {
  test(name, () =>
    inTemporaryDirectory(async (directory) => {
      await mkdir(join(directory, 'db', 'nested'), { recursive: true })
      await writeFile(join(directory, 'db', 'nested', 'one.ts'), 'one')
      const [rig, database] = [new HookRig(variables, { DATABASE_URL: secret }), new FakeDatabase()]
      const base = rig.context()
      const ports = Object.create(base.ports, { projectDirectory: { value: directory }, database: { value: async () => database } })
      const context = { ...base, ports, scope: { ...base.scope, project: 'shop', environment: 'prod' } }
      const command = { argv: ['tool', 'up'], check: null, env: [], timeoutMs: 60_000, container: null }
      const params = (parts: Partial<MigrationCommand> = {}): MigrationParams => ({
        ...{ database: 'main', engine: 'command', path: 'db', table: 't', connectionEnv: 'DATABASE_URL', waitSeconds: 0 },
        command: { ...command, ...parts },
      })
      await within(5_000, work({ rig, database, context, params }))
    }),
  )
}

world(
  'the connection string is a variable of the program, and on no command line',
  async ({ rig, context, params }) => {
    await engine.apply(params({ env: ['MODE'] }), context)
    const [request] = rig.requests
    assert.equal(request?.argv, ['tool', 'up'])
    assert.equal(request?.env, { MODE: 'fast', PATH: '/bin', HOME: '/root', DATABASE_URL: secret })
    assert.not.match(JSON.stringify(rig.lines), /hunter2/)
  },
  { MODE: 'fast', PATH: '/bin', HOME: '/root', OTHER: 'withheld' },
)

world('it runs under the lock in the database, and leaves its row when it ended well', async ({ rig, database, context, params }) => {
  rig.program = async () => {
    assert.equal(database.asked, ['lock', 'applied'])
    return { code: 0 }
  }
  await engine.apply(params(), context)
  assert.equal(database.asked, ['lock', 'applied', 'record command', 'unlock', 'close'])
})

world('a code other than 0 is a failure with the command as typed, and leaves no row', async ({ rig, database, context, params }) => {
  rig.program = async () => ({ code: 3 })
  const { failure } = (await rejects(engine.apply(params(), context))) as TaskFailure
  assert.equal([failure.reason, failure.subject, failure.message], ['exit', 'database `main`', '`tool up` exited with code 3'])
  assert.equal(database.rows, [])
})

world('another command, or another file however deep, makes it pending again', async ({ context, params }) => {
  await engine.apply(params(), context)
  const state = async (given: MigrationParams) => (await engine.plan(given, context)).steps[0]?.state
  assert.is(await state(params()), 'applied')
  assert.is(await state(params({ argv: ['tool', 'up', '--all'] })), 'pending')
  await writeFile(join(context.ports.projectDirectory, 'db', 'nested', 'one.ts'), 'two')
  assert.is(await state(params()), 'pending')
})

world('with a check, that decides before and after, and our ledger is left alone', async ({ rig, database, context, params }) => {
  let applied = false
  rig.program = async ({ argv }) => {
    if (argv[0] === 'tool') applied = true
    return { code: applied ? 0 : 1 }
  }
  const given = params({ check: ['status'] })
  assert.is((await engine.plan(given, context)).steps[0]?.state, 'pending')
  assert.equal(await engine.apply(given, context), ['command'])
  assert.is((await engine.plan(given, context)).steps[0]?.state, 'applied')
  assert.equal(database.asked, [])
  rig.program = async ({ argv }) => ({ code: argv[0] === 'tool' ? 0 : 1 })
  await rejects(engine.apply(given, context), /`tool up` ended well, and `status` says that not all is applied/)
})

world(
  'in a container of the release: one name, no secret in any argument, and the lock checked before it starts',
  async ({ rig, context, params }) => {
    rig.host.answer(/^docker container rm/, { code: 1, stderr: `Error response from daemon: No such container: ${container}` })
    await engine.apply(params({ container: inApi, env: ['MODE'] }), context)
    const argv = rig.argv()
    assert.equal(argv.slice(argv.indexOf('run')), [
      ...['run', '--rm', '--no-deps', '--no-TTY', '--interactive=false', '--name', container],
      ...['--label', 'stagecraft.project=migrations of shop', 'api', 'tool', 'up'],
    ])
    const given = rig.host.commands.find((command) => command.argv.includes('run'))?.stdin
    assert.is(given, '{"services":{"api":{"environment":{"MODE":"fast"}}}}')
    assert.not.match(JSON.stringify(rig.host.commands), /hunter2/)
    assert.equal(rig.requests, [])
  },
  { MODE: 'fast' },
)

world('a container that runs under the name is left alone, and the failure says so', async ({ rig, database, context, params }) => {
  rig.host.answer(/^docker container rm/, { code: 1, stderr: 'Error response from daemon: cannot remove container: container is running' })
  const { failure } = (await rejects(engine.apply(params({ container: inApi }), context))) as TaskFailure
  assert.instance(failure, Object)
  assert.is(failure.reason, 'lock-held')
  assert.match(failure.message, new RegExp(`^container ${container} already runs on`))
  assert.not.ok(rig.host.commands.some(({ argv }) => argv.includes('run')))
  assert.not.ok(database.asked.includes('record command'))
})

world('out of time, it is removed', async ({ rig, context, params }) => {
  rig.host.answer(/^docker container rm/, { code: 0 })
  rig.host.answer(/ docker compose .* run /, () => {
    throw new TaskFailure({ reason: 'timeout', subject: 'x', message: 'took too long' })
  })
  await rejects(engine.apply(params({ container: inApi }), context), /took too long/)
  assert.is(rig.steps().at(-1), `remove ${container}`)
})

world('it cannot be told how many', async ({ context, params }) => {
  await rejects(engine.apply({ ...params(), steps: 1 }, context), /cannot be told how many/)
})

world('no folder is a failure that names it', async ({ context, params }) => {
  const { failure } = (await rejects(engine.plan({ ...params(), path: 'nowhere' }, context))) as TaskFailure
  assert.equal([failure.reason, failure.subject], ['missing-output', 'nowhere'])
})

test.run()
