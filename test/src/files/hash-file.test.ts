import { execFileSync } from 'node:child_process'
import { symlinkSync, writeFileSync } from 'node:fs'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { digestOf } from '../../../graph/fingerprint.ts'
import { hashFile } from '../../../src/files/hash-file.ts'
import { inDirectory } from '../../support/directory.ts'

const test = suite('src/files/hash-file')

test('an empty file and a file of many pieces have their SHA-256', () =>
  inDirectory((directory) => {
    for (const bytes of [Buffer.alloc(0), Buffer.alloc(3 * 1024 * 1024 + 1, 'xyz')]) {
      writeFileSync(`${directory}/file`, bytes)
      assert.is(hashFile(`${directory}/file`), digestOf(bytes))
    }
  }))

test('what took a file’s place is neither followed nor waited for', () =>
  inDirectory((directory) => {
    symlinkSync('/etc/hostname', `${directory}/link`)
    execFileSync('mkfifo', [`${directory}/pipe`])
    assert.throws(() => hashFile(`${directory}/link`), /ELOOP/)
    assert.throws(() => hashFile(`${directory}/pipe`), /not a file any more/)
    assert.throws(() => hashFile(directory), /not a file any more/)
    assert.throws(() => hashFile(`${directory}/none`), /ENOENT/)
  }))

test.run()
