import { createHash } from 'node:crypto'
import { createConnection, createServer } from 'node:net'
import { Duplex } from 'node:stream'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { openPostgres, type PostgresOptions } from '../../../src/databases/postgres.ts'
import { TaskFailure } from '../../../tasks/kind.ts'
import type { Database, MigrationFile } from '../../../tasks/ports.ts'
import { rejects, within } from '../../support/assertions.ts'
import { password, postgresBinaries, query, startPostgres, type TestServer } from '../../support/postgres.ts'

const test = suite('src/databases/postgres')
const binaries = postgresBinaries()
let server: TestServer

test.before(async () => {
  if (binaries) server = await startPostgres(binaries)
})
test.after(async () => {
  await server?.stop()
})

function file(id: string, sql: string, transaction = true): MigrationFile {
  return { id, sql, checksum: createHash('sha256').update(sql).digest('hex'), transaction, tags: [] }
}

function open(connectionString: string, options: Partial<PostgresOptions> = {}): Promise<Database> {
  return openPostgres({
    connectionString,
    variable: 'DATABASE_URL',
    name: 'main',
    project: 'shop',
    environment: 'prod',
    ledgerTable: 'stagecraft_migrations',
    toolVersion: '1.2.3',
    ...options,
  })
}

/** A case with a database of its own, which every error of the case is checked not to reveal the way to. */
function onServer(name: string, work: (connectionString: string, database: Database) => Promise<void>): void {
  const run = async () => {
    const connectionString = await server.database()
    const database = await open(connectionString)
    try {
      await within(60_000, work(connectionString, database))
    } finally {
      await database.close()
    }
  }
  if (binaries) test(name, run)
  else test.skip(name, run)
}

async function failureOf(promise: Promise<unknown>): Promise<TaskFailure['failure']> {
  const error = await rejects(promise)
  assert.instance(error, TaskFailure)
  const text = JSON.stringify([error.message, (error as TaskFailure).failure, error.stack, String(error.cause ?? '')])
  for (const secret of [password, encodeURIComponent(password), 'anna:']) assert.not.ok(text.includes(secret), text)
  return (error as TaskFailure).failure
}

onServer('reading the ledger of an untouched database finds nothing and creates nothing', async (url, database) => {
  assert.equal(await database.applied(), [])
  assert.equal(await query(url, `select tablename from pg_tables where schemaname = 'public'`), [])
})

onServer('a migration and its row arrive together, with checksum, release and tool version', async (url, database) => {
  const first = file('001_a.sql', `create table a (n int);\ninsert into a values (1), (2);`)
  await database.apply(first, 'rel-20260102-030405678')
  assert.equal(await database.applied(), [{ id: '001_a.sql', checksum: first.checksum }])
  assert.is((await query(url, 'select * from a')).length, 2)
  const [row] = await query(url, 'select release_id, tool_version, applied_at from stagecraft_migrations')
  assert.is(row?.['release_id'], 'rel-20260102-030405678')
  assert.is(row?.['tool_version'], '1.2.3')
  assert.instance(row?.['applied_at'], Date)
})

onServer('ids are listed in the order of their bytes', async (_, database) => {
  for (const id of ['b.sql', 'B.sql', '010.sql', '9.sql']) await database.apply(file(id, 'select 1'), 'r')
  assert.equal(
    (await database.applied()).map(({ id }) => id),
    ['010.sql', '9.sql', 'B.sql', 'b.sql'],
  )
})

onServer('a failing statement rolls the whole file back and names file, line and SQLSTATE', async (url, database) => {
  await database.apply(file('001.sql', 'create table kept (n int)'), 'r')
  const failure = await failureOf(database.apply(file('002.sql', 'create table gone (n int);\n\nselect ü,\n  nothing from gone;'), 'r'))
  assert.is(failure.subject, '002.sql:3')
  assert.match(failure.message, /column "ü" does not exist \(SQLSTATE 42703\)/)
  assert.equal(
    (await query(url, `select tablename::text as t from pg_tables where schemaname = 'public' order by 1`)).map((row) => row['t']),
    ['kept', 'stagecraft_migrations'],
  )
  await database.apply(file('003.sql', 'select 1'), 'r')
  assert.equal(
    (await database.applied()).map(({ id }) => id),
    ['001.sql', '003.sql'],
  )
})

onServer('an error without a position names the line of its statement, and shows detail and hint', async (_, database) => {
  const failure = await failureOf(
    database.apply(
      file('001.sql', `create table a (n int primary key);\ninsert into a values (1);\n-- twice\ninsert into a values (1);`),
      'r',
    ),
  )
  assert.is(failure.subject, '001.sql:4')
  assert.match(failure.message, /duplicate key.*SQLSTATE 23505.*\ndetail: Key \(n\)=\(1\) already exists/s)
})

