/** What two globs have in common, held against what really matches files. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import fc from 'fast-check'
import { globSync } from 'tinyglobby'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { covers, filePatterns } from '../../../../src/config/globs/file-patterns.ts'
import { commonPaths, matches } from '../../../../src/config/globs/meet.ts'
import { parsePattern } from '../../../../src/config/globs/pattern.ts'
import { inTemporaryDirectory } from '../../../support/temporary-directory.ts'

const test = suite('src/config/globs/meet')

const common = (a: string, b: string): string | undefined => {
  for (const one of parsePattern(a)) {
    for (const other of parsePattern(b)) for (const path of commonPaths(one, other)) return path
  }
  return undefined
}

for (const [a, b] of [
  ['src/**', 'src/generated/a.ts'],
  ['src/**/*.ts', '**/a.ts'],
  ['dist', 'dist/js/app.js'],
  ['dist/', 'dist/**'],
  ['*.{js,css}', 'app.*'],
  ['a*c', '*b*'],
  ['file[0-9].txt', 'file?.txt'],
  ['file[0-4].txt', 'file[4-9].txt'],
  ['file[!a].txt', 'fileb.txt'],
  ['part{1..3}.bin', 'part2.bin'],
  ['a/**/z', 'a/b/**'],
  ['**', 'x'],
  ['\\*.txt', '*.txt'],
  ['{a,b/{c,d}}/e', 'b/*/e'],
] as const) {
  test(`${a} and ${b} meet`, () => assert.ok(common(a, b) !== undefined))
}

for (const [a, b] of [
  ['src/**', 'lib/**'],
  ['src/*.ts', 'src/*.css'],
  ['src/*', 'src/a/b'],
  ['a.txt', 'A.txt'],
  ['a?c', 'ac'],
  ['file[0-4].txt', 'file[5-9].txt'],
  ['*.{js,css}', '*.ts'],
  ['a/**/z', 'a/**/y*'],
  ['part{1..3}.bin', 'part4.bin'],
  ['out/t1.txt', 'out/t12.txt'],
] as const) {
  // `a/**/z` may be a folder with `y` in it, as `z` also names what is below it.
  const expected = a === 'a/**/z' ? 'defined' : undefined
  test(`${a} and ${b} ${expected ? 'meet below a folder' : 'have nothing in common'}`, () => {
    if (expected) assert.ok(common(a, b) !== undefined)
    else assert.is(common(a, b), undefined)
  })
}

test('what cannot be compared meets nothing', () => {
  for (const pattern of ['src/+(a|b).ts', 'app/(group)/x', 'a[b', `{${Array.from({ length: 101 }, (_, at) => at).join(',')}}`]) {
    assert.equal(parsePattern(pattern), [])
  }
})

test('braces without a choice are themselves', () => assert.is(common('{a}', '{a}'), '{a}'))

test('a list covers what one of its patterns names and none takes away', () => {
  const list = filePatterns(['src/**', '!src/tmp', '!**/*.test.ts'])
  assert.equal(
    ['src/a.ts', 'src/tmp/a.ts', 'src/a.test.ts', 'lib/a.ts', 'src/x/tmp/a.ts'].map((path) => covers(list, path)),
    [true, false, false, false, true],
  )
})

const name = fc.constantFrom('a', 'b', 'ab', 'a.ts', 'b.js', 'ba')
const part = fc.oneof(name, fc.constantFrom('*', '**', 'a*', '*.ts', '?', '[ab]', '{a,b}', '*b*', '{a,ab}.ts', '[!a]'))
const pattern = fc.array(part, { minLength: 1, maxLength: 4 }).map((parts) => parts.join('/'))
const path = fc.array(name, { minLength: 1, maxLength: 4 }).map((parts) => parts.join('/'))

test('a path in common is one that both match; two patterns that match one path have some', () => {
  fc.assert(
    fc.property(pattern, pattern, path, (a, b, tried) => {
      for (const one of parsePattern(a)) {
        for (const other of parsePattern(b)) {
          const found = [...commonPaths(one, other)]
          for (const shared of found) assert.ok(matches(one, shared) && matches(other, shared), `${a} and ${b}: ${shared}`)
          if (matches(one, tried) && matches(other, tried)) assert.ok(found.length > 0, `${a} and ${b} both match ${tried}`)
        }
      }
    }),
    { numRuns: 2000 },
  )
})

test('patterns match what the library finds on disk', () =>
  inTemporaryDirectory(async (directory) => {
    const paths = ['a', 'b.js', 'ab/a', 'ab/b/a.ts', 'ab/b/ba', 'ba/a.ts', 'ba/ab/b', 'x/a/b/ab', 'x/a.ts', '.h/a']
    for (const file of paths) {
      mkdirSync(dirname(join(directory, file)), { recursive: true })
      writeFileSync(join(directory, file), '')
    }
    fc.assert(
      fc.property(pattern, (glob) => {
        const found = globSync([glob], { cwd: directory, dot: true, followSymbolicLinks: false }).sort()
        const ours = paths.filter((file) => parsePattern(glob).some((one) => matches(one, file))).sort()
        assert.equal(ours, found, glob)
      }),
      { numRuns: 300 },
    )
  }))

test.run()
