import { chmodSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { digestOf } from '../../../graph/fingerprint.ts'
import type { ActionResult } from '../../../graph/types.ts'
import { outputChanges } from '../../../src/session/output-changes.ts'
import { inTemporaryDirectory } from '../../support/temporary-directory.ts'

const test = suite('src/session/output-changes')

const result: ActionResult = {
  files: { 'out/a': { digest: digestOf('a'), executable: false }, 'out/run': { digest: digestOf('r'), executable: true } },
  links: { 'out/link': 'a' },
  values: {},
}

for (const [what, change, expected] of [
  ['nothing', () => {}, []],
  ['a file edited', (out: string) => writeFileSync(join(out, 'a'), 'b'), ['out/a edited']],
  ['a file deleted', (out: string) => rmSync(join(out, 'a')), ['out/a missing']],
  ['a file that cannot be run any more', (out: string) => chmodSync(join(out, 'run'), 0o644), ['out/run edited']],
  ['everything deleted', (out: string) => rmSync(out, { recursive: true }), ['out/a missing', 'out/link missing', 'out/run missing']],
  [
    'what is there beside them, empty folders too',
    (out: string) => {
      writeFileSync(join(out, 'b'), 'b')
      mkdirSync(join(out, 'empty'))
      mkdirSync(join(out, 'full'))
      writeFileSync(join(out, 'full/0'), 'b')
      writeFileSync(join(out, '../outside'), '')
    },
    ['out/b extra', 'out/empty extra', 'out/full/0 extra'],
  ],
  [
    'a link that leads elsewhere, and a folder in the place of a file',
    (out: string) => {
      for (const name of ['link', 'a']) rmSync(join(out, name))
      symlinkSync('run', join(out, 'link'))
      mkdirSync(join(out, 'a'))
    },
    ['out/a edited', 'out/link edited'],
  ],
] as const) {
  test(`tells ${what}`, () =>
    inTemporaryDirectory(async (directory) => {
      const out = join(directory, 'out')
      mkdirSync(out)
      writeFileSync(join(out, 'a'), 'a')
      writeFileSync(join(out, 'run'), 'r', { mode: 0o755 })
      symlinkSync('a', join(out, 'link'))
      change(out)
      assert.equal(
        (await outputChanges(directory, ['out/**'], result)).map(({ path, change: found }) => `${path} ${found}`),
        expected,
      )
    }))
}

test.run()
