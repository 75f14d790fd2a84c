import { chmodSync, lstatSync, mkdirSync, writeFileSync } from 'node:fs'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { fileClock } from '../../../src/state/file-clock.ts'
import { inDirectory } from '../../support/directory.ts'

const test = suite('state/file-clock')

test('a change is past once the clock of the files has ticked', () =>
  inDirectory((folder) => {
    writeFileSync(`${folder}/a`, '')
    const { ctimeMs, dev } = lstatSync(`${folder}/a`)
    const clock = fileClock(`${folder}/run/clock`)
    assert.is(clock.isPast({ ctimeMs: ctimeMs - 60_000, dev }), true)
    assert.is(clock.isPast({ ctimeMs: ctimeMs + 60_000, dev }), false)
    const marker = lstatSync(`${folder}/run/clock`)
    assert.is(clock.isPast({ ctimeMs: marker.ctimeMs + 1000, dev }), false)
  }))

test('times in whole seconds, and other devices, get two seconds', () =>
  inDirectory((folder) => {
    writeFileSync(`${folder}/a`, '')
    const { ctimeMs, dev } = lstatSync(`${folder}/a`)
    const clock = fileClock(`${folder}/clock`)
    const second = Math.floor(ctimeMs / 1000) * 1000
    assert.is(clock.isPast({ ctimeMs: second, dev }), false)
    assert.is(clock.isPast({ ctimeMs: second - 3000, dev }), true)
    assert.is(clock.isPast({ ctimeMs: ctimeMs - 1000.5, dev }), true)
    assert.is(clock.isPast({ ctimeMs: ctimeMs - 1000.5, dev: dev + 1 }), false)
    assert.is(clock.isPast({ ctimeMs: ctimeMs - 3000.5, dev: dev + 1 }), true)
  }))

test('our own clock counts where none can be kept, and going back it lets nothing pass', () =>
  inDirectory((folder) => {
    mkdirSync(`${folder}/file`)
    writeFileSync(`${folder}/file/x`, '')
    for (const clock of [fileClock(undefined, () => 10_000), fileClock(`${folder}/file/x/clock`, () => 10_000)]) {
      assert.is(clock.isPast({ ctimeMs: 8000, dev: 1 }), true)
      assert.is(clock.isPast({ ctimeMs: 8001, dev: 1 }), false)
      assert.is(clock.isPast({ ctimeMs: 20_000, dev: 1 }), false)
    }
    chmodSync(folder, 0o755)
  }))

test.run()