onServer('a deferred constraint that fails at commit leaves neither change nor row', async (url, database) => {
  const sql =
    'create table a (n int primary key); create table b (n int references a deferrable initially deferred); insert into b values (7)'
  const failure = await failureOf(database.apply(file('001.sql', sql), 'r'))
  assert.match(failure.message, /SQLSTATE 23503/)
  assert.equal(await database.applied(), [])
  assert.equal(await query(url, `select 1 from pg_tables where tablename = 'b'`), [])
})

onServer('functions, quotes, comments and dollar quotes survive being cut into statements', async (url, database) => {
  const sql = `
    /* outer /* inner; */ ; */
    create function one() returns int language plpgsql as $body$ begin return 1; end $body$;
    create function two() returns int begin atomic select case when true then 2 else 0 end; end;
    create table t (s text default 'a;''b', "odd;name" int);
    insert into t (s) values (E'it\\'s; fine'), ($$plain; $$);
    select one() + two(); -- the end;`
  await database.apply(file('001.sql', sql), 'r')
  assert.equal((await query(url, 'select s from t order by s')).map((row) => row['s']).sort(), ["it's; fine", 'plain; '])
})

onServer('a file that sets role and search path, as dumps do, disturbs neither the ledger nor the next file', async (_, database) => {
  await database.apply(file('001.sql', `select pg_catalog.set_config('search_path', '', false); create table public.a (n int);`), 'r')
  await database.apply(file('002.sql', `create role limited; set role limited;`), 'r')
  await database.apply(file('003.sql', 'create table b (n int)'), 'r')
  assert.is((await database.applied()).length, 3)
})

onServer('a file without a transaction may create an index concurrently', async (url, database) => {
  await database.apply(file('001.sql', 'create table a (n int)'), 'r')
  const sql = '-- stagecraft: no-transaction\ncreate index concurrently a_n on a (n);\ncreate index concurrently a_m on a ((n + 1));'
  await database.apply(file('002.sql', sql, false), 'r')
  assert.is((await query(url, `select 1 from pg_indexes where tablename = 'a'`)).length, 2)
  assert.is((await database.applied()).length, 2)
})

onServer('a failure outside a transaction says how many statements took effect, and records nothing', async (url, database) => {
  const failure = await failureOf(database.apply(file('001.sql', '--\ncreate table a (n int);\nselect 1/0;', false), 'r'))
  assert.is(failure.subject, '001.sql:3')
  assert.match(failure.message, /SQLSTATE 22012.*\nthe 1 statement before it took effect/s)
  assert.equal(await database.applied(), [])
  assert.is((await query(url, `select 1 from pg_tables where tablename = 'a'`)).length, 1)
})

for (const [statement, word] of [
  ['commit', 'commit'],
  ['BEGIN', 'begin'],
  ['start transaction', 'start'],
  ['rollback', 'rollback'],
]) {
  onServer(`\`${statement}\` in a file that runs in a transaction is refused before anything runs`, async (url, database) => {
    const failure = await failureOf(database.apply(file('001.sql', `create table a (n int);\n${statement};`), 'r'))
    assert.is(failure.subject, '001.sql:2')
    assert.match(failure.message, new RegExp(`\`${word}\` controls the transaction`))
    assert.equal(await query(url, `select 1 from pg_tables where tablename = 'a'`), [])
  })
}

onServer('savepoints are fine', async (_, database) => {
  await database.apply(file('001.sql', 'savepoint s; select 1; rollback to savepoint s; release s'), 'r')
  assert.is((await database.applied()).length, 1)
})

onServer('copy from stdin is refused instead of waiting for ever', async (_, database) => {
  const failure = await failureOf(database.apply(file('001.sql', 'create table a (n int);\ncopy a from stdin;'), 'r'))
  assert.is(failure.subject, '001.sql:2')
})

onServer('a ledger from before checksums gains its columns and keeps its rows', async (url, database) => {
  await query(url, 'create table stagecraft_migrations (id varchar(255) primary key, applied_at timestamp not null default now())')
  await query(url, `insert into stagecraft_migrations (id) values ('000.sql')`)
  assert.equal(await database.applied(), [{ id: '000.sql', checksum: '' }])
  const next = file(`it's.sql`, 'select 1')
  await database.apply(next, 'r')
  assert.equal(await database.applied(), [
    { id: '000.sql', checksum: '' },
    { id: `it's.sql`, checksum: next.checksum },
  ])
})

