import { mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { entriesIn } from '../../../src/files/entries-in.ts'
import { type Walk, walk } from '../../../src/files/walk.ts'
import { inDirectory } from '../../support/directory.ts'

const test = suite('src/files/walk')

/** What a pattern matches, and which folders were read for it. */
function walked(root: string, include: readonly string[], enters: (path: string) => boolean = () => true) {
  const folders: string[] = []
  const read = (folder: string) => {
    folders.push(folder)
    return readdirSync(join(root, folder), { withFileTypes: true })
  }
  return { files: [...walk({ root, shown: (path) => path, include, enters, read })].sort(), folders: folders.sort() }
}

function plant(root: string, ...paths: readonly string[]): void {
  for (const path of paths) {
    mkdirSync(join(root, path, '..'), { recursive: true })
    writeFileSync(join(root, path), path)
  }
}

test('only folders that can hold a match are read, not those on the way to them', () =>
  inDirectory((root) => {
    plant(root, 'packages/a/src/x.ts', 'packages/a/src/deep/y.ts', 'packages/a/z.ts', 'packages/b/src/x.ts', 'top.ts')
    assert.equal(walked(root, ['packages/a/src/**']), {
      files: ['packages/a/src/deep/y.ts', 'packages/a/src/x.ts'],
      folders: ['packages/a/src', 'packages/a/src/deep'],
    })
    assert.equal(walked(root, ['packages/a/src/**', '!packages/a/src/deep/**']).files, ['packages/a/src/x.ts'])
    assert.equal(walked(root, ['packages/a/src/**', 'packages/b/src/*']).folders, [
      'packages/a/src',
      'packages/a/src/deep',
      'packages/b/src',
    ])
  }))

test('a folder that is not there is looked for, so that it is noticed when it comes', () =>
  inDirectory((root) => {
    plant(root, 'packages/a/x')
    assert.equal(walked(root, ['packages/new/src/**']), { files: [], folders: ['packages/new/src'] })
    assert.equal(walked(root, ['none/src/**']), { files: [], folders: ['none/src'] })
  }))

test('a folder nobody wants to see is not entered', () =>
  inDirectory((root) => {
    plant(root, 'a/hidden/src/x')
    assert.equal(walked(root, ['a/hidden/src/**'], (path) => path !== 'a/hidden/src').files, [])
    assert.equal(walked(root, ['a/hidden/src/**']).files, ['a/hidden/src/x'])
  }))

test('of a folder that many patterns share, each is shown what begins like its own names', () =>
  inDirectory((root) => {
    const count = 200
    plant(root, ...Array.from({ length: count }, (_, index) => `out/p${index}-x.js`))
    let shown = 0
    const read: NonNullable<Walk['read']> = (folder, isWanted) => {
      const { entries } = entriesIn(join(root, folder), isWanted)
      shown += entries.length
      return entries
    }
    for (let index = 0; index < count; index++)
      assert.equal(walk({ root, shown: (path) => path, include: [`out/p${index}-*`], enters: () => true, read }), [`out/p${index}-x.js`])
    assert.is(shown, count)
  }))

test.run()
