import { createHash } from 'node:crypto'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { TaskFailure } from '../../tasks/kind.ts'
import { migratePost, migratePre } from '../../tasks/migrate.ts'
import type { AppliedMigration } from '../../tasks/ports.ts'
import { rejects, within } from '../support/assertions.ts'
import { FakeDatabase } from '../support/fake-database.ts'
import { migrationContext } from '../support/migration-context.ts'
import { inTemporaryDirectory } from '../support/temporary-directory.ts'

const test = suite('tasks/migrate')

const params = {
  database: 'main',
  engine: 'raw',
  path: 'migrations',
  table: 'stagecraft_migrations',
  connectionEnv: 'DATABASE_URL',
  waitSeconds: 0,
}

const contents = (id: string) => `select '${id}'`
const row = (id: string) => ({ id, checksum: createHash('sha256').update(contents(id)).digest('hex') })

/** A project with migrations of these names, and a database that has applied some of them. */
function project(ids: readonly string[], applied: readonly AppliedMigration[], work: (world: ReturnType<typeof worldOf>) => Promise<void>) {
  return inTemporaryDirectory(async (directory) => {
    await mkdir(join(directory, 'migrations'))
    for (const id of ids) await writeFile(join(directory, 'migrations', id), contents(id))
    const database = new FakeDatabase()
    database.rows = [...applied]
    await within(5_000, work(worldOf(directory, database)))
  })
}

function worldOf(projectDirectory: string, database: FakeDatabase) {
  const controller = new AbortController()
  const opening: (() => Error | undefined)[] = []
  const open = async () => {
    const error = opening.shift()?.()
    if (error) throw error
    return database
  }
  return {
    database,
    controller,
    opening,
    ...migrationContext({ projectDirectory, database: open, signal: controller.signal, releaseId: 'rel-1' }),
  }
}

const observe = (world: ReturnType<typeof worldOf>) =>
  migratePre.observe?.(params, world.context, undefined) ?? Promise.reject(new Error('no observe'))
const starting = () => new TaskFailure({ reason: 'unreachable', subject: 'database `main`', message: 'nothing listens on db:5432' })

test('is an effect that takes the lock, before the rollout or after it', () => {
  for (const [kind, name] of [
    [migratePre, 'migrate_pre'],
    [migratePost, 'migrate_post'],
  ] as const) {
    assert.is(kind.name, name)
    assert.is(kind.phase, name)
    assert.is(kind.freshness, 'effect')
    assert.is(kind.exclusive, true)
    assert.is(kind.pool, 'database')
  }
  assert.is(migratePre.title(params), 'migrate main')
  assert.equal(migratePre.inputs?.(params), { files: [{ root: 'migrations', include: ['*.[sS][qQ][lL]'] }] })
  assert.ok(migratePre.params.safeParse({ ...params, waitSeconds: undefined }).success)
  assert.not.ok(migratePre.params.safeParse({ ...params, dsn: 'x' }).success)
})

test('is fresh when the ledger knows every file, whatever else it knows', () =>
  project(['001.sql', '002.sql'], [row('000_gone.sql'), row('001.sql'), row('002.sql')], async (world) => {
    assert.equal(await observe(world), {
      fresh: true,
      result: { files: {}, values: { applied: ['001.sql', '002.sql'] } },
      detail: 'nothing pending',
    })
    assert.equal(world.database.asked, ['applied', 'close'])
    assert.equal(world.lines, ['applied earlier, and not in this project: 000_gone.sql'])
  }))

test('is fresh when there are no migrations at all', () =>
  project([], [], async (world) => {
    assert.equal(await observe(world), { fresh: true, result: { files: {}, values: { applied: [] } }, detail: 'no migrations' })
  }))

test('names what is pending', () =>
  project(['001.sql', '002.sql', '003.sql'], [row('001.sql')], async (world) => {
    assert.equal(await observe(world), { fresh: false, because: { reason: 'drift', detail: '2 pending: 002.sql, 003.sql' } })
  }))

test('on a first run names the first few', () =>
  project(['1.sql', '2.sql', '3.sql', '4.sql', '5.sql', '6.sql', '7.sql'], [], async (world) => {
    const because = { reason: 'first-run', detail: '7 pending: 1.sql, 2.sql, 3.sql, 4.sql, 5.sql (+2 more)' }
    assert.equal(await observe(world), { fresh: false, because })
  }))

test('an applied file that was changed stops everything before anything is touched', () =>
  project(['001.sql', '002.sql'], [{ id: '001.sql', checksum: 'other' }], async (world) => {
    for (const work of [() => observe(world), () => migratePre.run(params, world.context)]) {
      const error = await rejects(work(), /changed after it was applied: 001\.sql/)
      assert.match((error as TaskFailure).failure.remedy ?? '', /restore the file/)
    }
    assert.not.ok(world.database.asked.some((call) => call.startsWith('apply ')))
    assert.is(world.database.asked.filter((call) => call === 'close').length, 2)
  }))

test('a row from before checksums is no drift', () =>
  project(['001.sql'], [{ id: '001.sql', checksum: '' }], async (world) => {
    assert.is((await observe(world)).fresh, true)
  }))

