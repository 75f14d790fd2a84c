import * as fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { parse } from 'yaml'
import type { JsonObject } from '../../../graph/types.ts'
import { renderComposeText } from '../../../tasks/rendering/compose-text.ts'
import { escapeDollars } from '../../../tasks/rendering/template.ts'
import { composeEnvironment, hasCompose } from './docker-compose.ts'

const test = suite('tasks/rendering/compose-text')

test('top-level keys stand in their order, maps are sorted, lists are not', () => {
  const model = {
    'x-b': 1,
    secrets: {},
    models: {},
    services: { web: { image: 'x', command: ['b', 'a'] } },
    name: 'shop',
    'x-a': { z: 1, a: 2 },
  }
  assert.is(
    renderComposeText(model),
    'name: shop\nservices:\n  web:\n    command:\n      - b\n      - a\n    image: x\nsecrets: {}\nmodels: {}\nx-a:\n  a: 2\n  z: 1\nx-b: 1\n',
  )
})
test('the same value used twice is written twice', () => {
  const shared = { a: ['b'] }
  assert.not.match(renderComposeText({ services: { one: shared, two: shared } }), /[&*]/)
})

const strings = [
  'yes',
  'no',
  'on',
  'y',
  'null',
  '~',
  '',
  '0777',
  '0o17',
  '0x1f',
  '1_000',
  '0b1',
  '1e3',
  '.inf',
  '12:30:45',
  '2001-01-01',
  '1.0',
  '+1',
]
const odd = [
  ...strings,
  '=',
  '<<',
  '- a',
  'a: b',
  'a #b',
  '#',
  '!t',
  '&a',
  '*a',
  '%d',
  '@',
  '`',
  '"',
  "'",
  ' a',
  'a ',
  'a\n',
  '\na',
  ' a\nb\n\n',
  'a\r\nb',
  '\t',
]
const fragile = [
  'a\u2028b',
  'a\u2029b',
  '\u0085',
  'x\ufeff',
  '\ufeffx',
  'é',
  'e\u0301',
  '🚀',
  '\u0001',
  '\u007f',
  'x'.repeat(300),
  'a b '.repeat(80),
]

test('every string is read back as the string it was', () => {
  const model = { services: { list: [...odd, ...fragile] } }
  assert.equal(parse(renderComposeText(model)), model)
})
test('every model is read back as it was, and key order changes no byte', async () => {
  const json = fc.object({ values: [fc.string({ unit: 'grapheme' }), fc.integer(), fc.boolean(), fc.constant(null)], maxDepth: 3 })
  await fc.assert(
    fc.asyncProperty(json, async (value) => {
      const model = { services: value } as JsonObject
      const text = renderComposeText(model)
      assert.equal(parse(text), JSON.parse(JSON.stringify(model)))
      assert.is(renderComposeText({ services: Object.fromEntries(Object.entries(value).reverse()) } as JsonObject), text)
      assert.is(text.endsWith('\n') && !text.endsWith('\n\n') && !text.includes('\r'), true)
    }),
    { numRuns: 100 },
  )
})

const composed = hasCompose ? test : test.skip
composed('Docker Compose reads the same strings', () => {
  const values = Object.fromEntries([...odd, ...fragile].map((text, index) => [`V${index}`, text]))
  const environment = Object.fromEntries(Object.entries(values).map(([name, value]) => [name, escapeDollars(value)]))
  assert.equal(composeEnvironment({ 'docker-compose.yml': renderComposeText({ services: { app: { image: 'x', environment } } }) }), values)
})

test.run()
