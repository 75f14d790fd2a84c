import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { Outcome, Task, TaskId } from '../../graph/types.ts'
import { openPostgres } from '../../src/databases/postgres.ts'
import { createRecorder } from '../../src/releases/recorder.ts'
import { createReleaseStore } from '../../src/releases/store.ts'
import { loadSecrets } from '../../src/secrets/secrets.ts'
import { TaskFailure } from '../../tasks/kind.ts'
import { migratePre } from '../../tasks/migrate.ts'
import { within } from '../support/assertions.ts'
import { migrationContext } from '../support/migration-context.ts'
import { password, postgresBinaries, query, startPostgres, type TestServer } from '../support/postgres.ts'
import { inTemporaryDirectory } from '../support/temporary-directory.ts'

const test = suite('e2e/migrations')
const binaries = postgresBinaries()
let server: TestServer

test.before(async () => {
  if (binaries) server = await startPostgres(binaries)
})
test.after(async () => {
  await server?.stop()
})

const params = {
  database: 'main',
  engine: 'raw',
  path: 'db',
  table: 'stagecraft_migrations',
  connectionEnv: 'DATABASE_URL',
  waitSeconds: 5,
}
const migration: Task = { id: 'migrate_pre:main' as TaskId, kind: 'migrate_pre', params, needs: [], after: [] }

/** A project that migrates a real database as a deploy does: secret, look, run, history. */
function deploying(
  name: string,
  work: (world: {
    deploy(): Promise<string>
    write(file: string, sql: string): Promise<void>
    url: string
    directory: string
  }) => Promise<void>,
) {
  const run = () =>
    inTemporaryDirectory(async (directory) => {
      const url = await server.database()
      await mkdir(join(directory, 'db'))
      await writeFile(join(directory, 'prod.env'), `DATABASE_URL=${url}\n`)
      const write = (file: string, sql: string) => writeFile(join(directory, 'db', file), sql)
      await within(30_000, work({ deploy: () => deploy(directory), write, url, directory }))
    })
  if (binaries) test(name, run)
  else test.skip(name, run)
}

/** @returns how it ended, in one line. */
async function deploy(directory: string): Promise<string> {
  const secrets = await loadSecrets({
    envFile: join(directory, 'prod.env'),
    names: ['DATABASE_URL'],
    processEnv: {},
    projectDirectory: directory,
    key: 'a'.repeat(64),
    parseDotenv: (text) => ({ DATABASE_URL: text.trim().slice('DATABASE_URL='.length) }),
  })
  const store = createReleaseStore({ projectDirectory: directory })
  const recorder = await createRecorder({
    store,
    kind: 'deploy',
    environment: 'prod',
    version: 'v1',
    commitSha: '',
    tasks: [migration],
    phaseOf: () => 'migrate_pre',
    now: () => new Date(),
    onFailure: (failure) => assert.unreachable(failure.message),
  })
  const database = () =>
    openPostgres({
      connectionString: secrets.get('DATABASE_URL'),
      variable: 'DATABASE_URL',
      name: 'main',
      project: 'shop',
      environment: 'prod',
      ledgerTable: params.table,
      toolVersion: '0.1.0',
      lockWaitMs: 10_000,
    })
  const { context } = migrationContext({ projectDirectory: directory, database })
  const ports = { ...context.ports, release: { id: recorder.id, complete: recorder.complete } }
  let outcome: Outcome
  try {
    const look = await migratePre.observe?.(params, { ...context, ports }, undefined)
    if (look?.fresh) outcome = { status: 'skipped', from: 'target', result: look.result }
    else {
      const because = look?.because ?? { reason: 'first-run', detail: '' }
      recorder.on({ type: 'started', task: migration, at: 0, because })
      outcome = { status: 'ran', because, result: await migratePre.run(params, { ...context, ports }) }
    }
  } catch (error) {
    assert.instance(error, TaskFailure)
    outcome = { status: 'failed', failure: (error as TaskFailure).failure }
  }
  recorder.on({ type: 'finished', task: migration, at: 0, outcome })
  const done = await recorder.finish(new Map([[migration.id, outcome]]))
  const text = outcome.status === 'failed' ? `failed ${outcome.failure.subject}: ${outcome.failure.message}` : outcome.status
  assert.not.ok(text.includes(password))
  return `${text}${done ? `, release ${done.phases.migrate_pre}` : ''}`
}

deploying('a first deploy migrates and is recorded; a second does nothing and is not', async ({ deploy, write, url, directory }) => {
  await write('001_users.sql', 'create table users (id int primary key, name text not null);')
  await write('002_seed.sql', `insert into users values (1, 'anna'), (2, 'ben');`)
  assert.is(await deploy(), 'ran, release completed')
  assert.is(await deploy(), 'skipped')
  const history = await createReleaseStore({ projectDirectory: directory }).read()
  assert.is(history.length, 1)
  const rows = await query(url, 'select id, release_id from stagecraft_migrations order by id')
  assert.equal(
    rows,
    ['001_users.sql', '002_seed.sql'].map((id) => ({ id, release_id: history[0]?.id })),
  )
  assert.not.match(await readFile(join(directory, '.stagecraft', 'releases.json'), 'utf8'), new RegExp(encodeURIComponent(password)))
})

deploying('a failing file keeps what went before, names its line, and goes on from there once mended', async ({ deploy, write, url }) => {
  await write('001.sql', 'create table a (n int);')
  await write('002.sql', 'alter table a add column m int;\ninsert into b values (1);')
  await write('003.sql', 'create table c (n int);')
  assert.is(
    await deploy(),
    'failed 002.sql:2: relation "b" does not exist (SQLSTATE 42P01)\napplied before it, and kept: 001.sql, release failed',
  )
  assert.equal(await query(url, `select column_name::text as name from information_schema.columns where table_name = 'a'`), [{ name: 'n' }])
  await write('002.sql', 'alter table a add column m int;')
  assert.is(await deploy(), 'ran, release completed')
  assert.is((await query(url, 'select 1 from stagecraft_migrations')).length, 3)
})

deploying('an applied file that was changed stops the deploy before it starts', async ({ deploy, write, url }) => {
  await write('001.sql', 'create table a (n int);')
  await deploy()
  await write('001.sql', 'create table a (n bigint);')
  await write('002.sql', 'create table b (n int);')
  assert.match(await deploy(), /^failed database `main`: changed after it was applied: 001\.sql$/)
  assert.equal(await query(url, `select 1 from pg_tables where tablename = 'b'`), [])
})

deploying('of two deploys at once each migration is applied once', async ({ deploy, write, url, directory }) => {
  await write('001.sql', 'create table log (n int);')
  for (let index = 2; index <= 6; index += 1) await write(`00${index}.sql`, `insert into log select ${index} from pg_sleep(0.02);`)
  const endings = await Promise.all([deploy(), deploy()])
  assert.ok(
    endings.every((ending) => ending === 'ran, release completed' || ending === 'skipped'),
    endings.join('; '),
  )
  assert.is((await query(url, 'select 1 from log')).length, 5)
  const ids = (await createReleaseStore({ projectDirectory: directory }).read()).map(({ id }) => id)
  assert.is(new Set(ids).size, ids.length)
})

deploying('a changed database is noticed: rows removed by hand are applied again', async ({ deploy, write, url }) => {
  await write('001.sql', 'create table if not exists a (n int);')
  await deploy()
  await query(url, 'truncate stagecraft_migrations')
  assert.is(await deploy(), 'ran, release completed')
})

test.run()
