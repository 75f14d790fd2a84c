import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { readsAny } from '../../src/future-files.ts'
import type { FileSet } from '../../tasks/kind.ts'
import { inTemporaryDirectory } from '../support/temporary-directory.ts'

const test = suite('src/future-files')

const cases: readonly (readonly [set: FileSet, outputs: readonly string[], reads: boolean])[] = [
  [{ root: 'app' }, ['app/dist/**'], true],
  [{ root: 'app' }, ['web/dist/**'], false],
  [{ root: '.', include: ['gen.txt'] }, ['gen.txt'], true],
  [{ root: '.', include: ['src/**', '!src/gen/**'] }, ['src/gen/*.ts'], false],
  [{ root: 'app', include: ['src/*.ts'] }, ['app/src/a.ts'], true],
  [{ root: 'app', include: [], always: ['docker/Dockerfile'] }, ['docker/Dockerfile'], true],
  [{ root: '.', except: ['dist'] }, ['dist/a.js'], false],
  [{ root: 'app', dockerignore: 'app/.dockerignore' }, ['app/ignored/x.txt'], false],
  [{ root: 'app', dockerignore: 'app/.none' }, ['app/ignored/x.txt'], true],
  [{ root: '.' }, ['out/**', '!out/**'], false],
]

for (const [set, outputs, reads] of cases) {
  test(`${JSON.stringify(set)} ${reads ? 'reads' : 'reads nothing of'} what ${outputs.join(' ')} writes`, () =>
    inTemporaryDirectory(async (directory) => {
      const { mkdirSync } = await import('node:fs')
      mkdirSync(join(directory, 'app'))
      writeFileSync(join(directory, 'app/.dockerignore'), 'ignored\n')
      assert.is(readsAny([set], outputs, directory), reads)
    }))
}

test.run()
