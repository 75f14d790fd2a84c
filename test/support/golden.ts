import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import * as assert from 'uvu/assert'

/** Tests run from `dist/`; golden files stay in the source tree, where their changes are reviewed. */
const directory = fileURLToPath(new URL('../../../test/golden', import.meta.url))

/** Compares a whole output with `test/golden/<name>`; `UPDATE_GOLDEN=1` writes it instead. */
export function golden(name: string, actual: string): void {
  const path = join(directory, name)
  if (process.env['UPDATE_GOLDEN'] === '1') {
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(path, actual)
  }
  assert.ok(existsSync(path), `test/golden/${name} does not exist; UPDATE_GOLDEN=1 writes it`)
  assert.fixture(actual, readFileSync(path, 'utf8'), `differs from test/golden/${name}`)
}

/** Compares a generated file of the source tree with what it would be now; `UPDATE_GOLDEN=1` writes it instead. */
export function upToDate(path: string, actual: string): void {
  const absolute = fileURLToPath(new URL(`../../../${path}`, import.meta.url))
  if (process.env['UPDATE_GOLDEN'] === '1') writeFileSync(absolute, actual)
  assert.fixture(actual, readFileSync(absolute, 'utf8'), `${path} is stale; UPDATE_GOLDEN=1 writes it`)
}
