import fc from 'fast-check'
import { globSync } from 'tinyglobby'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { wantedNames } from '../../../src/files/wanted-names.ts'
import { inDirectory } from '../../support/directory.ts'
import { plant } from './tree.ts'

const test = suite('src/files/wanted-names')

/** How a pattern, a folder and a name go together: `all` when the folder's names are not narrowed. */
function verdict(patterns: readonly string[], folder: string, name: string): boolean | 'all' {
  return wantedNames(patterns)(folder)?.(name) ?? 'all'
}

const cases: readonly [patterns: readonly string[], folder: string, name: string, wanted: boolean | 'all'][] = [
  [['out/p1.*'], 'out', 'p1.js', true],
  [['out/p1.*'], 'out', 'p2.js', false],
  [['out/p1.*'], '', 'out', true],
  [['out/p1.*'], '', 'in', false],
  [['out/p1.*'], 'in', 'p1.js', false],
  [['out/p1'], 'out/p1', 'anything', 'all'],
  [['out/*'], 'out', 'p1.js', 'all'],
  [['**/p1.*'], '', 'out', 'all'],
  [['*/p1.*'], 'out', 'p2.js', 'all'],
  [['out/{a,b}.js'], 'out', 'c.js', 'all'],
  [['out/a{b,c}.js'], 'out', 'ad.js', true],
  [['out/a{b,c}.js'], 'out', 'd.js', false],
  [['out/a|b*'], 'out', 'b', 'all'],
  [['out/p1.*', 'out/q*'], 'out', 'q7', true],
  [['out/p1.*', 'out/q*'], 'out', 'r', false],
  [['out/p1.*', 'out/**'], 'out', 'r', 'all'],
  [['./out/p1.*'], '', 'out', 'all'],
]

for (const [patterns, folder, name, wanted] of cases) {
  test(`${patterns.join(' ')} in ${folder === '' ? 'the project' : folder}: ${name} is ${wanted === 'all' ? 'one of all' : wanted ? 'wanted' : 'not wanted'}`, () => {
    assert.is(verdict(patterns, folder, name), wanted)
  })
}

test('what the library of globs matches, and every folder on the way to it, is wanted', () =>
  inDirectory((root) => {
    const letters = ['a', 'b', 'ab', 'a.b', 'b-a', '.a']
    const paths = letters.flatMap((one) => letters.flatMap((two) => [`${one}/${two}/f`, `${one}/${two}/a.f`]))
    plant(root, Object.fromEntries(paths.map((path) => [path, path])))
    const part = fc.constantFrom(
      'a',
      'b',
      'ab',
      'a*',
      '*b',
      '?',
      '**',
      '{a,b}',
      'a{.b,b}',
      '[ab]',
      '.a',
      'a|b',
      '"a"*',
      '+(a)',
      'a?(b)',
      '.',
      '*.f',
    )
    const pattern = fc.array(part, { minLength: 1, maxLength: 4 }).map((parts) => parts.join('/'))
    fc.assert(
      fc.property(fc.array(pattern, { minLength: 1, maxLength: 2 }), (patterns) => {
        const wanted = wantedNames(patterns)
        for (const path of globSync([...patterns], { cwd: root, dot: true, followSymbolicLinks: false })) {
          const names = path.split('/')
          for (const [depth, name] of names.entries())
            assert.ok(
              wanted(names.slice(0, depth).join('/'))?.(name) ?? true,
              `${patterns.join(' ')} matches ${path}, and passes over ${name}`,
            )
        }
      }),
      { numRuns: 300, examples: [[['b/a/a|b']]] },
    )
  }))

test.run()
