import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { canonicalJson } from '../../graph/canonical-json.ts'

const test = suite('graph/canonical-json')

test('key order does not matter, at any depth', () => {
  assert.is(canonicalJson({ b: 1, a: { d: [1, 2], c: null } }), canonicalJson({ a: { c: null, d: [1, 2] }, b: 1 }))
})
test('array order matters', () => {
  assert.is.not(canonicalJson([1, 2]), canonicalJson([2, 1]))
})
test('composed and decomposed letters are the same text', () => {
  assert.is(canonicalJson('é'), canonicalJson('e\u0301'))
})
test('a number JSON cannot hold is refused', () => {
  assert.throws(() => canonicalJson(Number.NaN), /cannot hold NaN/)
})

test.run()
