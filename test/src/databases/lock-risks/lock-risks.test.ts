import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { lockRisks, readinessScore } from '../../../../src/databases/lock-risks/lock-risks.ts'
import { lockRules } from '../../../../src/databases/lock-risks/rules.ts'

const test = suite('src/databases/lock-risks')

function risks(sql: string, { transaction = true, post = false } = {}) {
  return lockRisks([{ id: '1.sql', sql, transaction }], !post)
}
const rules = (sql: string, how = {}) => risks(sql, how).map(({ rule }) => rule)

/** SQL, and the one rule it breaks; none for what is safe. */
const cases: readonly (readonly [sql: string, rule: keyof typeof lockRules | undefined])[] = [
  ['create index on orders (n)', 'create-index'],
  ['CREATE UNIQUE INDEX IF NOT EXISTS "I" ON ONLY public.orders (n)', 'create-index'],
  ['create index concurrently on orders (n)', 'concurrently-in-transaction'],
  ['create table orders (n int); create index on orders (n)', undefined],
  ['create temp table t as select 1; update t set a = 1; drop table t', undefined],
  ['drop index orders_n', 'drop-index'],
  ['drop index concurrently orders_n', 'concurrently-in-transaction'],
  ['reindex table orders', 'reindex'],
  ['reindex (verbose) table concurrently orders', 'concurrently-in-transaction'],
  ['alter table orders add column n int', undefined],
  ['alter table orders add n int not null default 0', undefined],
  ['alter table orders add column if not exists at timestamptz default now()', undefined],
  [`alter table orders add column s text default 'random()'`, undefined],
  [`alter table orders add column s varchar(20) default 'x'::varchar(20)`, undefined],
  ['alter table orders add column id uuid default gen_random_uuid()', 'volatile-default'],
  ['alter table orders add column n numeric(10, 2) default random()', 'volatile-default'],
  ['alter table orders add column n bigserial', 'volatile-default'],
  ['alter table orders add column n int generated always as identity', 'volatile-default'],
  ['alter table orders add column n int generated always as (a * 2) stored', 'volatile-default'],
  ['alter table orders add column n int not null', 'not-null-column'],
  ['alter table orders add column n int unique', 'add-unique'],
  ['alter table orders alter column n set not null', 'set-not-null'],
  ['alter table orders alter n drop not null', undefined],
  ['alter table orders alter n set default 1', undefined],
  ['alter table orders alter n type bigint', 'alter-type'],
  ['alter table if exists only orders alter column n set data type bigint using n::bigint', 'alter-type'],
  ['alter table orders add constraint f foreign key (c) references customers (id)', 'add-foreign-key'],
  ['alter table orders add foreign key (c) references customers', 'add-foreign-key'],
  ['alter table orders add constraint f foreign key (c) references customers (id) not valid', undefined],
  ['alter table orders add constraint c check (n > 0)', 'add-check'],
  ['alter table orders add check (n > 0) not valid', undefined],
  ['alter table orders add constraint u unique (n)', 'add-unique'],
  ['alter table orders add primary key (n)', 'add-unique'],
  ['alter table orders add constraint u unique using index i', undefined],
  ['alter table orders add constraint e exclude using gist (r with &&)', 'add-exclusion'],
  ['alter table orders add constraint c check (n > 0) not valid; alter table orders validate constraint c', 'validate-in-same-transaction'],
  ['alter table orders validate constraint c', undefined],
  ['alter table orders drop column n', 'drop-column'],
  ['alter table orders drop if exists n', 'drop-column'],
  ['alter table orders drop constraint c', undefined],
  ['alter table orders rename to purchases', 'rename'],
  ['alter table orders rename column a to b', 'rename'],
  ['alter table orders rename constraint a to b', undefined],
  ['alter type mood rename to feeling', 'rename'],
  [`alter type mood add value 'fine'`, undefined],
  ['alter table orders set tablespace fast', 'rewrite-table'],
  ['alter table orders set (fillfactor = 70)', undefined],
  ['cluster orders using i', 'rewrite-table'],
  ['drop table orders', 'drop-table'],
  ['drop materialized view if exists totals', 'drop-table'],
  ['truncate table only orders', 'truncate'],
  ['lock table orders in access exclusive mode', 'lock-table'],
  ['vacuum (full, analyze) orders', 'vacuum-full'],
  ['vacuum orders', undefined],
  ['refresh materialized view totals', 'refresh-view'],
  ['refresh materialized view concurrently totals', undefined],
  ['update orders set n = 1', 'update-all'],
  ['update orders set n = (select max(m) from t where x)', 'update-all'],
  ['update orders set n = 1 where n is null', undefined],
  ['delete from only orders', 'delete-all'],
  ['delete from orders where n < 1', undefined],
  ['insert into orders values (1)', undefined],
  // What looks like a statement, and is none.
  [`insert into log values ('; drop table orders; --')`, undefined],
  [`insert into log values (E'it\\'s; drop table orders')`, undefined],
  ['/* drop table a; /* drop table b; */ drop table c; */ select 1', undefined],
  ['-- drop table orders;\nselect 1', undefined],
  ['create function f() returns void language sql as $body$ drop table orders; $body$', undefined],
  ['do $$ begin delete from orders; end $$', undefined],
  ['select 1 as "drop table orders; truncate x"', undefined],
]
for (const [sql, rule] of cases) {
  test(`${rule ?? 'nothing'}: ${sql.replaceAll('\n', ' ')}`, () => assert.equal(rules(sql), rule === undefined ? [] : [rule]))
}

