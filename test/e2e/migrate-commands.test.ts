/** `stagecraft migrate`, `migrate plan` and `migrate run` against a real PostgreSQL on this machine. */
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { openPostgres } from '../../src/databases/postgres.ts'
import { within } from '../support/assertions.ts'
import { type CommandLineResult, stagecraft } from '../support/cli.ts'
import { password, postgresBinaries, query, startPostgres, type TestServer } from '../support/postgres.ts'
import { inTemporaryDirectory } from '../support/temporary-directory.ts'

const test = suite('e2e/migrate-commands')
const binaries = postgresBinaries()
let server: TestServer

test.before(async () => {
  if (binaries) server = await startPostgres(binaries)
})
test.after(async () => {
  await server?.stop()
})

const manifest = `
project: { name: shop }
environments:
  dev: { driver: local, env_file: .env.dev }
databases:
  main: { connection_env: MAIN_URL, migrations: { path: main } }
  tool: { connection_env: STATS_URL, migrations: { engine: command, path: tool, table: tool_row, strategy: manual, command: [node, tool/apply.mjs] } }
  stats: { connection_env: STATS_URL, migrations: { path: stats, strategy: manual } }
`

interface World {
  run(...words: readonly string[]): Promise<CommandLineResult>
  write(file: string, sql: string): Promise<void>
  readonly main: string
  readonly stats: string
}

function commands(name: string, work: (world: World) => Promise<void>): void {
  const body = () =>
    inTemporaryDirectory(async (directory) => {
      const [main, stats] = [await server.database(), await server.database()]
      await mkdir(join(directory, 'main'))
      await mkdir(join(directory, 'stats'))
      await mkdir(join(directory, 'tool'))
      await writeFile(join(directory, 'stagecraft.yml'), manifest)
      await writeFile(join(directory, 'docker-compose.yml'), 'services: { web: { image: nginx } }\n')
      await writeFile(join(directory, '.env.dev'), `MAIN_URL=${main}\nSTATS_URL=${stats}\n`)
      const run = async (...words: readonly string[]) => {
        const result = await stagecraft([...words, '--env', 'dev'], {
          cwd: directory,
          env: { HOME: directory, PATH: process.env['PATH'] ?? '' },
        })
        const text = result.stdout + result.stderr
        for (const secret of [password, encodeURIComponent(password)]) assert.not.ok(text.includes(secret), text)
        return result
      }
      const write = (file: string, sql: string) => writeFile(join(directory, file), sql)
      await within(60_000, work({ run, write, main, stats }))
    })
  if (binaries) test(name, body)
  else test.skip(name, body)
}

const ids = (url: string) => query(url, 'select id from stagecraft_migrations order by id').then((rows) => rows.map(({ id }) => id))

commands(
  'plans, applies, plans again; a failure keeps what went before, and the next run goes on after it',
  async ({ run, write, main }) => {
    await write('main/001.sql', 'create table a (n int);')
    await write('main/002.sql', 'insert into b values (1);')
    await write('main/003.sql', 'create table c (n int);')
    const before = await run('migrate', 'plan')
    assert.is(before.code, 0, before.stderr)
    assert.is(before.stdout, 'main: 3 pending (raw, pre_deploy, main)\n  001.sql  pending\n  002.sql  pending\n  003.sql  pending\n')
    assert.is((await run('migrate', 'plan', '--fail-if-pending')).code, 1)
    const failed = await run('migrate', 'run', '--format', 'text')
    assert.is(failed.code, 2)
    assert.match(failed.stderr + failed.stdout, /relation "b" does not exist/)
    assert.match(failed.stderr + failed.stdout, /applied before it, and kept: 001\.sql/)
    assert.equal(await ids(main), ['001.sql'])
    await write('main/002.sql', 'create table b (n int);')
    const mended = await run('migrate', '--format', 'text')
    assert.is(mended.code, 0, mended.stderr)
    assert.equal(await ids(main), ['001.sql', '002.sql', '003.sql'])
    const after = await run('migrate', '--plan')
    assert.match(after.stdout, /^main: 3 applied/)
    assert.is((await run('migrate', 'plan', '--fail-if-pending')).code, 0)
  },
)