onServer('the ledger may live in a schema and have any name', async (url) => {
  await query(url, 'create schema ops')
  const database = await open(url, { ledgerTable: 'ops.Migrations' })
  try {
    assert.equal(await database.applied(), [])
    await database.apply(file('001.sql', 'select 1'), 'r')
    assert.is((await database.applied()).length, 1)
    assert.is((await query(url, 'select * from ops."Migrations"')).length, 1)
  } finally {
    await database.close()
  }
})

onServer('of two runs one waits for the other, and then sees what it did', async (url, database) => {
  const second = await open(url)
  const order: string[] = []
  let enter: () => void = () => undefined
  const entered = new Promise<void>((resolve) => {
    enter = resolve
  })
  let leave: () => void = () => undefined
  const left = new Promise<void>((resolve) => {
    leave = resolve
  })
  const first = database.exclusively(async () => {
    enter()
    await left
    await database.apply(file('001.sql', 'select 1'), 'r')
    order.push('first')
  })
  await entered
  const other = second.exclusively(async () => {
    order.push('second')
    return second.applied()
  })
  leave()
  await first
  assert.is((await other).length, 1)
  assert.equal(order, ['first', 'second'])
  await second.close()
})

onServer('who waits in vain is told who holds the lock', async (url, database) => {
  const second = await open(url, { lockWaitMs: 50, environment: 'staging' })
  const failure = await database.exclusively(() => failureOf(second.exclusively(async () => assert.unreachable())))
  assert.is(failure.reason, 'lock-held')
  assert.match(failure.message, /applied by `stagecraft shop\/prod`, server process \d+, from 127\.0\.0\.1; waited 0\.05 s/)
  // The connection is as good as before, and the lock is free again.
  assert.is(await second.exclusively(async () => 'mine'), 'mine')
  await second.close()
})

onServer('another project in the same database has a lock of its own', async (url, database) => {
  const other = await open(url, { project: 'blog', lockWaitMs: 50 })
  assert.is(await database.exclusively(() => other.exclusively(async () => 'both')), 'both')
  await other.close()
})

onServer('a failure inside leaves the lock to the next', async (url, database) => {
  await rejects(
    database.exclusively(() => Promise.reject(new TaskFailure({ reason: 'refused', subject: 'x', message: 'no' }))),
    /no/,
  )
  const second = await open(url, { lockWaitMs: 50 })
  assert.is(await second.exclusively(async () => 1), 1)
  await second.close()
})

onServer('a connection that the server ends is a failure, and no silent reconnect without the lock', async (url, database) => {
  const failure = await failureOf(
    database.exclusively(async () => {
      await query(url, `select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'stagecraft shop/prod'`)
      await database.apply(file('001.sql', 'create table a (n int)'), 'r')
    }),
  )
  assert.is(failure.subject, 'database `main`')
  assert.equal(await query(url, `select 1 from pg_tables where tablename = 'a'`), [])
})

onServer('closing cancels what the server is doing', async (url, database) => {
  const sleeping = failureOf(database.apply(file('001.sql', 'select pg_sleep(600)'), 'r'))
  const active = `select 1 from pg_stat_activity where state = 'active' and query like 'select pg_sleep%'`
  while ((await query(url, active)).length === 0);
  await within(5_000, database.close())
  assert.match((await sleeping).message, /cancel|closed/i)
  while ((await query(url, active)).length > 0);
})

onServer('a Unix socket is as good as an address', async (url) => {
  const name = new URL(url).pathname.slice(1)
  const database = await open(
    `postgres://anna:${encodeURIComponent(password)}@/${name}?host=${server.socketDirectory}&port=${server.port}&schema=public`,
  )
  assert.equal(await database.applied(), [])
  await database.close()
})

onServer('a stream handed in takes the place of a direct connection', async (url) => {
  const asked: unknown[] = []
  const elsewhere = url.replace(/127\.0\.0\.1:\d+/, 'db:5432')
  const database = await open(elsewhere, {
    connect: async (address) => {
      asked.push(address)
      // A plain Duplex, as an SSH channel is one: none of the methods of a net.Socket.
      const socket = createConnection(server.port, '127.0.0.1')
      return Duplex.from({ readable: socket, writable: socket })
    },
  })
  await database.apply(file('001.sql', 'select 1'), 'r')
  assert.is((await database.applied()).length, 1)
  await within(3_000, database.close())
  assert.equal(asked, [{ host: 'db', port: 5432 }])
})

