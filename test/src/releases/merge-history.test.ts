import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { mergeHistory } from '../../../src/releases/merge-history.ts'
import type { Release } from '../../../src/releases/release.ts'
import { release } from '../../support/releases.ts'

const test = suite('src/releases/merge-history')

test('releases of either side are there, oldest first', () => {
  const [a, b, c] = ['rel-20260101-000000000', 'rel-20260102-000000000', 'rel-20260103-000000000'].map((id) => release(id))
  if (!a || !b || !c) return
  assert.equal(mergeHistory([c, a], [b]), [a, b, c])
})

test('of a release on both sides the newer fields win, and fields only one side has are kept', () => {
  const id = 'rel-20260101-000000000'
  const local = { ...release(id, { version: 'old', updated_at: '2026-01-01T00:00:01.000Z' }), note: 'kept' } as Release
  const remote = release(id, { version: 'new', updated_at: '2026-01-01T00:00:02.000Z' })
  const merged = { ...remote, note: 'kept' }
  assert.equal(mergeHistory([local], [remote]), [merged])
  assert.equal(mergeHistory([remote], [local]), [merged])
})

test('a finished copy beats an unfinished one, and has no owner', () => {
  const id = 'rel-20260101-000000000'
  const running = release(id, { finished: false, updated_at: '2026-01-09T00:00:00.000Z', owner: { host: 'a', pid: 1, start: '' } })
  assert.equal(mergeHistory([running], [release(id)]), [release(id)])
})

test('sides do not matter, and merging again changes nothing', () => {
  const some: fc.Arbitrary<Release> = fc
    .record({ id: fc.constantFrom(1, 2, 3), second: fc.constantFrom(1, 2), version: fc.constantFrom('a', 'b'), finished: fc.boolean() })
    .map(({ id, second, ...fields }) =>
      release(`rel-2026010${id}-000000000`, { ...fields, updated_at: `2026-01-09T00:00:0${second}.000Z` }),
    )
  const history = fc.uniqueArray(some, { selector: ({ id }) => id })
  fc.assert(
    fc.property(history, history, (a, b) => {
      const merged = mergeHistory(a, b)
      assert.equal(mergeHistory(b, a), merged)
      assert.equal(mergeHistory(merged, a), merged)
    }),
  )
})

test.run()