test('applies what is pending, in order, under both locks, and hangs up', () =>
  project(['001.sql', '002.sql', '003.sql'], [row('001.sql')], async (world) => {
    const result = await migratePre.run(params, world.context)
    assert.equal(world.database.asked, ['lock', 'applied', 'apply 002.sql rel-1', 'apply 003.sql rel-1', 'applied', 'unlock', 'close'])
    assert.equal(world.lines, ['applying 002.sql', 'applying 003.sql'])
    assert.is(world.guards(), 3)
    const look = await observe(world)
    assert.equal(look.fresh && look.result, result)
  }))

test('what another run applied while we waited for the lock is not applied again', () =>
  project(['001.sql'], [row('001.sql')], async (world) => {
    await migratePre.run(params, world.context)
    assert.not.ok(world.database.asked.some((call) => call.startsWith('apply ')))
  }))

test('stops at the first failure and says what stays', () =>
  project(['001.sql', '002.sql', '003.sql'], [], async (world) => {
    world.database.onApply = ({ id }) => {
      if (id === '002.sql') throw new TaskFailure({ reason: 'refused', subject: '002.sql:1', message: 'no such table' })
    }
    const error = await rejects(migratePre.run(params, world.context))
    assert.equal((error as TaskFailure).failure, {
      reason: 'refused',
      subject: '002.sql:1',
      message: 'no such table\napplied before it, and kept: 001.sql',
    })
    assert.equal(world.database.asked.slice(-3), ['apply 002.sql rel-1', 'unlock', 'close'])
  }))

test('a failure of the first says that nothing was applied', () =>
  project(['001.sql'], [], async (world) => {
    world.database.onApply = () => {
      throw new TaskFailure({ reason: 'refused', subject: '001.sql:1', message: 'no' })
    }
    await rejects(migratePre.run(params, world.context), /^no\nno migration was applied before it$/)
  }))

test('a failure after the rollout says what runs now, and that no rollback brings the database back', () =>
  project(['001.sql'], [], async (world) => {
    world.database.onApply = () => {
      throw new TaskFailure({ reason: 'refused', subject: '001.sql:1', message: 'no' })
    }
    const error = await rejects(migratePost.run(params, world.context))
    const { message, remedy } = (error as TaskFailure).failure
    assert.match(
      message,
      /^no\nno migration was applied before it\nthe new containers run, and the release is not finished; a rollback does not undo migrations$/,
    )
    assert.match(remedy ?? '', /deploy again/)
    assert.is(migratePost.commits, true)
    assert.is(migratePre.commits, false)
  }))

test('a bug is passed on as it is', () =>
  project(['001.sql'], [], async (world) => {
    world.database.onApply = () => {
      throw new TypeError('ours')
    }
    assert.instance(await rejects(migratePre.run(params, world.context)), TypeError)
  }))

test('a ledger that forgets is noticed', () =>
  project(['001.sql'], [], async (world) => {
    world.database.forgets = true
    await rejects(migratePre.run(params, world.context), /still pending after they were applied: 001\.sql/)
  }))

test('an interruption stops before the next file', () =>
  project(['001.sql', '002.sql'], [], async (world) => {
    world.database.onApply = () => world.controller.abort()
    const error = await rejects(
      migratePre.run(params, world.context),
      /interrupted before it was applied\napplied before it, and kept: 001\.sql/,
    )
    assert.is((error as TaskFailure).failure.reason, 'interrupted')
    assert.is((error as TaskFailure).failure.subject, '002.sql')
    assert.is(world.database.asked.filter((call) => call === 'close').length, 1)
  }))

test('an interruption hangs up on the file that is running, and the failure says interrupted', () =>
  project(['001.sql'], [], async (world) => {
    world.database.onApply = () => {
      world.controller.abort()
      throw new TaskFailure({ reason: 'unreachable', subject: 'database `main`', message: 'the connection was closed' })
    }
    const error = await rejects(migratePre.run(params, world.context))
    assert.is((error as TaskFailure).failure.reason, 'interrupted')
    assert.ok(world.database.asked.includes('close'))
  }))

test('looking does not wait for a database that is starting: it says that the task will run', () =>
  project(['001.sql'], [], async (world) => {
    world.opening.push(starting)
    assert.equal(await observe(world), { fresh: false, because: { reason: 'absent', detail: 'database `main` does not answer yet' } })
  }))

test('running waits for a database that is starting', () =>
  project(['001.sql'], [], async (world) => {
    world.opening.push(starting, starting)
    await migratePre.run({ ...params, waitSeconds: 30 }, world.context)
    assert.equal(world.lines, ['waiting for database `main`: nothing listens on db:5432', 'applying 001.sql'])
  }))

test('running waits no longer than it may', () =>
  project(['001.sql'], [], async (world) => {
    world.opening.push(starting)
    await rejects(migratePre.run(params, world.context), /nothing listens/)
  }))

test('an interruption ends the wait', () =>
  project(['001.sql'], [], async (world) => {
    world.opening.push(starting, () => {
      world.controller.abort()
      return starting()
    })
    await rejects(migratePre.run({ ...params, waitSeconds: 600 }, world.context), /nothing listens/)
  }))

test('what waiting does not mend is not waited for', () =>
  project(['001.sql'], [], async (world) => {
    const refused = () => new TaskFailure({ reason: 'refused', subject: 'database `main`', message: 'password authentication failed' })
    world.opening.push(refused, refused)
    await rejects(observe(world), /password/)
    await rejects(migratePre.run({ ...params, waitSeconds: 600 }, world.context), /password/)
  }))

test.run()
