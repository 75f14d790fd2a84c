import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { DatabaseTarget } from '../../../../src/contracts.ts'
import { chosenDatabases, type DatabaseWords } from '../../../../src/operations/migrate/choice.ts'

const test = suite('src/operations/migrate/choice')

function target(name: string, strategy: DatabaseTarget['strategy'] = 'pre_deploy'): DatabaseTarget {
  return { name, strategy, engine: 'raw', path: name, connectionEnv: 'D', ledgerTable: 't', via: 'direct' }
}
const three = [target('stats', 'manual'), target('main'), target('audit', 'post_deploy')]

const cases: readonly (readonly [what: string, databases: readonly DatabaseTarget[], words: DatabaseWords, expected: readonly string[]])[] =
  [
    ['the only one', [target('stats')], {}, ['stats']],
    ['of several, main', three, {}, ['main']],
    ['those named, by name', three, { database: ['stats', 'audit'] }, ['audit', 'stats']],
    ['all', three, { allDatabases: true }, ['audit', 'main', 'stats']],
    ['all of a strategy', three, { strategy: 'manual' }, ['stats']],
    ['of those named, one of a strategy', three, { database: ['main', 'stats'], strategy: 'manual' }, ['stats']],
  ]
for (const [what, databases, words, expected] of cases) {
  test(what, () => {
    const chosen = chosenDatabases(databases, words, 'prod')
    assert.equal(chosen.ok && chosen.value.map(({ name }) => name), expected)
  })
}

const refusals: readonly (readonly [databases: readonly DatabaseTarget[], words: DatabaseWords, code: string, message: RegExp])[] = [
  [[], {}, 'SC3060', /^`prod` has no database with migrations/],
  [three, { database: ['man'] }, 'SC3061', /^no database with migrations is called `man`: there is `audit`, `main`, `stats`$/],
  [three, { database: ['main'], strategy: 'manual' }, 'SC3062', /^no database of those named has the strategy `manual`$/],
  [[target('a'), target('b')], {}, 'SC3062', /^there are several databases: name one with `--database` \(a, b\)/],
  [three, { database: ['main'], allDatabases: true }, 'SC3007', /exclude each other/],
]
for (const [databases, words, code, message] of refusals) {
  test(`${code}: ${JSON.stringify(words)} of ${databases.length}`, () => {
    const chosen = chosenDatabases(databases, words, 'prod')
    assert.not.ok(chosen.ok)
    const [first] = chosen.ok ? [] : chosen.diagnostics
    assert.is(first?.code, code)
    assert.match(first?.message ?? '', message)
  })
}

test.run()
