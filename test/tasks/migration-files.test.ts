import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { TaskFailure } from '../../tasks/kind.ts'
import { parseMigration, readMigrations } from '../../tasks/migration-files.ts'
import { rejects } from '../support/assertions.ts'
import { inTemporaryDirectory } from '../support/temporary-directory.ts'

const test = suite('tasks/migration-files')

test('migrations are the SQL files of the folder itself, in the order of their bytes', () =>
  inTemporaryDirectory(async (directory) => {
    const folder = join(directory, 'db', 'migrations')
    await mkdir(join(folder, 'nested.sql'), { recursive: true })
    for (const name of ['010_c.sql', '002_b.SQL', '9.sql', 'B.sql', 'a.sql', 'readme.md', 'x.sql.bak', 'nested.sql/1.sql']) {
      await writeFile(join(folder, name), 'select 1')
    }
    const files = await readMigrations(directory, 'db/migrations')
    assert.equal(
      files.map(({ id }) => id),
      ['002_b.SQL', '010_c.sql', '9.sql', 'B.sql', 'a.sql'],
    )
  }))

test('an empty folder is fine, and a missing one is a failure that names it', () =>
  inTemporaryDirectory(async (directory) => {
    assert.equal(await readMigrations(directory, '.'), [])
    const error = await rejects(readMigrations(directory, 'db/migrations'), /no such folder/)
    assert.is((error as TaskFailure).failure.subject, 'db/migrations')
    await writeFile(join(directory, 'file'), '')
    assert.instance(await rejects(readMigrations(directory, 'file'), /cannot be read/), TaskFailure)
  }))

test('the checksum is that of the bytes, and a byte order mark is not sent', () => {
  const file = parseMigration('1.sql', Buffer.from('\uFEFFselect 1'))
  assert.is(file.sql, 'select 1')
  assert.is(parseMigration('1.sql', Buffer.from('abc')).checksum, 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad')
})

const directives: readonly (readonly [first: string, transaction: boolean])[] = [
  ['-- stagecraft: no-transaction', false],
  ['--stagecraft:no-transaction  \r', false],
  ['\uFEFF-- Stagecraft: No-Transaction', false],
  ['-- stagecraft: no-transaction please', true],
  ['select 1 -- stagecraft: no-transaction', true],
  ['\n-- stagecraft: no-transaction', true],
]

for (const [first, transaction] of directives) {
  test(`${JSON.stringify(first)} as first line: ${transaction ? 'in' : 'outside'} a transaction`, () => {
    assert.is(parseMigration('1.sql', Buffer.from(`${first}\nselect 1`)).transaction, transaction)
  })
}

test.run()
