import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { decodeCode, encodeCode } from '../../../../src/cli/loading/code-file.ts'

const test = suite('src/cli/loading/code-file')

const code = {
  runs: 2,
  modules: new Map([
    ['/ä', { text: 7, code: Buffer.from('abc') }],
    ['/b', { text: 4_294_967_295, code: Buffer.from('defghijkl') }],
    ['/c', { text: 0, code: Buffer.alloc(0) }],
  ]),
}
const bytes = encodeCode(code)

test('what was written is read, and begins where V8 likes it', () => {
  const read = decodeCode(bytes)
  assert.is(read?.runs, 2)
  const texts = [...(read?.modules ?? [])].map(([path, { text, code }]) => [path, text, Buffer.from(code).toString()])
  assert.equal(texts, [
    ['/ä', 7, 'abc'],
    ['/b', 4_294_967_295, 'defghijkl'],
    ['/c', 0, ''],
  ])
  for (const { code } of read?.modules.values() ?? []) assert.is((code.byteOffset - bytes.byteOffset) % 8, 0)
})

test('not a byte may be another', () => {
  for (let at = 0; at < bytes.length; at++) {
    const damaged = Buffer.from(bytes)
    damaged[at] = (damaged[at] ?? 0) ^ 0x10
    assert.is(decodeCode(damaged), undefined, String(at))
  }
})

test('not a byte may be missing or too many', () => {
  for (let length = 0; length < bytes.length; length++) assert.is(decodeCode(bytes.subarray(0, length)), undefined, String(length))
  assert.is(decodeCode(Buffer.concat([bytes, Buffer.alloc(8)])), undefined)
})

test.run()