onServer('a wrong password is refused, not waited for, and not repeated to the reader', async (url) => {
  const failure = await failureOf(open(url.replace(':hunter2', ':wrong-hunter2')))
  assert.is(failure.reason, 'refused')
  assert.match(failure.message, /password authentication failed.*28P01/)
})

onServer('a database that is not there is refused', async (url) => {
  const failure = await failureOf(open(`${url}_not_there`))
  assert.is(failure.reason, 'refused')
  assert.match(failure.message, /3D000/)
})

const encrypted =
  'select ssl from pg_stat_ssl join pg_stat_activity using (pid) where application_name like $$stagecraft%$$ order by backend_start desc limit 1'
const modes: readonly (readonly [name: string, host: string, mode: string, expected: boolean | RegExp])[] = [
  ['a connection within the machine is plain unless TLS is asked for', '127.0.0.1', '', false],
  ['`require` encrypts, without asking who is there', '127.0.0.1', 'require', true],
  ['`prefer` encrypts where the server can', '127.0.0.1', 'prefer', true],
  ['`verify-ca` asks for a certificate we trust, whatever its name', '127.0.0.1', 'verify-ca&sslrootcert=CERTIFICATE', true],
  ['`verify-full` asks for the name too', 'localhost', 'verify-full&sslrootcert=CERTIFICATE', true],
  ['`verify-full` refuses another name', '127.0.0.1', 'verify-full&sslrootcert=CERTIFICATE', /does not match certificate/],
  ['`verify-full` refuses a certificate that nobody vouches for', 'localhost', 'verify-full', /self-signed certificate/],
  ['a certificate that cannot be read is named', 'localhost', 'verify-ca&sslrootcert=not-there.crt', /sslrootcert.*ENOENT/],
]

for (const [name, host, mode, expected] of modes) {
  onServer(name, async (url, database) => {
    await database.close()
    if (!server.certificate) return
    const address = new URL(url)
    address.hostname = host
    address.search = mode && `sslmode=${mode.replace('CERTIFICATE', encodeURIComponent(server.certificate))}`
    if (expected instanceof RegExp) {
      assert.match((await failureOf(open(address.href))).message, expected)
      return
    }
    const secured = await open(address.href)
    assert.equal(await query(url, encrypted), [{ ssl: expected }])
    await secured.close()
  })
}

test('a server that does not speak TLS is a failure where TLS is required, and so is one that hangs up', async () => {
  for (const answer of ['N', '']) {
    const listener = createServer((socket) => socket.once('data', () => socket.end(answer)))
    await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve))
    const { port } = listener.address() as { port: number }
    const failure = await within(
      5_000,
      failureOf(open(`postgres://a:bbbb@127.0.0.1:${port}/shop?sslmode=require`, { connectTimeoutMs: 2_000 })),
    )
    assert.is(failure.reason, 'unreachable')
    assert.match(failure.message, answer === 'N' ? /hung up before TLS was agreed on: it may not offer TLS/ : /was closed/)
    await new Promise((resolve) => listener.close(resolve))
  }
})

test('nothing listening is worth waiting for', async () => {
  const failure = await failureOf(open('postgres://anna:hunter2-with@127.0.0.1:1/shop'))
  assert.is(failure.reason, 'unreachable')
  assert.is(failure.message, 'nothing listens on 127.0.0.1:1')
})

test('a port that accepts and hangs up, as a proxy before a starting server does, is worth waiting for', async () => {
  const listener = createServer((socket) => socket.destroy())
  await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve))
  const { port } = listener.address() as { port: number }
  const failure = await within(5_000, failureOf(open(`postgres://a:bbbb@127.0.0.1:${port}/shop`)))
  assert.is(failure.reason, 'unreachable')
  await new Promise((resolve) => listener.close(resolve))
})

test('a server that says nothing is given up at the deadline', async () => {
  const listener = createServer((socket) => void socket.resume())
  await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve))
  const { port } = listener.address() as { port: number }
  const failure = await within(5_000, failureOf(open(`postgres://a:bbbb@127.0.0.1:${port}/shop`, { connectTimeoutMs: 100 })))
  assert.is(failure.reason, 'timeout')
  assert.is(failure.message, `127.0.0.1:${port} did not answer within 0.1 s`)
  await new Promise((resolve) => listener.close(resolve))
})

test('a tunnel that fails is reported as it failed', async () => {
  const failure = { reason: 'unreachable', subject: 'node-1', message: 'no tunnel to db:5432' } as const
  const connect = () => Promise.reject(new TaskFailure(failure))
  assert.equal(await failureOf(open('postgres://a:bbbb@db/shop', { connect })), failure)
})

test.run()
