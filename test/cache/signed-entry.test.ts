import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { openEntry, sealEntry, signingKey } from '../../cache/signed-entry.ts'
import { keyOf } from './stored.ts'

const test = suite('cache/signed-entry')

const [a, b] = [signingKey('a'.repeat(32)), signingKey('b'.repeat(32))]
const name = keyOf('api')

test('an entry comes back as it was, signed or not', () => {
  assert.equal(openEntry(name, sealEntry(name, 'text é', [a]), [a]), { text: 'text é' })
  assert.equal(openEntry(name, sealEntry(name, 'text', []), []), { text: 'text' })
  assert.equal(openEntry(name, sealEntry(name, 'text', [a]), []), { text: 'text' }, 'who has no key asks for none')
})

test('who has a key believes only who has it too, old keys included', () => {
  assert.equal(openEntry(name, sealEntry(name, 'text', []), [a]), { untrusted: 'is not signed' })
  assert.equal(openEntry(name, sealEntry(name, 'text', [b]), [a]), { untrusted: 'is signed with another key' })
  assert.equal(openEntry(name, sealEntry(name, 'text', [b]), [a, b]), { text: 'text' })
  assert.equal(openEntry(name, sealEntry(name, 'text', [a, b]), [b]), { untrusted: 'is signed with another key' })
})

test('an entry under another name is none, whoever signed it', () => {
  for (const keys of [[a], []]) assert.ok('damaged' in openEntry(keyOf('web'), sealEntry(name, 'text', keys), keys))
})

test('what is no entry is damaged and never an error', () => {
  for (const text of ['', '{', '[]', 'null', '<html>login</html>', '{"schema":1}', '{"schema":2,"entry":"x"}', '['.repeat(100_000)])
    assert.ok('damaged' in openEntry(name, Buffer.from(text), [a]), text.slice(0, 20))
  assert.ok('damaged' in openEntry(name, new Uint8Array([0xff, 0xfe]), []))
})

test('an entry changed anywhere is a miss, or says the same', () => {
  for (const keys of [[a], []]) {
    const sealed = sealEntry(name, '{"schema":1,"values":{"x":"é"}}', keys)
    fc.assert(
      fc.property(fc.nat(sealed.length - 1), fc.integer({ min: 0, max: 255 }), fc.integer({ min: 0, max: 2 }), (at, byte, how) => {
        const parts = [sealed.subarray(0, at), new Uint8Array(how === 0 ? [] : [byte]), sealed.subarray(how === 2 ? at : at + 1)]
        const opened = openEntry(name, Buffer.concat(parts), keys)
        assert.ok(!('text' in opened) || opened.text === '{"schema":1,"values":{"x":"é"}}', JSON.stringify(opened))
      }),
      { numRuns: 2000 },
    )
  }
})

test.run()
