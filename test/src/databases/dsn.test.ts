import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { type Dsn, parseDsn } from '../../../src/databases/dsn.ts'
import { TaskFailure } from '../../../tasks/kind.ts'

const test = suite('src/databases/dsn')

const cases: readonly (readonly [string, Dsn])[] = [
  [
    'postgres://anna:s%23cret@db.example.com:6543/shop',
    { user: 'anna', password: 's#cret', host: 'db.example.com', port: 6543, database: 'shop' },
  ],
  ['postgresql://localhost/shop\n', { host: 'localhost', port: 5432, database: 'shop' }],
  ['postgres://anna@[::1]/shop', { user: 'anna', host: '::1', port: 5432, database: 'shop' }],
  [
    'postgres:///shop?host=/run/pg&user=anna',
    { user: 'anna', host: '/run/pg', port: 5432, database: 'shop', socketPath: '/run/pg/.s.PGSQL.5432' },
  ],
  [
    'postgres://anna:pw@/shop?host=/run/pg&port=1',
    { user: 'anna', password: 'pw', host: '/run/pg', port: 1, database: 'shop', socketPath: '/run/pg/.s.PGSQL.1' },
  ],
  ['postgres://%2Frun%2Fpg/shop', { host: '/run/pg', port: 5432, database: 'shop', socketPath: '/run/pg/.s.PGSQL.5432' }],
  [
    'postgres://db/shop?sslmode=verify-full&sslrootcert=ca.pem&options=-c%20search_path%3Dapp&schema=x&pgbouncer=true',
    { host: 'db', port: 5432, database: 'shop', sslMode: 'verify-full', sslRootCert: 'ca.pem', options: '-c search_path=app' },
  ],
]

for (const [text, expected] of cases) {
  test(`understands ${JSON.stringify(text)}`, () => assert.equal(parseDsn(text, 'DATABASE_URL'), expected))
}

const refused: readonly (readonly [string, RegExp])[] = [
  ['host=db dbname=shop password=hunter22', /not a URL/],
  ['mysql://anna:hunter22@db/shop', /scheme is `mysql:/],
  ['postgres://anna:hunter22@a,b/shop', /several servers/],
  ['postgres://anna:hunter22@db/shop?sslmode=sometimes', /sslmode/],
  ['postgres://anna:hunter22@db/shop?port=x', /port/],
  ['postgres://anna:hunter22%zz@db/shop', /percent sign/],
  ['postgres://anna:hunter22#@db:x/shop', /not a URL/],
]

for (const [text, expected] of refused) {
  test(`refuses ${text}, and does not repeat it`, () => {
    try {
      parseDsn(text, 'DATABASE_URL')
      assert.unreachable()
    } catch (error) {
      assert.instance(error, TaskFailure)
      const { failure } = error as TaskFailure
      assert.is(failure.subject, 'DATABASE_URL')
      assert.match(failure.message, expected)
      assert.not.match(JSON.stringify(failure), /hunter22/)
    }
  })
}

test.run()
