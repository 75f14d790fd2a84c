import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { Json } from '../../../graph/types.ts'
import { plainPlaces } from '../../../src/config/plain-places.ts'
import { parsePlainYaml } from '../../../src/config/plain-yaml.ts'
import { parseAnyYaml } from '../../../src/config/yaml-tree.ts'

const test = suite('src/config/plain-yaml')

const plain: readonly (readonly [name: string, text: string])[] = [
  ['maps by indentation, with lines that say nothing', 'a:\n  b: 1\n\n # about c\n  c: text of it # why\nd: true\n'],
  ['lists, at the column of their key or further in', 'a:\n- x\n- y z\nb:\n  - "q: #"\n  - [1, two]\nc: 1'],
  ['brackets and braces on one line', "a: {name: bench, list: [x, 'y, z', {k: v}], none: []}\nb: [] # empty"],
  ['words with signs in them', 'url: http://x:80/a#b?c\ntime: 60s\npath: ./a/b\ncommand: cat a > b && c -d "e"'],
  ['a key that objects have too', 'constructor: 1\ntoString:\n  valueOf: x'],
]
for (const [name, text] of plain) {
  test(`plain is: ${name}`, () => {
    const found = parsePlainYaml(text)
    assert.is(JSON.stringify(found?.value), JSON.stringify(parseAnyYaml(text, 'file').tree?.value))
  })
}

const notPlain: readonly string[] = [
  ...['', 'text', '[a]', '{a: 1}', '- a', '---\na: 1', 'a: 1\n...', 'a: 1\n---\nb: 2', '%YAML 1.2\n---\na: 1', 'a: 1\n a: 2', ' a: 1'],
  ...['a: 1\r\nb: 2', 'a:\t1', 'a: ü', 'a: 1\na: 2', 'a: {b: 1, b: 2}', '__proto__: 1', 'null: 1', 'a: {null: 1}', '"a": 1', '? a\n: b'],
  ...['a: |\n  x', 'a: >-\n  x', 'a: x\n  y', 'a: "x\n  y"', 'a: [x,\n y]', 'a: &b 1', 'a: &b 1\nc: *b', 'a: !!str 1', 'a: *b', 'a: <<'],
  ...['a: b: c', 'a: b:', 'a: [b:]', 'a: [b: c]', 'a: [b, ]', 'a: [,]', 'a: [b', 'a: b]: c', 'a: "b" c', 'a: "\\n"', "a: 'it''s'"],
  ...['a:', 'a: ~', 'a: null', 'a: 1.5', 'a: 010', 'a: 0x1f', 'a: 1e3', 'a: -1', 'a: .inf', 'a: 12345678901234567890', 'a: @b', 'a: `b`'],
  ...[
    'a:\n  - b: c',
    'a:\n  - - b',
    'a:\n  -',
    'a:\n  - b\n c: d',
    'a:\n  - b\n    c',
    'a:\n - b\n - ? c',
    'a: - b',
    'a: # b\n  c: 1',
    'a :1',
  ],
]
for (const text of notPlain) {
  test(`not plain, or not YAML: ${JSON.stringify(text)}`, () => {
    assert.is(parsePlainYaml(text), undefined)
  })
}

