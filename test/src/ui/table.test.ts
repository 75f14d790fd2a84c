import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { printable, renderTable } from '../../../src/ui/table.ts'

const test = suite('src/ui/table')

test('columns are as wide as their widest cell, and nothing is cut off (D33)', () => {
  const text = renderTable(
    ['ID', 'VERSION', 'STATUS'],
    [
      ['rel-20260102-030405678', 'v1', 'ok'],
      ['b', 'a-very-long-version-of-a-branch', 'failed'],
    ],
  )
  assert.is(
    text,
    [
      'ID                      VERSION                          STATUS',
      'rel-20260102-030405678  v1                               ok',
      'b                       a-very-long-version-of-a-branch  failed',
      '',
    ].join('\n'),
  )
})

test('no line ends in spaces, and a missing cell is empty', () => {
  assert.is(renderTable(['A', 'B'], [['x', ''], ['longer']]), 'A       B\nx\nlonger\n')
})

test('code points count, not UTF-16 units', () => {
  assert.is(renderTable(['A', 'B'], [['😀', '1']]), 'A  B\n😀  1\n')
})

test('a stored text cannot steer the terminal', () => {
  assert.is(printable('a\u001b[31mred\nb\u0007'), 'a [31mred b ')
})

test.run()
