import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { parseDockerignore } from '../../../src/files/dockerignore.ts'

const test = suite('src/files/dockerignore')

const cases: readonly (readonly [string, string, readonly string[], readonly string[]])[] = [
  ['a name at the root only', 'node_modules', ['web/node_modules/a'], ['node_modules', 'node_modules/a/b']],
  ['a name anywhere', '**/node_modules', ['node_modules.js'], ['node_modules/a', 'web/node_modules/a']],
  ['a folder with a slash at the end', 'dist/', ['src/dist'], ['dist', 'dist/a']],
  ['a slash at the front', '/dist', ['src/dist'], ['dist/a']],
  ['stars within a name', '*.log', ['logs/a.log', 'a.txt'], ['a.log']],
  ['a question mark', 'a?', ['a', 'abc', 'a/b'], ['ab']],
  ['comments, empty lines, spaces and Windows line ends', '# a\r\n\r\n  b  \r\n', ['a', '# a'], ['b']],
  ['a mark at the beginning of the file', '\uFEFFa', ['b'], ['a']],
  ['case', 'Readme.md', ['README.md'], ['Readme.md']],
  ['what is taken back', '*\n!src\n!package.json', ['src/a/b', 'package.json'], ['web/a', 'package-lock.json']],
  [
    'what is taken back inside an ignored folder',
    'docs\n!docs/api/*.md',
    ['docs/api/a.md'],
    ['docs/a.md', 'docs/api/a.txt', 'docs/api/x/a.md'],
  ],
  ['the last line that matches', '!a\na\nb\n!b', ['b'], ['a']],
  ['brackets in names', 'a[1]', ['a[1]', 'a2'], ['a1']],
]
for (const [what, text, kept, left] of cases) {
  test(`understands ${what}`, () => {
    const rules = parseDockerignore(text)
    assert.equal(
      kept.filter((path) => !rules.keeps(path)),
      [],
    )
    assert.equal(
      left.filter((path) => rules.keeps(path)),
      [],
    )
  })
}

const folders: readonly (readonly [string, string, boolean])[] = [
  ['node_modules', 'node_modules', false],
  ['node_modules', 'src', true],
  ['*\n!src', 'web', false],
  ['*\n!src', 'src', true],
  ['*\n!src/*/api', 'src', true],
  ['*\n!src/*/api', 'src/x', true],
  ['*\n!src/*/api', 'src/x/web', false],
  ['*\n!**/package.json', 'deep/down', true],
  ['*\n! ./a/ ', 'a', true],
]
for (const [text, directory, entered] of folders) {
  test(`${JSON.stringify(text)} ${entered ? 'reads' : 'passes over'} ${directory}`, () => {
    assert.is(parseDockerignore(text).enters(directory), entered)
  })
}

test('nothing that is kept lies in a folder that is passed over', () => {
  const name = fc.constantFrom('a', 'b', 'ab')
  const pattern = fc
    .array(fc.oneof(name, fc.constantFrom('*', '**', 'a*', '?')), { minLength: 1, maxLength: 3 })
    .map((parts) => parts.join('/'))
  const line = fc.tuple(fc.constantFrom('', '!'), pattern).map((parts) => parts.join(''))
  fc.assert(
    fc.property(fc.array(line, { maxLength: 5 }), fc.array(name, { minLength: 2, maxLength: 4 }), (lines, parts) => {
      const rules = parseDockerignore(lines.join('\n'))
      if (!rules.keeps(parts.join('/'))) return
      for (let depth = 1; depth < parts.length; depth++) assert.ok(rules.enters(parts.slice(0, depth).join('/')))
    }),
    { numRuns: 1000 },
  )
})

test.run()
