import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { roundTrips } from './wire.ts'

const test = suite('support/wire')

test('what is sent within one round trip counts once', () => {
  assert.is(roundTrips([], 100), 0)
  assert.is(roundTrips([0, 5, 60], 100), 1)
  assert.is(roundTrips([0, 5, 100, 130, 205], 100), 3)
})

test.run()
