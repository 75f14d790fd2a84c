import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { Json } from '../../../graph/types.ts'
import { parseYaml } from '../../../src/config/yaml-tree.ts'
import { told } from './told.ts'

const test = suite('config/yaml-tree')

const values: readonly (readonly [name: string, text: string, expected: Json])[] = [
  ['an empty text is null', '', null],
  ['merge keys add what is not given', 'a: &a {x: 1, y: 2}\nb: {<<: *a, y: 3}', { a: { x: 1, y: 2 }, b: { y: 3, x: 1 } }],
  [
    'of merged maps the first wins',
    'a: &a {x: 1}\nb: &b {x: 2, z: 3}\nc: {<<: [*a, *b]}',
    { a: { x: 1 }, b: { x: 2, z: 3 }, c: { x: 1, z: 3 } },
  ],
  ['a merged map may merge', 'a: &a {x: 1}\nb: &b {<<: *a, y: 2}\nc: {<<: *b}', { a: { x: 1 }, b: { y: 2, x: 1 }, c: { y: 2, x: 1 } }],
  ['a quoted << is a key', '"<<": {a: 1}', { '<<': { a: 1 } }],
  ['a later anchor of the same name counts from there', 'a: &n 1\nb: *n\nc: &n 2\nd: *n', { a: 1, b: 1, c: 2, d: 2 }],
  ['a leading zero is octal, as Compose has it', 'mode: 0644\ntext: "0644"', { mode: 420, text: '0644' }],
  ['an integer too large for a double keeps its digits', 'id: 12345678901234567890', { id: '12345678901234567890' }],
  ['yes and on are text', 'a: yes\nb: on', { a: 'yes', b: 'on' }],
  ['keys that are numbers are text', '8080: a\n010: b', { '8080': 'a', '010': 'b' }],
  ['a key called __proto__ is a key', '__proto__: {x: 1}', JSON.parse('{"__proto__": {"x": 1}}') as Json],
]
for (const [name, text, expected] of values) {
  test(name, () => {
    const { tree, problems } = parseYaml(text, 'file.yml')
    assert.equal(problems, [])
    assert.is(JSON.stringify(tree?.value), JSON.stringify(expected))
  })
}

const faults: readonly (readonly [text: string, expected: readonly string[]])[] = [
  [
    'a: [1\nb: "x',
    [
      '2:1 SC1005 invalid YAML: flow sequence in block collection must be sufficiently indented and end with a ]',
      '2:6 SC1005 invalid YAML: missing closing "quote',
    ],
  ],
  ['a: 1\n---\nb: 2', ['2:1 SC1005 invalid YAML: the file holds more than one document']],
  ['a: !reset null', ['1:4 SC1005 invalid YAML: unresolved tag: !reset']],
  ['a: 1\nb: 2\na: 3', ['3:1 SC1006 key `a` is given twice | first given here']],
  ['a: *none', ['1:4 SC1007 alias `*none` has no anchor before it']],
  ['a: *late\nb: &late 1', ['1:4 SC1007 alias `*late` has no anchor before it']],
  ['a: &a [*a]', ['1:8 SC1007 an alias refers to what it is part of']],
  ['a: &a {<<: *a}', ['1:12 SC1008 expected a map, or a list of maps, to merge']],
  ['a: {<<: 3}', ['1:9 SC1008 expected a map, or a list of maps, to merge']],
  ['? [a]\n: 1', ['1:3 SC1008 expected text as a key']],
  ['a: .inf', ['1:4 SC1008 expected a finite number']],
]
for (const [text, expected] of faults) test(expected[0] ?? text, () => assert.equal(told(parseYaml(text, 'file.yml').problems), expected))

test('aliases that multiply are stopped', () => {
  const levels = Array.from({ length: 12 }, (_, index) => `l${index + 1}: &l${index + 1} [${Array(9).fill(`*l${index}`).join(', ')}]`)
  assert.match(
    told(parseYaml(['l0: &l0 [x]', ...levels].join('\n'), 'file.yml').problems)[0] ?? '',
    /SC1007 aliases expand to more than 100000 values/,
  )
})
test('merges that multiply stay cheap', () => {
  const levels = Array.from({ length: 40 }, (_, index) => `l${index + 1}: &l${index + 1} {<<: [*l${index}, *l${index}]}`)
  assert.equal(parseYaml(['l0: &l0 {x: 1}', ...levels].join('\n'), 'file.yml').problems, [])
})
test('a value behind an alias is located at its anchor, its key where it is used', () => {
  const places = parseYaml('a: &a {port: 80}\nb:\n  <<: *a\nc: *a', 'file.yml').tree?.places
  const port = places?.locate(['b', 'port'])
  assert.equal([port?.line, port?.column, port?.length], [1, 14, 2])
  const key = places?.locateKey(['c'])
  assert.equal([key?.line, key?.column], [4, 1])
})
test('the text of a line has no line end, whatever it is', () => {
  assert.is(parseYaml('a: 1\r\nb: 2\r\n', 'f').tree?.places.locate(['b']).text, 'b: 2')
})

test.run()