test('whatever counts as plain reads as the library reads it, and its keys are where the library sees them', () => {
  const word = mostly(
    ['a', 'b', 'on', 'true', 'False', 'x y', '60s', '0', '17', './p', '../p', '/'],
    ['null', 'NULL', '1.5', '010', '.inf', '~'],
  )
  const odd = fc.constantFrom(
    'a:b',
    'a: b',
    'a #b',
    'a#b',
    'a:',
    '#',
    '-',
    '- a',
    '?',
    '*a',
    '&a',
    '!a',
    '|',
    '>',
    '%',
    '@',
    '`',
    '"',
    "'",
    ',',
    ':',
  )
  const quoted = mostly(['"a"', '"a: b"', "'a'", "'a, b'", '""', "''", '"#"'], ["'a''b'", '"a\\n"', '"a', "'a", '"a" b'])
  const atom = fc.oneof({ weight: 20, arbitrary: word }, { weight: 1, arbitrary: odd }, { weight: 6, arbitrary: quoted })
  const { flow } = fc.letrec<{ flow: string; list: string; map: string }>((tie) => ({
    flow: fc.oneof({ depthSize: 'small', maxDepth: 3 }, atom, tie('list'), tie('map')),
    list: fc
      .tuple(fc.array(tie('flow'), { maxLength: 3 }), fc.constantFrom(', ', ',', ' , '), mostly([''], [',', ' ']))
      .map(([items, comma, last]) => `[${items.join(comma)}${last}]`),
    map: fc
      .tuple(
        fc.array(fc.tuple(mostly(['a', 'b', 'c'], ['"d"', 'a b', 'null']), mostly([': ', ':  '], [':', ' : ']), tie('flow')), {
          maxLength: 3,
        }),
      )
      .map(([pairs]) => `{${pairs.map((pair) => pair.join('')).join(', ')}}`),
  }))
  const end = mostly(['', '', ' ', ' # c', '  #'], ['#c', ':'])
  const key = mostly(['a', 'b', 'c', 'd', 'e', 'f', 'build-x', 'e.f', 'true'], ['"q"', 'x y', '1', '<<', '-a', 'null', '__proto__', '?'])
  const entry = fc
    .tuple(key, mostly([': ', ':  '], [':', ' : ']), fc.oneof(flow, flow, fc.constant('')), end)
    .map((parts) => parts.join(''))
  const item = fc
    .tuple(mostly(['- ', '-  '], ['-']), fc.oneof({ weight: 8, arbitrary: flow }, { weight: 1, arbitrary: entry }), end)
    .map((parts) => parts.join(''))
  const content = fc.oneof(
    { weight: 20, arbitrary: entry },
    { weight: 8, arbitrary: item },
    mostly(['', '# c'], ['---', '...', 'a', '- - b']),
  )
  const indent = mostly(['', '', '', '  '], ['    ', ' ', '\t'])
  const lines = fc.array(
    fc.tuple(indent, content).map((parts) => parts.join('')),
    { minLength: 1, maxLength: 7 },
  )
  let plainOnes = 0
  fc.assert(
    fc.property(fc.tuple(lines, mostly(['\n', '\n\n'], ['\r\n'])), ([written, newline]) => {
      const text = written.join(newline)
      const found = parsePlainYaml(text)
      if (found === undefined) return
      plainOnes++
      const { tree, problems } = parseAnyYaml(text, 'file')
      assert.equal(problems, [])
      assert.is(JSON.stringify(found.value), JSON.stringify(tree?.value))
      const places = plainPlaces(text, 'file', found, () => undefined)
      for (const path of keysOf(found.value)) {
        // Keys within braces are looked up by the library.
        if (found.keys.has(mapAt(found.value, path.slice(0, -1)))) assert.equal(places.locateKey(path), tree?.places.locateKey(path))
      }
    }),
    { numRuns: 10_000 },
  )
  assert.ok(plainOnes > 100, `only ${plainOnes} of them were plain`)
})

test('places of what is no key come from the library, which reads once', () => {
  const text = 'a: {b: 1}\nc: [x]\n'
  const found = parsePlainYaml(text)
  if (found === undefined) throw new Error('not plain')
  let readings = 0
  const places = plainPlaces(text, 'file', found, () => {
    readings++
    return parseAnyYaml(text, 'file').tree?.places
  })
  assert.is(places.locateKey(['c']).line, 2)
  assert.is(readings, 0)
  assert.is(places.locate(['a', 'b']).column, 8)
  assert.is(places.locateKey(['a', 'b']).column, 5)
  assert.is(places.locateKey(['none']).line, 1)
  assert.is(places.sourceText(['c', 0]), 'x')
  assert.is(readings, 1)
})

/** Rarely one of the odd ones. */
function mostly(usual: readonly string[], odd: readonly string[]): fc.Arbitrary<string> {
  return fc.oneof({ weight: 20, arbitrary: fc.constantFrom(...usual) }, { weight: 1, arbitrary: fc.constantFrom(...odd) })
}

function keysOf(value: Json): readonly string[][] {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return []
  return Object.entries(value).flatMap(([key, member]) => [[key], ...keysOf(member).map((path) => [key, ...path])])
}

function mapAt(value: Json, path: readonly string[]): object {
  return path.reduce((map, key) => map[key as keyof typeof map], value as object)
}

test.run()
