import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { checksum } from '../../../../src/cli/loading/code-file.ts'
import { bundleModules } from '../../../../src/cli/loading/modules.ts'

const test = suite('src/cli/loading/modules')
const folder = mkdtempSync(join(tmpdir(), 'stagecraft-modules-'))
test.after(() => rmSync(folder, { recursive: true }))
mkdirSync(join(folder, 'chunks'))

const write = (name: string, text: string): string => {
  writeFileSync(join(folder, name), text)
  return join(folder, name)
}
const one = write('one.js', 'exports.name = "→ one"; exports.two = require("./chunks/two.js"); exports.twice = (x) => 2 * x')
write('chunks/two.js', 'exports.one = require("../one.js").name; exports.at = [__filename, __dirname]')

test('a module is evaluated once, knows where it is, and may need one that needs it', () => {
  const modules = bundleModules(undefined)
  const found = modules.load(one) as { name: string; two: { one: string; at: string[] } }
  assert.is(found.name, '→ one')
  assert.equal(found.two, { one: '→ one', at: [join(folder, 'chunks/two.js'), join(folder, 'chunks')] })
  assert.is(modules.load(one), found)
})

test('builtins are there under both names, and what is nowhere fails as libraries expect', () => {
  const file = write('builtins.js', 'module.exports = [require("fs"), require("node:fs"), (id) => require(id)]')
  const [short, long, load] = bundleModules(undefined).load(file) as [unknown, unknown, (id: string) => unknown]
  assert.is(short, long)
  assert.throws(
    () => load('cpu-features'),
    (error: NodeJS.ErrnoException) => error.code === 'MODULE_NOT_FOUND',
  )
})

test('a module that failed fails again, and its error names file and line', () => {
  const file = write('failing.js', '\nthrow new Error("no")')
  const modules = bundleModules(undefined)
  for (let time = 0; time < 2; time++)
    assert.throws(
      () => modules.load(file),
      (error: Error) => error.message === 'no' && error.stack?.includes(`${file}:2:`) === true,
    )
})

test('code of one process is used by the next, and nothing is learned from it', () => {
  const first = bundleModules(new Map())
  first.load(one)
  assert.is(first.learned, true)
  const second = bundleModules(first.compiled())
  const { twice } = second.load(one) as { twice(x: number): number }
  assert.is(second.learned, false)
  assert.is(twice(4), 8)
  assert.equal([...second.compiled().keys()], [...first.compiled().keys()])
})

test('code of another text as long, of another engine, or of no engine is not used', () => {
  const file = write('changing.js', 'exports.value = 1')
  const first = bundleModules(new Map())
  first.load(file)
  const kept = first.compiled()
  write('changing.js', 'exports.value = 2')
  const second = bundleModules(kept)
  assert.equal(second.load(file), { value: 2 })
  assert.is(second.learned, true)
  const other = 'exports.value = 3'
  const unread = write('unread.js', other)
  const third = bundleModules(new Map([[unread, { text: checksum(Buffer.from(other)), code: Buffer.from('not what V8 makes') }]]))
  assert.equal(third.load(unread), { value: 3 })
  assert.is(third.learned, true)
})

test('what this process did not load stays known', () => {
  const modules = bundleModules(new Map([['/elsewhere.js', { text: 1, code: Buffer.from('x') }]]))
  modules.load(one)
  assert.is(modules.compiled().has('/elsewhere.js'), true)
})

test.run()
