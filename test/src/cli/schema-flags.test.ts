import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { z } from 'zod'
import { flagsOf, positionalsOf } from '../../../src/cli/schema-flags.ts'

const test = suite('src/cli/schema-flags')

test('description and meta data survive the order in which zod calls were made', () => {
  const before = flagsOf(z.strictObject({ name: z.string().describe('what').meta({ alias: 'm' }).default('x') }))
  const after = flagsOf(z.strictObject({ name: z.string().default('x').describe('what').meta({ alias: 'm' }) }))
  assert.equal(before, after)
  assert.equal(before, [
    { key: 'name', name: 'name', alias: 'm', shape: 'text', description: 'what', value: '<name>', hidden: false, fallback: 'x' },
  ])
})

test('a transformed value is typed as what it is made from', () => {
  const [flag] = flagsOf(z.strictObject({ when: z.string().transform((text) => new Date(text)) }))
  assert.is(flag?.shape, 'text')
})

test('an enumeration in an array gives choices', () => {
  assert.equal(flagsOf(z.strictObject({ roles: z.array(z.enum(['web', 'db'])) }))[0]?.choices, ['web', 'db'])
})

test('what cannot be typed on a command line is refused', () => {
  assert.throws(() => flagsOf(z.strictObject({ map: z.record(z.string(), z.string()) })), /flag map: object cannot be typed/)
  assert.throws(() => flagsOf(z.strictObject({ noCache: z.boolean() })), /declare the positive name/)
})

test('positional arguments keep their order, and know whether they must be given', () => {
  const positionals = positionalsOf(z.strictObject({ id: z.string(), others: z.array(z.string()).default([]) }))
  assert.equal(
    positionals.map(({ name, required, variadic }) => [name, required, variadic]),
    [
      ['id', true, false],
      ['others', false, true],
    ],
  )
})

test.run()
