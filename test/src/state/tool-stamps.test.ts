import { chmodSync, copyFileSync, linkSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { toolStamps } from '../../../src/state/tool-stamps.ts'
import { inDirectory } from '../../support/directory.ts'

const test = suite('state/tool-stamps')
const past = { isPast: () => true }

test('a native program under its own name is vouched for by its file, and by what comes before it in PATH', () =>
  inDirectory((folder) => {
    for (const name of ['first', 'bin', 'real']) mkdirSync(`${folder}/${name}`)
    copyFileSync('/bin/true', `${folder}/real/tool`)
    symlinkSync('../real/tool', `${folder}/bin/tool`)
    const stamps = toolStamps(['tool', '--version'], `${folder}/first:${folder}/bin`, past)
    assert.equal([...(stamps ?? new Map()).keys()], [`${folder}/first/tool`, `${folder}/bin/tool`, `${folder}/real/tool`])
    assert.is(stamps?.get(`${folder}/first/tool`), undefined)
  }))

test('all others are asked: scripts, shims under many names, other words, relative folders, what has just changed', () =>
  inDirectory((folder) => {
    mkdirSync(`${folder}/bin`)
    writeFileSync(`${folder}/bin/script`, '#!/bin/sh\n')
    chmodSync(`${folder}/bin/script`, 0o755)
    copyFileSync('/bin/true', `${folder}/bin/shim`)
    symlinkSync('shim', `${folder}/bin/cargo`)
    copyFileSync('/bin/true', `${folder}/bin/linked`)
    linkSync(`${folder}/bin/linked`, `${folder}/bin/again`)
    copyFileSync('/bin/true', `${folder}/bin/tool`)
    for (const argv of [
      ['script', '--version'],
      ['cargo', '--version'],
      ['again', '-v'],
      ['tool'],
      ['tool', '--version', '-x'],
      ['tool', 'env'],
      ['none', '-V'],
    ])
      assert.is(toolStamps(argv, `${folder}/bin`, past), undefined, argv.join(' '))
    assert.is(toolStamps(['tool', '--version'], `.:${folder}/bin`, past), undefined)
    assert.is(toolStamps(['tool', '--version'], undefined, past), undefined)
    assert.is(toolStamps(['tool', '--version'], `${folder}/bin`, { isPast: () => false }), undefined)
    assert.ok(toolStamps(['tool', 'version'], `${folder}/bin`, past))
  }))

test.run()
