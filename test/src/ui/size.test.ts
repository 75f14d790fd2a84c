import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { renderAge, renderCount, renderSize } from '../../../src/ui/size.ts'

const test = suite('ui/size')

test('sizes are said in powers of 1000', () => {
  const cases = [
    [0, '0 bytes'],
    [1, '1 byte'],
    [999, '999 bytes'],
    [1000, '1 KB'],
    [1540, '1.5 KB'],
    [99_960, '100 KB'],
    [999_600, '1 MB'],
    [5e9, '5 GB'],
    [7e15, '7000 TB'],
  ] as const
  for (const [bytes, text] of cases) assert.is(renderSize(bytes), text)
})

test('counts and ages agree with their nouns', () => {
  assert.equal([renderCount(1, 'blob'), renderCount(2, 'entry', 'entries')], ['1 blob', '2 entries'])
  assert.equal([0, 60_000, 7_200_000, 86_400_000].map(renderAge), ['just now', '1 minute ago', '2 hours ago', '1 day ago'])
})

test.run()
