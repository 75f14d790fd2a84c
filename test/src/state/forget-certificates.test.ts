import { readdirSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { forgetCertificates } from '../../../src/state/forget-certificates.ts'
import { inDirectory } from '../../support/directory.ts'

const test = suite('state/forget-certificates')

for (const [most, left] of [
  [5, ['a', 'b', 'c', 'd']],
  [4, ['a', 'b', 'c', 'd']],
  [2, ['a', 'd']],
  [0, []],
] as const)
  test(`of four certificates, at most ${most} are kept: those written last`, () =>
    inDirectory(async (folder) => {
      for (const [name, atSeconds] of [
        ['a', 40],
        ['b', 10],
        ['c', 20],
        ['d', 30],
      ] as const) {
        writeFileSync(join(folder, name), name)
        utimesSync(join(folder, name), atSeconds, atSeconds)
      }
      forgetCertificates(folder, most)
      assert.equal(readdirSync(folder).sort(), [...left])
    }))

test.run()
