import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { ProgramLines } from '../../../src/programs/program-lines.ts'

const test = suite('src/programs/program-lines')

function linesOf(chunks: readonly (string | Buffer)[], redact = (text: string) => text): string[] {
  const found: string[] = []
  const lines = new ProgramLines(redact, (line) => found.push(line))
  for (const chunk of chunks) lines.write(Buffer.from(chunk as string))
  lines.end()
  return found
}

const cases: readonly [name: string, chunks: readonly (string | Buffer)[], expected: readonly string[]][] = [
  ['lines that come in pieces are whole', ['one\ntw', 'o\n', 'end'], ['one', 'two', 'end']],
  ['empty lines stay', ['a\n\nb\n'], ['a', '', 'b']],
  ['nothing is no line', [], []],
  ['Windows line endings are line endings', ['a\r\nb\r', '\nc\r\n'], ['a', 'b', 'c']],
  ['of a progress bar the last state is kept', ['10%\r50%\r100%\n'], ['100%']],
  ['however its states come', ['10%', '\r50', '%\r', '100%', '\r\n', 'done\n'], ['100%', 'done']],
  ['a state that nothing replaced is kept', ['working\r'], ['working']],
  ['a letter that comes in two halves is one letter', [Buffer.from([0xc3]), Buffer.from([0xa9, 0x0a])], ['é']],
  ['bytes that are no text do no harm', [Buffer.from([0x61, 0xff, 0xfe, 0x0a, 0x62, 0x0a])], ['a\uFFFD\uFFFD', 'b']],
]
for (const [name, chunks, expected] of cases) test(name, () => assert.equal(linesOf(chunks), expected))

test('a line without an end takes bounded room, and a secret across the cut is struck out', () => {
  const chunk = 'x'.repeat(65_530)
  const [line = '', ...more] = linesOf([chunk, 'hunter2', ...Array.from({ length: 200 }, () => chunk)], (text) =>
    text.replaceAll('hunter2', '***'),
  )
  assert.is(more.length, 0)
  assert.ok(line.length < 66_000 && line.endsWith('… (cut)'))
  assert.not.match(line, 'hunt')
})

test('however output is cut into chunks, the lines are the same', () => {
  const text = fc.array(fc.constantFrom('a', 'é', '\n', '\r', '\r\n', '😀'), { maxLength: 30 }).map((parts) => Buffer.from(parts.join('')))
  fc.assert(
    fc.property(text, fc.array(fc.nat(20), { maxLength: 6 }), (bytes, cuts) => {
      const places = [0, ...cuts.map((cut) => Math.min(cut, bytes.length)).sort((a, b) => a - b), bytes.length]
      const chunks = places.slice(1).map((end, index) => bytes.subarray(places[index], end))
      assert.equal(linesOf(chunks), linesOf([bytes]))
    }),
    { numRuns: 2000 },
  )
})

test.run()