commands('a manual database is migrated by name, and one of several by strategy', async ({ run, write, main, stats }) => {
  await write('main/001.sql', 'create table a (n int);')
  await write('stats/001.sql', 'create table s (n int);')
  assert.is((await run('migrate', 'run', '--database', 'stats')).code, 0)
  assert.equal(await ids(stats), ['001.sql'])
  assert.equal(await query(main, `select 1 from pg_tables where tablename = 'a'`), [])
  const both = await run('migrate', 'plan', '--all-databases', '--format', 'json')
  const { databases } = JSON.parse(both.stdout)
  assert.equal(
    databases.map(({ database, summary }: { database: string; summary: object }) => [database, summary]),
    [
      ['main', { total: 1, pending: 1, drifted: 0, unknown: 0, applied: 0 }],
      ['stats', { total: 1, pending: 0, drifted: 0, unknown: 0, applied: 1 }],
      ['tool', { total: 1, pending: 1, drifted: 0, unknown: 0, applied: 0 }],
    ],
  )
  const unknown = await run('migrate', 'run', '--database', 'mian')
  assert.is(unknown.code, 1)
  assert.match(unknown.stderr, /there is `main`, `stats`, `tool`/)
})

commands('some of them: by id, by tag, by number', async ({ run, write, main }) => {
  for (const name of ['001', '002', '003', '004'])
    await write(`main/${name}.sql`, `-- stagecraft: tags ${name === '002' ? 'slow, seed' : 'x'}\nselect 1;`)
  assert.is((await run('migrate', 'run', '--tags', 'seed')).code, 0)
  assert.equal(await ids(main), ['002.sql'])
  assert.is((await run('migrate', 'run', '--steps', '1')).code, 0)
  assert.equal(await ids(main), ['001.sql', '002.sql'])
  assert.is((await run('migrate', 'run', '--ids', '004.sql')).code, 0)
  assert.equal(await ids(main), ['001.sql', '002.sql', '004.sql'])
  assert.match((await run('migrate', 'plan', '--ids', '003.sql,004.sql')).stdout, /1 pending, 1 applied/)
  const none = await run('migrate', 'run', '--ids', '005.sql')
  assert.is(none.code, 2)
  assert.match(none.stdout + none.stderr, /there is no migration `005\.sql`/)
  assert.is((await run('migrate', 'run', '--tags', 'nothing')).code, 0)
})

commands('a file that was changed is drift: shown, refused, and applied around when asked', async ({ run, write, main }) => {
  await write('main/001.sql', 'create table a (n int);')
  await run('migrate', 'run')
  await write('main/001.sql', 'create table a (n bigint);')
  await write('main/002.sql', 'create table b (n int);')
  const plan = await run('migrate', 'plan')
  assert.is(plan.code, 0)
  assert.match(plan.stdout, /1 pending, 1 drifted/)
  const refused = await run('migrate', 'run')
  assert.is(refused.code, 2)
  assert.match(refused.stdout + refused.stderr, /changed after it was applied: 001\.sql/)
  assert.is((await run('migrate', 'run', '--allow-drift')).code, 0)
  assert.equal(await ids(main), ['001.sql', '002.sql'])
})

commands('what nobody was asked about is unknown, never pending', async ({ run, write }) => {
  await write('main/001.sql', 'select 1;')
  const offline = await run('migrate', 'plan', '--offline', '--fail-if-pending')
  assert.is(offline.code, 0)
  assert.match(offline.stdout, /^main: 1 unknown .*\n {2}not known what was applied: not asked\n {2}001\.sql {2}unknown\n$/)
  await write('.env.dev', 'MAIN_URL=postgres://anna@127.0.0.1:1/x\nSTATS_URL=x\n')
  const gone = await run('migrate', 'plan')
  assert.is(gone.code, 2)
  assert.match(gone.stdout, /not known what was applied: nothing listens on 127\.0\.0\.1:1/)
})

