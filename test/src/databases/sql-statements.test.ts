import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { lineAt, splitStatements } from '../../../src/databases/sql-statements.ts'

const test = suite('src/databases/sql-statements')

const cases: readonly (readonly [name: string, sql: string, expected: readonly string[]])[] = [
  ['nothing', ' \n-- only a comment;\n/* ; */;;', []],
  ['a last statement without semicolon', 'select 1; select 2', ['select 1', 'select 2']],
  ['doubled quotes', `select 'a;''b;'; select "c;""d"`, [`select 'a;''b;'`, `select "c;""d"`]],
  ['escapes, which only E strings have', `select E'a\\';b'; select 'c\\'; select 1`, [`select E'a\\';b'`, `select 'c\\'`, 'select 1']],
  ['dollar quotes with and without tag', 'do $$ a; $b$ ; $$; do $b$ $$; $b$; x', ['do $$ a; $b$ ; $$', 'do $b$ $$; $b$', 'x']],
  ['parameters, which are no dollar quotes', 'select $1; select $2', ['select $1', 'select $2']],
  ['a dollar inside a name', 'select a$b; select c$b', ['select a$b', 'select c$b']],
  ['nested comments', 'select 1 /* a /* b; */ c; */ + 1; select 2', ['select 1 /* a /* b; */ c; */ + 1', 'select 2']],
  [
    'parentheses, as in rules',
    'create rule r as on insert to t do (select 1; select 2); x',
    ['create rule r as on insert to t do (select 1; select 2)', 'x'],
  ],
  [
    'bodies of standard routines',
    'create or replace procedure p() begin atomic select 1; select case when a then b end; end; select 2',
    ['create or replace procedure p() begin atomic select 1; select case when a then b end; end', 'select 2'],
  ],
  ['begin as a statement, which is no body', 'begin; select 1; end', ['begin', 'select 1', 'end']],
  ['an unfinished string, which is the server’s to complain about', `select 'a; b`, [`select 'a; b`]],
  ['an unfinished dollar quote and comment', 'select $$a; b', ['select $$a; b']],
  ['windows line ends', 'select 1;\r\nselect 2;\r\n', ['select 1', 'select 2']],
]

for (const [name, sql, expected] of cases) {
  test(`cuts around ${name}`, () => {
    assert.equal(
      splitStatements(sql).map(({ text }) => text),
      expected,
    )
  })
}

test('words are those outside quotes, comments and parentheses', () => {
  assert.equal(splitStatements(`COPY a (stdin) /* from */ FROM 'stdin'`)[0]?.words, ['copy', 'a', 'from'])
})

test('a statement knows its offset, and an offset its line', () => {
  const sql = 'select 1;\n\n-- why\n  select 2;'
  const second = splitStatements(sql)[1]
  assert.is(second?.offset, sql.indexOf('select 2'))
  assert.is(lineAt(sql, second?.offset ?? 0), 4)
  assert.is(lineAt(sql, 0), 1)
})

test('a megabyte in one string is no trouble', () => {
  const text = `insert into a values ('${'x'.repeat(1_000_000)}')`
  assert.is(splitStatements(`${text};`)[0]?.text.length, text.length)
})

test('cutting loses nothing: what lies between statements is blank, comment or semicolon', () => {
  const piece = fc.constantFrom(
    'select',
    ' ',
    '\n',
    ';',
    `'a;b'`,
    '"c;d"',
    '$$;$$',
    '$t$ ; $t$',
    '--;\n',
    '/* ; */',
    '(',
    ')',
    '1',
    '\\',
    "E'\\''",
  )
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 40 }), (pieces) => {
      const sql = pieces.join('')
      let at = 0
      let between = ''
      for (const { text, offset } of splitStatements(sql)) {
        assert.is(sql.slice(offset, offset + text.length), text)
        between += sql.slice(at, offset)
        at = offset + text.length
      }
      between += sql.slice(at)
      assert.is(between.replace(/--[^\n]*|\/\*[\s\S]*?\*\/|[;\s]/g, ''), '')
    }),
  )
})

test.run()
