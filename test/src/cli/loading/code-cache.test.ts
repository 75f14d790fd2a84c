import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { readCode, writeCode } from '../../../../src/cli/loading/code-cache.ts'
import { codeFolder, isPrivateFolder } from '../../../../src/cli/loading/private-folder.ts'

const test = suite('src/cli/loading/code-cache')
const base = realpathSync(mkdtempSync(join(tmpdir(), 'stagecraft-code-')))
test.after(() => rmSync(base, { recursive: true }))

const code = { runs: 1, modules: new Map([['/a.js', { text: 1, code: Buffer.from('compiled') }]]) }
let count = 0

/** A folder that holds code under the name `run`. */
function filled(): { readonly above: string; readonly folder: string; readonly file: string } {
  const above = join(base, String(count++))
  const folder = join(above, 'code')
  writeCode(folder, 'run', code)
  return { above, folder, file: join(folder, 'run') }
}
const isFound = (folder: string) => readCode(folder, 'run').modules.size === 1

test('what is written is for its user alone, and is read again', () => {
  const { folder, file } = filled()
  assert.is(statSync(folder).mode & 0o777, 0o700)
  assert.is(statSync(file).mode & 0o777, 0o600)
  assert.is(readCode(folder, 'run').runs, 1)
  assert.is(isFound(folder), true)
  assert.equal(readdirSync(folder), ['run'])
})

function linkInPlaceOf(path: string): void {
  renameSync(path, `${path}-moved`)
  symlinkSync(`${path}-moved`, path)
}

function without(file: string): string {
  rmSync(file)
  return file
}

const strangers: readonly [name: string, change: (place: ReturnType<typeof filled>) => void][] = [
  ['a file that its group can write to', ({ file }) => chmodSync(file, 0o620)],
  ['a file that everyone can write to', ({ file }) => chmodSync(file, 0o602)],
  ['a folder that its group can write to', ({ folder }) => chmodSync(folder, 0o720)],
  ['a folder that everyone can write to', ({ folder }) => chmodSync(folder, 0o1777)],
  ['a folder in one whose entries others can rename', ({ above }) => chmodSync(above, 0o777)],
  ['a file that is a link', ({ file }) => linkInPlaceOf(file)],
  ['a folder that is a link', ({ folder }) => linkInPlaceOf(folder)],
  ['a folder in the place of the file', ({ file }) => mkdirSync(without(file))],
  ['a damaged file', ({ file }) => writeFileSync(file, `${readFileSync(file, 'latin1').slice(0, -1)}x`, 'latin1')],
  ['no file', ({ file }) => rmSync(file)],
  ['no folder', ({ folder }) => rmSync(folder, { recursive: true })],
]
for (const [name, change] of strangers) {
  test(`${name} is as good as nothing`, () => {
    const place = filled()
    assert.is(isFound(place.folder), true)
    change(place)
    assert.is(isFound(place.folder), false)
  })
}

test('what another user owns is not believed, nor what lies below it', () => {
  // Root's file system is everybody's; as another user, root's files are another's.
  if (process.getuid?.() !== 0) return
  const { folder, above } = filled()
  const as = (user: number, work: () => void) => {
    process.seteuid?.(user)
    try {
      work()
    } finally {
      process.seteuid?.(0)
    }
  }
  chmodSync(above, 0o755)
  chmodSync(folder, 0o755)
  chmodSync(join(folder, 'run'), 0o644)
  as(65_534, () => assert.is(isFound(folder), false))
  assert.is(isFound(folder), true)
})

test('a folder below one like /tmp is private', () => {
  const { above, folder } = filled()
  chmodSync(above, 0o1777)
  assert.is(isPrivateFolder(folder), true)
})

test('nothing is written where it would not be believed, and nothing is said of it', () => {
  const { folder, file } = filled()
  rmSync(file)
  chmodSync(folder, 0o777)
  writeCode(folder, 'run', code)
  assert.equal(readdirSync(folder), [])
  writeFileSync(join(base, 'file'), '')
  writeCode(join(base, 'file', 'code'), 'run', code)
})

test('the newest two dozen are kept', () => {
  const { folder } = filled()
  for (let age = 1; age <= 30; age++) {
    const old = join(folder, `old-${age}`)
    writeFileSync(old, '')
    utimesSync(old, Date.now() / 1000 - 60 * age, Date.now() / 1000 - 60 * age)
  }
  writeCode(folder, 'run', code)
  assert.equal(readdirSync(folder).length, 24)
  assert.is(isFound(folder), true)
  assert.is(readdirSync(folder).includes('old-30'), false)
  assert.is(readdirSync(folder).includes('old-23'), true)
})

test('it lies where the user keeps caches, if anything tells', () => {
  assert.is(codeFolder({ HOME: '/home/me' }), '/home/me/.cache/stagecraft/code')
  assert.is(codeFolder({ HOME: '/home/me', XDG_CACHE_HOME: '/var/me' }), '/var/me/stagecraft/code')
  assert.is(codeFolder({ HOME: '/home/me', XDG_CACHE_HOME: 'here' }), '/home/me/.cache/stagecraft/code')
  assert.is(codeFolder({ HOME: 'here' }), undefined)
  assert.is(codeFolder({}), undefined)
})

test.run()