commands('a tool of others runs once for the files it has, and again for others', async ({ run, write, stats }) => {
  const script = `import { appendFileSync } from 'node:fs'
if (!process.env.STATS_URL.startsWith('postgres://')) process.exit(4)
if (process.argv.join().includes('postgres')) process.exit(5)
appendFileSync('runs.log', 'x')
console.log('applied by a tool', process.env.STATS_URL)
`
  await write('tool/apply.mjs', script)
  const first = await run('migrate', 'run', '--database', 'tool', '--format', 'text')
  assert.is(first.code, 0, first.stderr)
  assert.match(first.stdout + first.stderr, /applied by a tool \*\*\*/)
  assert.match((await run('migrate', 'plan', '--database', 'tool')).stdout, /^tool: 1 applied/)
  const again = await run('migrate', 'run', '--database', 'tool', '--format', 'text')
  assert.is(again.code, 0)
  assert.not.match(again.stdout + again.stderr, /applied by a tool/)
  assert.is((await query(stats, `select 1 from tool_row where id = 'command'`)).length, 1)
  await write('tool/apply.mjs', `${script}process.exit(7)\n`)
  assert.match((await run('migrate', 'plan', '--database', 'tool')).stdout, /^tool: 1 pending/)
  const failed = await run('migrate', 'run', '--database', 'tool')
  assert.is(failed.code, 2)
  assert.match(failed.stdout + failed.stderr, /`node tool\/apply\.mjs` exited with code 7/)
  assert.match((await run('migrate', 'plan', '--database', 'tool')).stdout, /^tool: 1 pending/)
})

commands('a preflight reads what is pending, or the files it is given, and gates', async ({ run, write }) => {
  await write('main/001.sql', 'create table a (n int);\ndrop table old;')
  const before = await run('migrate', 'preflight')
  assert.is(before.code, 1)
  assert.match(
    before.stdout,
    /^main: 1 pending migration, 1 risk, score 75 of 100\n\nmain\/001\.sql:2 {2}drop-table \(high; lock: ACCESS EXCLUSIVE\)\n {2}why: .*\n {2}instead: /,
  )
  assert.is((await run('migrate', 'preflight', '--min-score', '70')).code, 0)
  await write('main/001.sql', 'create table a (n int);')
  assert.is((await run('migrate', 'run')).code, 0)
  await write('main/002.sql', 'drop index a_n;')
  const after = await run('migrate', 'preflight', '--format', 'json')
  assert.is(after.code, 0)
  const { checked } = JSON.parse(after.stdout)
  assert.equal(checked[0].files, ['main/002.sql'])
  assert.equal([checked[0].score, checked[0].risks[0].rule, checked[0].risks[0].line], [90, 'drop-index', 1])
  assert.equal(JSON.parse((await run('migrate', 'preflight', '--all', '--format', 'json')).stdout).checked[0].files, [
    'main/001.sql',
    'main/002.sql',
  ])
  const named = await run('migrate', 'preflight', 'main/002.sql', 'main/003.sql')
  assert.is(named.code, 1)
  assert.match(named.stderr, /main\/003\.sql cannot be read/)
  assert.match(
    (await run('migrate', 'preflight', 'main/002.sql')).stdout,
    /^1 file, 1 risk, score 90 of 100\n\nmain\/002\.sql:1 {2}drop-index/,
  )
  const other = await run('migrate', 'preflight', '--database', 'tool')
  assert.is(other.code, 1)
  assert.match(other.stderr, /`tool` is migrated by command: name its SQL files instead/)
})

commands('while somebody else migrates, the message says who', async ({ write, main }) => {
  await write('main/001.sql', 'select 1;')
  const open = () =>
    openPostgres({
      ...{ connectionString: main, variable: 'MAIN_URL', name: 'main', project: 'shop', environment: 'dev' },
      ...{ ledgerTable: 'stagecraft_migrations', toolVersion: '1', lockWaitMs: 50 },
    })
  const [first, second] = [await open(), await open()]
  try {
    await first.exclusively(async () => {
      const failure = await second.exclusively(async () => undefined).catch((error: Error) => error)
      assert.instance(failure, Error)
      assert.match(
        (failure as Error).message,
        /migrations are being applied by `stagecraft shop\/dev`, server process \d+, from 127\.0\.0\.1/,
      )
    })
  } finally {
    await first.close()
    await second.close()
  }
})

test.run()