test('each action of one alter table has its own line', () => {
  const found = risks('select 1;\nalter table orders\n  add column a int,\n  add column b int not null,\n  drop column c;')
  assert.equal(
    found.map(({ line, statement, rule }) => [line, statement, rule]),
    [
      [4, 2, 'not-null-column'],
      [5, 2, 'drop-column'],
    ],
  )
})

test('outside a transaction CONCURRENTLY is what is wanted, and validating right after adding is fine', () => {
  assert.equal(rules('create index concurrently i on orders (n); drop index concurrently j', { transaction: false }), [])
  const sql = 'alter table o add constraint c check (n > 0) not valid; alter table o validate constraint c'
  assert.equal(rules(sql, { transaction: false }), [])
})

test('after the rollout what nobody uses any more may go, but a rename is a rename', () => {
  assert.equal(rules('alter table o drop column n; drop table p; alter table o rename a to b', { post: true }), ['rename'])
})

test('set not null is fine once a check that it is not null was added, in this file or an earlier one', () => {
  const files = [
    { id: '1.sql', sql: 'alter table o add constraint c check (n is not null) not valid', transaction: true },
    {
      id: '2.sql',
      sql: 'alter table o validate constraint c; alter table o alter n set not null, alter m set not null',
      transaction: true,
    },
  ]
  assert.equal(
    lockRisks(files, true).map(({ file, rule }) => [file, rule]),
    [['2.sql', 'set-not-null']],
  )
})

const allowed: readonly (readonly [sql: string, expected: readonly string[]])[] = [
  ['-- stagecraft: allow drop-column: unused since v3\nalter table o drop column n', []],
  ['alter table o drop column n; -- stagecraft: allow drop-column', []],
  ['alter table o /* stagecraft: allow drop-column */ drop column n', []],
  ['-- stagecraft: allow drop-column, rename\nalter table o drop n, rename a to b', []],
  ['-- stagecraft: allow rename\nalter table o drop column n', ['drop-column']],
  ['-- stagecraft: allow drop-column\nselect 1;\nalter table o drop column n', ['drop-column']],
  ['select 1;\n-- stagecraft: allow drop-column\nalter table o drop column n', []],
  ['-- stagecraft: allow drop-colum\nselect 1', ['unknown-rule']],
  [`select '-- stagecraft: allow drop-column'; alter table o drop column n`, ['drop-column']],
]
for (const [sql, expected] of allowed) test(`allowing: ${sql.replaceAll('\n', ' ')}`, () => assert.equal(rules(sql), expected))

test('the score is 100 less what each risk weighs, and never below 0', () => {
  assert.is(readinessScore([]), 100)
  assert.is(readinessScore(risks('drop index i; update o set n = 1')), 80)
  assert.is(readinessScore(risks('drop table a; drop table b; drop table c; drop table d; drop table e')), 0)
})

test('every rule says what it locks, why, and what to do instead', () => {
  for (const [name, { why, advice, lock }] of Object.entries(lockRules)) {
    assert.match(name, /^[a-z]+(-[a-z]+)*$/)
    for (const text of [why, advice, lock]) assert.ok(text.length > 3, name)
  }
})

test.run()
